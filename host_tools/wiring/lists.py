"""The last sheets: every wire with boxes to tick, the tests in the order of the self-test, signatures."""

from hal import board_tests
from host_tools.wiring.plan import Plan
from host_tools.wiring.shapes import BODY, HEAD, NORMAL, SMALL, THIN, Sheet

TOP, PITCH = 26.0, 5.0
WIRES = 29  #: of a sheet
TESTS = 25
_WIRE_COLUMNS = (12.0, 24.0, 96.0, 174.0, 196.0, 210.0, 222.0, 237.0, 252.0, 285.0)
_TEST_COLUMNS = (12.0, 22.0, 196.0, 214.0, 250.0, 285.0)
SIGN_TOP = 160.0


def sheets(plan: Plan) -> list[Sheet]:
    """Cable list, then tests, then where people sign, on the last of them."""
    made = []
    for first in range(0, len(plan.wires), WIRES):
        made.append(_wires(plan, first))
    tests = board_tests.tests(plan.config)
    for first in range(0, len(tests), TESTS):
        made.append(_tests(plan, tests, first))
    _signatures(plan, made[-1])
    return made


def _table(
    sheet: Sheet, columns: tuple[float, ...], rows: list[tuple[str, ...]], boxes: tuple[int, ...]
) -> None:
    """A table whose first row is its head; `boxes`: columns with a box to tick."""
    y: float = TOP
    for number, row in enumerate(rows):
        sheet.line(columns[0], y, columns[-1], y, NORMAL if number < 2 else THIN)
        for column, cell in enumerate(row):
            room = columns[column + 1] - columns[column] - 2.4
            bold = number == 0 or column == 0
            sheet.text(columns[column] + 1.2, y + 3.6, cell, SMALL, bold, most=room)
        for column in boxes if number else ():
            middle = (columns[column] + columns[column + 1]) / 2
            sheet.rect(middle - 1.5, y + 1, 3, 3, THIN)
        y += PITCH
    sheet.line(columns[0], y, columns[-1], y)
    for x in columns:
        sheet.line(x, TOP, x, y, THIN)


def _wires(plan: Plan, first: int) -> Sheet:
    sheet = Sheet(plan.say("sheet.wires"), plan.say("desc.wires"))
    sheet.text(12, 16, plan.say("wires.title"), HEAD, True, most=210)
    sheet.text(12, 21.5, plan.say("wires.note"), BODY)
    keys = ("wire", "from", "to", "colour", "area", "length", "fitted", "tested", "value")
    rows = [tuple(plan.say(f"column.{key}") for key in keys)]
    for wire in plan.wires[first : first + WIRES]:
        area = "" if wire.area_mm2 is None else f"{wire.area_mm2}"
        length = "" if wire.length_m is None else f"{wire.length_m} m"
        start = plan.place(wire.start)
        if wire.via and wire.via != "direct":
            start = f"{start} · {plan.via(wire)}"
        end = plan.place(wire.end)
        if wire.via == "resistors":
            end = f"{end} · {plan.resistors(wire.device)}"
        rows.append((wire.number, start, end, plan.colour(wire), area, length, "", "", ""))
    _table(sheet, _WIRE_COLUMNS, rows, (6, 7))
    return sheet


def _tests(plan: Plan, tests: list[board_tests.Test], first: int) -> Sheet:
    sheet = Sheet(plan.say("sheet.tests"), plan.say("desc.tests"))
    sheet.text(12, 16, plan.say("tests.title"), HEAD, True, most=210)
    sheet.text(12, 21.5, plan.say("tests.note"), BODY)
    rows: list[tuple[str, ...]] = [
        ("", *(plan.say(f"column.{key}") for key in ("step", "done", "value", "remark")))
    ]
    for number, test in enumerate(tests[first : first + TESTS], first + 1):
        rows.append((str(number), board_tests.sentence(plan.config, test, plan.lang), "", "", ""))
    _table(sheet, _TEST_COLUMNS, rows, (2,))
    return sheet


def _signatures(plan: Plan, sheet: Sheet) -> None:
    """Who wired, who tested, who takes over."""
    for place, key in enumerate(("wired", "tested", "handed")):
        x = 12 + place * 92
        sheet.text(x, SIGN_TOP + 3, plan.say(f"sign.{key}"), BODY, True)
        for row, field in enumerate(("name", "date")):
            y = SIGN_TOP + 10 + row * 9
            sheet.text(x, y, plan.say(f"sign.{field}"), SMALL)
            sheet.line(x + 30, y + 0.8, x + 84, y + 0.8, THIN)
