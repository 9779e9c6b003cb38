"""Sheet 2: the 40-pin header, each used pin in its own row to a numbered wire and its terminal."""

from hal import board_facts
from hal.board_wires import Wire
from host_tools.wiring import symbols
from host_tools.wiring import text as texts
from host_tools.wiring.plan import Plan
from host_tools.wiring.shapes import AREA_BOTTOM, BODY, HEAD, SMALL, THIN, Sheet

TOP, PITCH = 32.0, 6.5  #: the first row's wire, and from row to row
ODD, EVEN = 144.5, 152.5  #: the two columns of pins
RADIUS = 2.5
LABEL, BOX, TERMINAL, TEXT = 19.5, 29.0, 47.0, 49.5  #: from a pin's edge outwards
NAME = 15.5  #: room for the name of a line that is no pin
WIDE = 78.0  #: room for the text at a row's end
PER_SHEET = 42  #: rows of a sheet of other lines, in two columns
BESIDE = 2  #: so many other lines find room below the header


def sheets(plan: Plan) -> list[Sheet]:
    """The header, if the board has one, and what is no pin."""
    pins: dict[int, Wire] = {}
    others: list[Wire] = []
    for wire in plan.wires:
        if wire.start[0] == "pin":
            pins[int(wire.start[2])] = wire
        elif wire.claim is not None:
            others.append(wire)
    made = []
    if plan.config["board"] != "sim":
        beside = others if len(others) <= BESIDE else []
        others = [] if beside else others
        made.append(_header(plan, pins, beside))
    for first in range(0, len(others), PER_SHEET):
        made.append(_others(plan, others[first : first + PER_SHEET]))
    return made


def _header(plan: Plan, pins: dict[int, Wire], beside: list[Wire]) -> Sheet:
    sheet = Sheet(plan.say("sheet.header"), plan.say("desc.header", board=plan.board()))
    sheet.text(12, 16, plan.say("header.title", board=plan.board()), HEAD, True, most=210)
    sheet.text(12, 21.5, plan.say(f"header.view.{_view(plan)}"), BODY)
    bottom = TOP + 19 * PITCH
    sheet.rect(ODD - 5, TOP - 6, EVEN - ODD + 10, bottom - TOP + 11, 0.5)
    _outline(plan, sheet)
    held = {wire: plan.say("header.eeprom") for wire in board_facts.ID_EEPROM}
    board = board_facts.BOARDS[plan.config["board"]]
    ports = [wire.claim.line for wire in plan.wires if wire.claim is not None]
    if any(port in board.uart_ports for port in ports):
        held["GPIO14"] = plan.say("header.uart")
    names = dict(board_facts.POWER)
    names.update({pin: f"GPIO{gpio}" for gpio, pin in board_facts.HEADER.items()})
    for pin in range(1, 41):
        y = TOP + (pin - 1) // 2 * PITCH
        _pin(plan, sheet, pin, names[pin], y, pins.get(pin), held.get(names[pin], ""))
    y = bottom + 10
    for key in ("used", "crossed", "free"):
        sheet.text(
            12 + {"used": 0, "crossed": 80, "free": 170}[key] + 8, y, plan.say(f"key.{key}"), SMALL
        )
    sheet.circle(15, y - 0.9, 1.8, 0.3, "black")
    _cross(sheet, 95, y - 0.9, 1.0)
    sheet.circle(185, y - 0.9, 1.8, THIN)
    _notes(plan, sheet, y + 5.2)
    for place, wire in enumerate(beside):
        x = 12.0 if place == 0 else 152.0
        _other(plan, sheet, wire, x, AREA_BOTTOM - 5, _shift(plan, beside))
    return sheet


def _outline(plan: Plan, sheet: Sheet) -> None:
    """The board as it lies: where the header is on it, pin 1, and what tells its ends apart."""
    view = _view(plan)
    left, top, wide, high = {"usb": (266, 11, 14, 21), "zero": (269, 11, 8, 19)}.get(
        view, (264, 11, 16, 19)
    )
    sheet.rect(left, top, wide, high, 0.4)
    strip = left + wide - 3.2
    sheet.rect(strip, top + 1.4, 2, 13, THIN)
    sheet.rect(strip + 0.2, top + 1.6, 0.8, 0.8, THIN, "black")
    if view == "usb":
        for place in range(3):
            sheet.rect(left + 1 + place * 4.2, top + high - 3.4, 3.4, 4.2, THIN, "white")
    elif view == "zero":
        sheet.rect(left + 1.2, top - 0.6, 3.2, 3, THIN, "white")
    sheet.text(left - 2.5, top + 9.9, plan.say("header.here"), SMALL, align="right")
    sheet.line(left - 1.8, top + 9, strip - 0.3, top + 2.8, THIN)


def _view(plan: Plan) -> str:
    kind = plan.config["board"]
    return "carrier" if kind.startswith("cm") else ("zero" if "zero" in kind else "usb")


