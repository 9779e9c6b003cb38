"""The event loop: supervisor, clock, wiring and the ports it needs. CPython and MicroPython."""
