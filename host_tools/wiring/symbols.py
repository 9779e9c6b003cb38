"""Symbols after IEC 60617, drawn without power: NO open, NC closed. Each is centred on `x`, `y`.

Contacts lie in a wire that runs from left to right; they are 10 mm long and break it. What they are called
stands above them, what they do below: the caller's.
"""

from host_tools.wiring.shapes import BOLD, NORMAL, THIN, Sheet

HALF = 5.0  #: half of a symbol's length along its wire


def normally_open(sheet: Sheet, x: float, y: float) -> None:
    """A make contact: the blade stands off (07-02-01)."""
    sheet.line(x - HALF, y, x - 3, y)
    sheet.line(x - 3, y, x + 2.6, y - 2.8, BOLD)
    sheet.line(x + 3, y, x + HALF, y)


def normally_closed(sheet: Sheet, x: float, y: float) -> None:
    """A break contact: the blade lies on a stop (07-02-03)."""
    sheet.line(x - HALF, y, x - 3, y)
    sheet.line(x - 3, y, x + 3.4, y - 2.0, BOLD)
    sheet.line(x + 2.8, y - 2.6, x + 2.8, y)
    sheet.line(x + 2.8, y, x + HALF, y)


def contact_across(sheet: Sheet, x: float, y: float, high: float, closed: bool) -> None:
    """A contact between an upper wire and a lower one, closed or open at rest (07-02-01, 07-02-03)."""
    sheet.line(x, y, x, y + 1.5)
    sheet.line(x, y + high - 1.5, x, y + high)
    if closed:
        sheet.line(x, y + 1.5, x + 1.5, y + 1.5)
        sheet.line(x, y + high - 1.5, x + 1.1, y + 1.1, BOLD)
    else:
        sheet.line(x, y + high - 1.5, x - 1.5, y + 1.6, BOLD)


def button(sheet: Sheet, x: float, y: float) -> None:
    """The actuator of a push button above a contact at `x`, `y` (07-07-02)."""
    sheet.line(x, y - 1.4, x, y - 5.4, THIN, "0.8 0.6")
    sheet.line(x - 1.6, y - 5.4, x + 1.6, y - 5.4)
    sheet.line(x - 1.6, y - 5.4, x - 1.6, y - 4.6)
    sheet.line(x + 1.6, y - 5.4, x + 1.6, y - 4.6)


def fuse(sheet: Sheet, x: float, y: float) -> None:
    """A fuse: the wire runs through the box (07-21-01)."""
    sheet.rect(x - 4, y - 1.4, 8, 2.8)
    sheet.line(x - HALF, y, x + HALF, y)


def coil(sheet: Sheet, x: float, y: float) -> None:
    """The coil of a relay, in a wire from left to right (07-15-01)."""
    sheet.rect(x - 2.2, y - 3.2, 4.4, 6.4)
    sheet.line(x - HALF, y, x - 2.2, y)
    sheet.line(x + 2.2, y, x + HALF, y)


def terminal(sheet: Sheet, x: float, y: float) -> None:
    """A terminal (03-02-02)."""
    sheet.circle(x, y, 0.9, NORMAL, "white")


def diode_up(sheet: Sheet, x: float, y: float) -> None:
    """A diode in a wire from bottom to top, its band at the top (05-03-01)."""
    sheet.polygon(((x - 2, y + 1.8), (x + 2, y + 1.8), (x, y - 1.8)), NORMAL, "white")
    sheet.line(x - 2, y - 1.8, x + 2, y - 1.8, BOLD)


def varistor(sheet: Sheet, x: float, y: float) -> None:
    """A varistor in an upright wire (04-01-04)."""
    sheet.rect(x - 1.3, y - 3.2, 2.6, 6.4, NORMAL, "white")
    sheet.line(x - 2.6, y + 2.6, x + 2.6, y - 2.6)
    sheet.line(x - 4.2, y + 2.6, x - 2.6, y + 2.6)


def earth(sheet: Sheet, x: float, y: float) -> None:
    """Protective earth, its wire from above (02-15-01)."""
    for step, half in enumerate((2.0, 1.3, 0.6)):
        sheet.line(x - half, y + step * 0.7, x + half, y + step * 0.7)


def winding(sheet: Sheet, x: float, top: float, bottom: float, width: float = 12) -> None:
    """A load between an upper and a lower wire: a box that both enter (07-15-01)."""
    middle = (top + bottom) / 2
    sheet.line(x, top, x, middle - 7)
    sheet.rect(x - width / 2, middle - 7, width, 14, BOLD)
    sheet.line(x, middle + 7, x, bottom)
