"""The wiring of a board config, drawn: a plan becomes shapes, shapes become SVG."""
