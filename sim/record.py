"""`door-sim record`: what was done in a running simulator so far, as a scenario file."""

import json
import sys
import urllib.error
import urllib.request
from typing import Any

TIMEOUT_S = 10


def main(url: str, out: str | None, board: str) -> int:
    """Fetch the steps of the simulator at `url` and write them as TOML; 0 or 1."""
    try:
        with urllib.request.urlopen(url.rstrip("/") + "/api/story", timeout=TIMEOUT_S) as answer:
            story = json.load(answer)
    except (urllib.error.URLError, ValueError, OSError) as error:
        reason = getattr(error, "reason", error)
        print(f"{url}: {reason}; expected a running simulator (make demo)", file=sys.stderr)
        return 1
    text = scenario(story, board)
    if out is None:
        sys.stdout.write(text)
        return 0
    try:
        with open(out, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        print(f"{out}: {(error.strerror or '').lower()}; expected a file to write", file=sys.stderr)
        return 1
    print(f"{len(story['steps'])} steps written to {out}; try: door-sim run {out}")
    return 0


def scenario(story: dict[str, Any], board: str) -> str:
    """A scenario file with the steps of `story` (``start`` and ``steps``)."""
    lines = [
        "# Recorded from a running simulator; add [[expect]] tables for what must come of it.",
        f"board = {json.dumps(board)}",
        f"start = {json.dumps(story['start'])}",
    ]
    for step in story["steps"]:
        lines += ["", "[[step]]"]
        for key, value in step.items():
            lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"
