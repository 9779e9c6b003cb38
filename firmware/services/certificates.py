"""When the link's certificates end: read at the start and each day, told `WARN_DAYS` before.

Not valid yet, unreadable, or no certificate at all is for the link to say when it connects; here such a file
has no end. By the system's own clock: a controller that does not know the time does not know this either.
"""

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import x509

from firmware.runtime import aio

WARN_DAYS = 30
LOOK_MS = 86_400_000
LARGEST = 1_000_000  #: bytes of a file; a bundle of every public authority is a quarter of that

FILES = ("ca", "cert")  #: keys of the section [link] that name certificates


def first_end(link: dict[str, Any]) -> datetime.datetime | None:
    """When the first of the certificates that `link` (a checked section [link]) names ends; None: never.

    Of a file with several the first to end counts for our own chain; of authorities the last, because a
    bundle holds old ones beside their successors.
    """
    if not link["enabled"] or not link["tls"]:
        return None
    found = []
    for name in FILES:
        ends = _ends(link[name]) if link[name] is not None else []
        if ends:
            found.append(max(ends) if name == "ca" else min(ends))
    return min(found) if found else None


def expiring(link: dict[str, Any], utc_s: int) -> bool:
    """Whether one of them ends within `WARN_DAYS`, or has ended."""
    end = first_end(link)
    if end is None:
        return False
    return end.timestamp() - utc_s <= WARN_DAYS * 86_400


async def watch(
    link: dict[str, Any], now_s: Callable[[], int | None], told: Callable[[bool], None]
) -> None:
    """Look now and each day, for ever; `now_s` is None while nobody knows the time."""
    while True:
        utc_s = now_s()
        if utc_s is not None:
            told(expiring(link, utc_s))
        await aio.sleep_ms(LOOK_MS if utc_s is not None else LOOK_MS // 24)


def _ends(path: str) -> list[datetime.datetime]:
    """When the certificates of a PEM file end; none where it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(LARGEST)
        return [one.not_valid_after_utc for one in x509.load_pem_x509_certificates(data)]
    except (OSError, ValueError):
        return []
