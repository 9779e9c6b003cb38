"""Decides: who may enter, what a door does, when the alarm sounds.

Pure: no I/O, no clock, no asyncio, no hal, no third party. Time is always an argument, a decision is
always a value. The same on CPython and MicroPython.
"""
