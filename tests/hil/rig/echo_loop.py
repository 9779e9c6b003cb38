"""Runs in the guest: the least that a program can do. What happens on one line it sets on another.

echo_loop.py CHIP INPUT OUTPUT READY: READY is a file that appears when it listens.
"""

import sys
from pathlib import Path

import gpiod
from gpiod.line import Direction, Edge, Value


def main(chip: str, source: int, target: int, ready: str) -> int:
    """Echo until killed."""
    wanted = gpiod.LineSettings(direction=Direction.INPUT, edge_detection=Edge.BOTH)
    out = gpiod.LineSettings(direction=Direction.OUTPUT, output_value=Value.ACTIVE)
    with gpiod.request_lines(chip, config={source: wanted, target: out}) as request:
        Path(ready).touch()
        falling = gpiod.EdgeEvent.Type.FALLING_EDGE
        while True:
            for event in request.read_edge_events():
                is_low = event.event_type == falling
                request.set_value(target, Value.INACTIVE if is_low else Value.ACTIVE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
