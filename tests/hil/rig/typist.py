"""Runs in the guest: a USB reader that types. Orders come as lines: ``in``, ``out``, ``type TEXT``.

typist.py ORDERS: a named pipe, made here; the reader is not plugged in yet.
"""

import os
import sys

from typing_reader import TypingReader


def main(orders: str) -> None:
    """Obey until killed."""
    os.mkfifo(orders)
    reader: TypingReader | None = None
    # Never at its end: a writer is ourselves.
    with os.fdopen(os.open(orders, os.O_RDWR), "r") as lines:
        for line in lines:
            what, _, text = line.rstrip("\n").partition(" ")
            if what == "in":
                reader = TypingReader()
            elif reader is not None and what == "type":
                reader.type(text + "\n")
            elif reader is not None and what == "out":
                reader.close()


if __name__ == "__main__":
    main(sys.argv[1])
