"""What the core decides over recorded steps, line by line: ``python|micropython replay.py STEPS.jsonl``.

Portable. One line a step: everything that was told, and everything that can be seen then. A line ``[]``
begins a new building.
"""

import json
import sys

sys.path.insert(0, "tests/model")

from building import Building, told


def main(path: str) -> None:
    """Replay the file and print what came of it."""
    one = _new()
    with open(path) as file:
        for line in file:
            step = json.loads(line)
            if not step:
                one = _new()
                continue
            effects = one.do(step)
            print("%d %s %s" % (one.ms, told(effects), told(one.seen())))


def _new() -> "Building":
    one = Building()
    one.begin()
    return one


main(sys.argv[1])
