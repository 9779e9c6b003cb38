"""A board config as a drawing: every sheet in its order, framed, and the labels of its wires.

Pure: the same config, file name, digest and date give the same text.
"""

import csv
import io
from typing import Any

from host_tools.wiring import doors, field, frame, header, lists, overview, power, svg
from host_tools.wiring.plan import Plan
from host_tools.wiring.shapes import Sheet

Source = tuple[str, str, str]  #: the config's file name, 8 digits of its hash, its date


def sheets(plan: Plan, source: Source) -> list[Sheet]:
    """Overview, header and lines, supplies, a circuit a portal, cables, lists, tests; each in its frame."""
    parts = (overview, header, power, doors, field, lists)
    made = [sheet for part in parts for sheet in part.sheets(plan)]
    for place, sheet in enumerate(made, 1):
        frame.draw(plan, sheet, place, len(made), source)
    return made


def draw(
    config: dict[str, Any],
    words: dict[str, str],
    lang: str,
    source: Source,
    only: int | None = None,
) -> str:
    """The SVG of all sheets of `config` (from `hal.board.load`), or of sheet `only` (from 1).

    Raises IndexError where there is no such sheet.
    """
    plan = Plan(config, words, lang)
    made = sheets(plan, source)
    if only is not None:
        if not 1 <= only <= len(made):
            raise IndexError(f"sheet {only}: none of it; expected 1 to {len(made)}")
        made = [made[only - 1]]
    title = plan.say("file.title", site=plan.title(config["controller"]))
    return svg.document(made, title, lang)


def labels(config: dict[str, Any], words: dict[str, str], lang: str) -> str:
    """The ferrules' labels as CSV: two of each wire, one for each end, with where it goes."""
    plan = Plan(config, words, lang)
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(("label", "at", "other_end", "colour", "mm2"))
    for wire in plan.wires:
        ends = plan.place(wire.start), plan.place(wire.end)
        for here, there in (ends, ends[::-1]):
            rows.writerow((wire.number, here, there, plan.colour(wire), wire.area_mm2 or ""))
    return out.getvalue()
