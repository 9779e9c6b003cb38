"""The wires that leave the box, cable by cable: terminal, number, colour, screen, what they end at."""

from hal import board_wiring
from hal.board_wires import Wire
from host_tools.wiring import symbols
from host_tools.wiring.plan import Plan
from host_tools.wiring.shapes import BODY, HEAD, SMALL, THIN, Sheet

TOP, PITCH = 27.0, 5.6
BOTTOM = 176.0
TERMINAL, SCREEN, SCREEN_END, END = 96.0, 112.0, 190.0, 204.0
LOOP = END + 5  #: where a contact stands between its two wires

Group = tuple[str, list[Wire]]


def groups(plan: Plan) -> list[Group]:
    """The wires of each cable, in the order of the first of them; without a cable, those of each device."""
    found: dict[str, list[Wire]] = {}
    for wire in plan.wires:
        if not wire.inside:
            found.setdefault(wire.cable or f"?{wire.device}", []).append(wire)
    for wires in found.values():
        wires.sort(key=lambda wire: list(plan.config["devices"]).index(wire.device))
    return list(found.items())


def comes_from(wires: list[Wire]) -> str:
    """The reader that a cable comes from; empty: from the box."""
    return next((wire.start[1] for wire in wires if wire.start[0] == "device"), "")


def sheets(plan: Plan) -> list[Sheet]:
    """As many sheets as the cables need; a cable is never torn apart."""
    made: list[Sheet] = []
    y = BOTTOM
    for name, wires in groups(plan):
        need = len(wires) * PITCH + 12
        if not made or y + need > BOTTOM:
            sheet = Sheet(plan.say("sheet.field"), plan.say("desc.field"))
            sheet.text(12, 16, plan.say("field.title"), HEAD, True, most=210)
            sheet.text(12, 21.5, plan.say("field.note"), BODY)
            made.append(sheet)
            y = TOP + 3
        y = _cable(plan, made[-1], name, wires, y) + 8
    return made


def _cable(plan: Plan, sheet: Sheet, name: str, wires: list[Wire], y: float) -> float:
    cable = plan.config["cables"].get(name)
    head = plan.device(wires[0].device) if cable is None else plan.title(cable)
    x = 12 + sheet.text(12, y + 1, head, BODY, True, most=86)
    loads = [plan.load(device) for device in dict.fromkeys(wire.device for wire in wires)]
    if cable is None:
        text = " · ".join(one for one in (plan.say("cable.unstated"), *loads) if one)
        sheet.text(x + 4, y + 1, text, BODY, most=285 - x - 4)
    else:
        length = "? m" if cable["length_m"] is None else f"{cable['length_m']} m"
        area = "? mm²" if cable["area_mm2"] is None else f"{cable['area_mm2']} mm²"
        parts = [name, cable["kind"] or plan.say("unstated"), length, area]
        before = comes_from(wires)
        on = before and cable["screen"] == "controller"
        parts.append(plan.say("screen.before" if on else f"screen.{cable['screen']}"))
        if before:
            parts.insert(1, plan.say("field.from", device=plan.device(before)))
        parts += [one for one in loads if one]
        sheet.text(x + 4, y + 1, " · ".join(parts), BODY, most=285 - x - 4)
    sheet.line(12, y + 2.4, 285, y + 2.4, THIN)
    first = y + PITCH + 2.2
    for place, wire in enumerate(wires):
        _wire(plan, sheet, wire, first + place * PITCH)
    last = first + (len(wires) - 1) * PITCH
    if cable is not None and cable["screen"] != "none":
        _screen(sheet, "" if on else cable["screen"], first - 3.7, last + 1.4)
    for upper, lower in zip(wires, wires[1:], strict=False):
        if plan.is_loop(upper.device) and upper.device == lower.device:
            _loop(plan, sheet, upper.device, first + wires.index(upper) * PITCH)
        if (upper.role, lower.role) == ("a", "b") and upper.device == lower.device:
            _termination(plan, sheet, upper, first + wires.index(upper) * PITCH)
    return last


