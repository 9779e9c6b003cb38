"""`doorward` on a machine that is not as its board config says: real backends on a fake of the kernel's chip.

    python ill_main.py CASE ARGS...

CASE  JSON: ``folder`` for the chip's device file, ``label`` and ``count`` of its lines, ``busy`` {offset:
      who}, ``denied`` (an errno at its device file), ``model`` of the machine

Every input rests high, as behind a pull-up, those of contacts low. Takes orders on standard input: ``press
N`` pulls line N low for a moment; it and ``shown N`` print every level that line showed, as JSON.
"""

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from fake_gpiod import FakeChip, FakeGpiod

import hal.board
from firmware import main as program
from hal import board_facts
from hal.backends import device_tree, gpiod_lines

PRESSED_S = 0.1  #: longer than any debounce


def orders(chip: FakeChip) -> None:
    """Do what is asked for, for as long as somebody asks."""
    for line in sys.stdin:
        what, number = line.split()
        if what == "press":
            for high in (False, True):
                chip.drive(int(number), high)
                time.sleep(PRESSED_S)
        print(json.dumps(chip.lines[int(number)].shown), flush=True)


def main(case: dict[str, Any], arguments: list[str]) -> int:
    """The program, on that machine."""
    path = str(Path(case["folder"]) / "gpiochip0")
    Path(path).touch()
    config = hal.board.load(arguments[arguments.index("--board") + 1])
    label = board_facts.BOARDS[config["board"]].chip_label
    chip = FakeChip(case.get("label", label), case.get("count", 58))
    for device in config["devices"].values():
        if device["driver"] == "contact":
            chip.drive(int(device["line"][4:]), device["active"] == "high")
    library = FakeGpiod({path: chip})
    others = []
    for offset, who in case.get("busy", {}).items():
        settings = library.LineSettings(direction=library.line.Direction.INPUT)
        config_of = {(int(offset),): settings}
        others.append(library.Chip(path).request_lines(config_of, who, 16))
    if "denied" in case:
        library.denied[path] = case["denied"]
    program._lines = lambda config: gpiod_lines.GpiodLines(label, case["folder"], library)
    device_tree.model = lambda: case.get("model")  # type: ignore[assignment, misc]
    threading.Thread(target=orders, args=(chip,), daemon=True).start()
    return program.main(arguments)


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1]), sys.argv[2:]))
