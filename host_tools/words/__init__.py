"""The words that people read: one JSON file a language, shared by page, command line and console.

Keys are flat (``reason.no_right``); a value is a whole sentence or phrase with placeholders in
braces. A key that ends in ``.plain`` is said instead when a placeholder of its elder is not known, one
that ends in ``.one`` when the elder's ``{n}`` is 1.
"""

import json
from functools import lru_cache
from pathlib import Path

#: The languages that have a file here.
LANGUAGES = ("en", "zh")


@lru_cache(maxsize=len(LANGUAGES))
def _read(lang: str) -> dict[str, str]:
    text = Path(__file__).with_name(f"{lang}.json").read_text(encoding="utf-8")
    words: dict[str, str] = json.loads(text)
    return words


def load(lang: str) -> dict[str, str]:
    """Return all words of one language, as a fresh dict.

    lang  str  one of `LANGUAGES`

    Raises ValueError for a language that has no file.
    """
    if lang not in LANGUAGES:
        raise ValueError(
            f"language {lang!r}: no words file; expected one of {', '.join(LANGUAGES)}"
        )
    return dict(_read(lang))


def form(words: dict[str, str], key: str, n: object) -> str:
    """The key that is said of `n` things: `key`, or its form for one."""
    one = f"{key}.one"
    return one if str(n) == "1" and one in words else key