def _pin(
    plan: Plan, sheet: Sheet, pin: int, name: str, y: float, wire: Wire | None, held: str
) -> None:
    side = -1 if pin % 2 else 1
    x = ODD if pin % 2 else EVEN
    used = wire is not None
    if pin == 1:
        sheet.rect(
            x - RADIUS, y - RADIUS, 2 * RADIUS, 2 * RADIUS, THIN, "black" if used else "none"
        )
    else:
        sheet.circle(x, y, RADIUS, THIN, "black" if used else "none")
    sheet.text(x, y + 0.9, str(pin), SMALL, used, "middle", ink="white" if used else "black")
    edge = x + side * RADIUS
    align = "left" if side > 0 else "right"
    if wire is None:
        label = f"{name} · {held}" if held else name
        sheet.text(edge + side * 4, y + 0.9, label, SMALL, align=align)
        if held:
            _cross_beside(sheet, edge + side * 1.4, y)
        return
    sheet.text(edge + side * 4, y - 0.9, name, SMALL, align=align)
    row(plan, sheet, wire, edge, y, side)


def _cross(sheet: Sheet, x: float, y: float, r: float) -> None:
    sheet.line(x - r, y - r, x + r, y + r)
    sheet.line(x - r, y + r, x + r, y - r)


def _cross_beside(sheet: Sheet, x: float, y: float) -> None:
    _cross(sheet, x, y, 1.0)


def row(
    plan: Plan, sheet: Sheet, wire: Wire, x: float, y: float, side: int, wide: float = WIDE
) -> None:
    """One line from `x` outwards: wire, what stands between, terminal, and what it is for."""

    def at(distance: float) -> float:
        return x + side * distance

    align = "left" if side > 0 else "right"
    label = plan.via(wire) if wire.via and wire.via != "direct" else ""
    claim = f"{wire.claim.device}.{wire.claim.role}" if wire.claim is not None else ""
    sheet.text(at(LABEL), y - 0.9, wire.number, BODY, True, "middle", wire=wire.number, claim=claim)
    if label:
        left = min(at(BOX), at(BOX + 16))
        sheet.wire(wire.number, (at(0), y), (at(BOX), y))
        sheet.rect(left, y - 2.2, 16, 4.4)
        sheet.text(left + 8, y + 0.9, label, SMALL, align="middle", most=15)
        sheet.wire(wire.number, (at(BOX + 16), y), (at(TERMINAL - 0.9), y))
    else:
        sheet.wire(wire.number, (at(0), y), (at(TERMINAL - 0.9), y))
    if wire.device and plan.warned(wire.device, "volts", "loop"):
        sheet.attention(min(at(BOX - 5.2), at(BOX - 0.8)), y - 0.6)
    symbols.terminal(sheet, at(TERMINAL), y)
    sheet.text(at(TEXT), y - 0.3, _target(plan, wire), BODY, True, align, wide)
    more = plan.behaviour(wire) if wire.claim is not None else plan.say(f"does.{wire.role}")
    sheet.text(at(TEXT), y + 2.7, more, SMALL, False, align, wide)


def _target(plan: Plan, wire: Wire) -> str:
    found = plan.place(wire.end)
    if wire.end[0] == "relays" and wire.device:
        found = f"{found} → {wire.end[1]} {plan.device(wire.device)}"
    return f"{found} · {plan.colour(wire)}" if wire.colour else found


def _notes(plan: Plan, sheet: Sheet, y: float) -> None:
    """What is wrong on the wires, or that a pin bears 3.3 V and no more."""
    wrong = [one for one in plan.warnings if one.sort in ("volts", "loop")]
    if not wrong:
        sheet.text(12, y, plan.say("header.levels"), SMALL)
        return
    x = 12.0
    for place, one in enumerate(wrong):
        numbers = " ".join(wire.number for wire in plan.of(one.where) if wire.claim is not None)
        text = plan.say(f"warn.{one.sort}", wire=numbers, device=plan.device(one.where))
        if x + texts.width(text, SMALL) > 246:
            sheet.text(x, y, plan.say("warn.more", n=len(wrong) - place), SMALL, most=286 - x)
            return
        sheet.attention(x, y + 0.6)
        x += sheet.text(x + 6, y, text, SMALL) + 12


def _others(plan: Plan, wires: list[Wire]) -> Sheet:
    """Lines that are no pins of the header: ports, analog inputs, the simulator's lines."""
    sheet = Sheet(plan.say("sheet.lines"), plan.say("desc.lines"))
    sheet.text(12, 16, plan.say("lines.title", board=plan.board()), HEAD, True, most=210)
    sheet.text(12, 21.5, plan.say("lines.note"), BODY)
    for place, wire in enumerate(wires):
        left = place % 2 == 0
        y = TOP + place // 2 * PITCH
        _other(plan, sheet, wire, 12.0 if left else 152.0, y, _shift(plan, wires))
    return sheet


def _other(plan: Plan, sheet: Sheet, wire: Wire, x: float, y: float, shift: float) -> None:
    name = wire.start[1].rpartition("/")[2]
    sheet.text(x, y - 0.9, name, SMALL, most=NAME + shift)
    sheet.wire(wire.number, (x, y), (x + shift, y))
    row(plan, sheet, wire, x + shift, y, 1, 132 - TEXT - shift)


def _shift(plan: Plan, wires: list[Wire]) -> float:
    """How much further out the rows begin: for the longest name, if what stands at their ends allows."""
    names = [texts.width(wire.start[1].rpartition("/")[2], SMALL) for wire in wires]
    ends = [texts.width(plan.behaviour(wire), SMALL) for wire in wires]
    ends += [texts.width(_target(plan, wire), BODY, True) for wire in wires]
    return max(0.0, min(max(names, default=0.0) - NAME, 132 - TEXT - max(ends, default=0.0)))
