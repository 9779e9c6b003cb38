"""`python -m bench [NAME...]`: from the end of a card's frame to the lock line, and more; ``all`` of it.

``keys`` (a million of them), ``osdp`` and ``soak`` take half a minute, ``reconnect`` (brokers that are
killed) five: they are measured only when they are named, or by ``all``.
"""

import sys

from bench import backlog, decision, door_day, idle, keys, latency, osdp, reconnect, soak

USUAL = {
    "latency": latency,
    "decision": decision,
    "door_day": door_day,
    "idle": idle,
    "backlog": backlog,
}
ALL = {**USUAL, "keys": keys, "osdp": osdp, "reconnect": reconnect, "soak": soak}


def main(names: list[str]) -> int:
    """Print the tables of `names`; exit code 2 for a name that is none."""
    wrong = [name for name in names if name not in ALL and name != "all"]
    if wrong:
        print(
            f"bench: {wrong[0]}: no such table; expected {', '.join(ALL)} or all", file=sys.stderr
        )
        return 2
    parts = ALL if "all" in names else names or USUAL
    for name in parts:
        ALL[name].table(sys.stdout)
        print()
    return 0


sys.exit(main(sys.argv[1:]))
