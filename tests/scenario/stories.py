"""The stories of this folder, each told once however many tests look at what it left."""

from functools import cache
from pathlib import Path

from sim import run, scenario

FOLDER = Path(__file__).parent
STORIES = sorted(FOLDER.glob("*.toml"))


@cache
def go(path: Path, seed: int = 0) -> run.Run:
    """A story that was told; each seed once, whatever is then looked for in it."""
    told = run.Run(scenario.load(str(path)), seed)
    told.go()
    return told
