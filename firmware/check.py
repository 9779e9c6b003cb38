"""What `doorward --check` tells of a config that is right: its lines as wired, and the rules that it sets."""

from collections.abc import Sequence
from typing import Any

import hal.board


def report(config: dict[str, Any]) -> list[str]:
    """The lines and rules of `config` (from `hal.board.load`) as tables, in lines of text."""
    claims = hal.board.claims(config)
    rows = [("device", "role", "line", "direction", "active", "pull or safe level")]
    for claim in claims:
        level = claim.pull or claim.safe
        line = str(claim.line)
        rows.append((claim.device, claim.role, line, claim.direction, claim.active, level))
    told = _table(rows)
    for table in hal.board.tables(config):
        told += ["", *_table(table)]
    doors, readers = len(config["portals"]), len(config["access_points"])
    counts = ((doors, "portal"), (readers, "access point"), (len(claims), "line"))
    counted = ", ".join(f"{count} {what}{'' if count == 1 else 's'}" for count, what in counts)
    return [*told, "", f"{config['board']}: {counted}; right"]


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