def _wire(plan: Plan, sheet: Sheet, wire: Wire, y: float) -> None:
    here, there = wire.start, wire.end
    if here[0] in ("panel", "button"):  # it comes back from there
        here, there = there, here
    start = plan.place(here)
    if wire.via and wire.via not in ("direct", "usb"):
        start = f"{start} · {plan.via(wire)}"
    sheet.text(TERMINAL - 3, y + 0.9, start, SMALL, align="right", most=80)
    symbols.terminal(sheet, TERMINAL, y)
    sheet.wire(wire.number, (TERMINAL + 0.9, y), (END - 0.9, y))
    symbols.terminal(sheet, END, y)
    sheet.text(SCREEN + 4, y - 0.9, wire.number, BODY, True, wire=wire.number)
    sheet.text(SCREEN + 22, y - 0.9, plan.colour(wire), SMALL, most=40)
    if there[0] != "device":
        sheet.text(END + 3, y + 0.9, plan.place(there), SMALL, most=76)
        return
    if plan.is_loop(wire.device):
        text = plan.rest(wire.device)
        if wire.role != "return":
            parts = (plan.device(wire.device), plan.resistors(wire.device))
            text = " · ".join(part for part in parts if part)
        sheet.text(LOOP + 4, y + 0.9, text, SMALL, most=285 - LOOP - 6)
        return
    sheet.text(END + 3, y + 0.9, plan.device(wire.device), SMALL, most=50)
    bus = wire.role == "-" and any(one.role == "a" for one in plan.of(wire.device))
    core = plan.say("core.reference") if bus else plan.core(there[2])
    sheet.text(END + 56, y + 0.9, core, SMALL, True, most=24)


def _screen(sheet: Sheet, end: str, top: float, bottom: float) -> None:
    """The screen around the cores, earthed at one end, or at none where it only goes on."""
    sheet.rect(SCREEN, top, SCREEN_END - SCREEN, bottom - top, THIN, dash="1.6 1.2")
    if not end:
        return
    x, side = (SCREEN, -1) if end == "controller" else (SCREEN_END, 1)
    sheet.line(x, bottom, x + side * 4, bottom)
    sheet.line(x + side * 4, bottom, x + side * 4, bottom + 0.9)
    symbols.earth(sheet, x + side * 4, bottom + 0.9)


def _loop(plan: Plan, sheet: Sheet, device: str, y: float) -> None:
    """A contact between its two wires, at rest; a supervised one with a resistor in series and one across."""
    for end in (y, y + PITCH):
        sheet.line(END + 0.9, end, LOOP, end)
    symbols.contact_across(sheet, LOOP, y, PITCH, board_wiring.closed_at_rest(plan.config, device))
    ohms = plan.loop(device)
    if ohms is None:
        return
    sheet.rect(SCREEN_END + 2, y - 0.9, 4, 1.8, fill="white")
    sheet.text(SCREEN_END + 4, y - 1.6, ohms[0], SMALL, align="middle")
    x = END - 4
    for end in (y, y + PITCH):
        sheet.dot(x, end)
    sheet.line(x, y, x, y + PITCH)
    sheet.rect(x - 0.9, y + 1.2, 1.8, PITCH - 2.4, fill="white")
    sheet.text(x - 1.8, y + 3.6, ohms[1], SMALL, align="right")


def _termination(plan: Plan, sheet: Sheet, wire: Wire, y: float) -> None:
    """120 ohm between A and B at both ends."""
    entry = plan.config["devices"][wire.device]
    bus = plan.config["devices"].get(entry.get("bus"), entry)
    if not bus.get("terminated", True):
        sheet.attention(TERMINAL + 4, y + PITCH - 0.6)
        return
    arms = [one for one in plan.wires if one.role == "a" and one.start == wire.start]
    ends = [(TERMINAL + 4, 1)] if wire.via == "rs485" and len(arms) == 1 else []
    same = [one for one in plan.wires if one.role == "a" and one.start[:2] == wire.end[:2]]
    ends += [] if same else [(END - 4, -1)]  # the bus goes on from here
    for x, side in ends:
        sheet.dot(x, y)
        sheet.dot(x, y + PITCH)
        sheet.line(x, y, x, y + PITCH)
        sheet.rect(x - 0.9, y + 1.2, 1.8, PITCH - 2.4, fill="white")
        sheet.text(x + side * 1.8, y + 3.6, "120 Ω", SMALL, align="left" if side > 0 else "right")
