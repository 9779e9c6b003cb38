"""The frame and the title block of a sheet: whose it is, what it shows, in what state it is drawn."""

from host_tools.wiring.plan import Plan
from host_tools.wiring.shapes import AREA_BOTTOM, BODY, BOLD, FRAME, HEAD, NORMAL, SMALL, Sheet

#: Where the drawing comes from.
#: file    name of the config
#: digest  the first 8 digits of its SHA-256
#: date    of the file, YYYY-MM-DD

_COLUMNS = (8.0, 78.0, 158.0, 238.0, 289.0)


def draw(plan: Plan, sheet: Sheet, place: int, of: int, source: tuple[str, str, str]) -> None:
    """Draw the frame around `sheet`, the `place`-th (from 1) of `of`."""
    x, y, wide, high = FRAME
    file, digest, date = source
    sheet.rect(x, y, wide, high, BOLD)
    top = AREA_BOTTOM + 1
    sheet.line(x, top, x + wide, top, BOLD)
    for column in _COLUMNS[1:-1]:
        sheet.line(column, top, column, y + high, NORMAL)
    controller = plan.config["controller"]
    rows = [top + 5, top + 10, top + 14.6]
    site = f"{controller['site']} / {controller['name']}"
    sheet.text(11, rows[0], plan.title(controller), BODY, True, most=64)
    sheet.text(11, rows[1], site, BODY, most=64)
    sheet.text(11, rows[2], "Doorward", SMALL)
    sheet.text(81, rows[0], plan.board(), BODY, True, most=74)
    sheet.text(81, rows[1], f"{file} · #{digest}", BODY, most=74)
    sheet.text(81, rows[2], plan.say("frame.date", date=date), SMALL, most=74)
    sheet.text(161, rows[0], sheet.title, BODY, True, most=74)
    sheet.text(161, rows[1], plan.say("frame.state"), SMALL, most=74)
    sheet.text(161, rows[2], plan.say("frame.low"), SMALL, most=74)
    sheet.text(263.5, rows[1], plan.say("frame.sheet", n=place, of=of), HEAD, True, "middle", 48)
