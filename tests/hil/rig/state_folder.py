"""The state folder as an installer leaves it: the keys, and the operators who may command."""

import base64
import json
import subprocess
import sys
from pathlib import Path

from x86_guest import ROOT

from firmware.trust import signing

#: (facility, number) of cards, by the key's record number.
CARDS = {1: (12, 34567), 2: (200, 1)}


def make(folder: Path, board: str, operators: dict[str, tuple[str, bytes]]) -> Path:
    """Make it on the host, with keys for `CARDS`: a start of Python takes seconds in a guest.

    folder     Path  what it is made of is left there
    board      str   the text of the board config
    operators  dict  name to (role, seed of the private key)
    """
    state, config = folder / "state", folder / "board.toml"
    state.mkdir(mode=0o700)
    config.write_text(board)
    keys, people = folder / "keys.csv", folder / "operators.json"
    rows = [f"{name},w26:{place:03}:{number:05},tenant" for name, (place, number) in CARDS.items()]
    keys.write_text("\n".join(["credential,card,levels", *rows]) + "\n")
    people.write_text(
        json.dumps(
            [
                {
                    "id": name,
                    "role": role,
                    "public_key": base64.b64encode(signing.public_of(seed)).decode(),
                }
                for name, (role, seed) in operators.items()
            ]
        )
    )
    for verb, file in (("--import-keys", keys), ("--import-operators", people)):
        words: list[str | Path] = [sys.executable, "-m", "firmware", verb, file]
        words += ["--state", state, "--board", config]
        subprocess.run(words, cwd=ROOT, check=True, timeout=60)
    return state
