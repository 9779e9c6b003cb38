"""Sheet 1: what hangs where, outside, inside and in the control box, and which cable leads there."""

from typing import NamedTuple

from hal import board_loads, board_wiring
from host_tools.wiring import field, power
from host_tools.wiring import text as texts
from host_tools.wiring.plan import Plan
from host_tools.wiring.shapes import BODY, BOLD, HEAD, NORMAL, SMALL, THIN, Sheet

TOP, BOTTOM = 34.0, 174.0
OUTSIDE, INSIDE, BOX = 14.0, 92.0, 208.0  #: left edges of the three places
WIDE = 62.0  #: a group of devices
WALL = 84.0
RIGHT = 284.0
CABLES = 14  #: of a sheet
_HEAD, _LINE, _GAP = (
    6.4,
    4.0,
    3.0,
)  #: of a part of the control box: its name, a line, what is below it
_WHOLE = 12  #: a part of so many lines is never torn apart
_ROOM = BOTTOM - 2 - (TOP + 4)

_ROW = 3.7  #: a line of what hangs on a cable

Part = tuple[str, list[str]]  #: of the control box: its name, its lines


def sheets(plan: Plan) -> list[Sheet]:
    """The overview; long houses, and long boxes, need more than one."""
    cables, parts = _cables(plan), _contents(plan)
    pages = _pages(plan, parts, _ROOM)
    if len(pages) > 1:
        pages = _pages(plan, parts, _ROOM - _LINE - 1)  # the last line says where it goes on
    count = max(-(-len(cables) // CABLES), len(pages))
    made = []
    for place in range(count):
        sheet = _sheet(plan, cables[place * CABLES : (place + 1) * CABLES])
        again = [(plan.say("box.before", n=len(pages)), [])] if len(pages) > 1 else pages[0]
        _box(plan, sheet, pages[place] if place < len(pages) else again)
        if place + 1 < len(pages):
            sheet.text(BOX + 6, BOTTOM - 3, plan.say("box.goes_on", n=place + 2), SMALL, True)
        made.append(sheet)
    return made


class Cable(NamedTuple):
    """One cable."""

    name: str  #: of [cables]; of a device without one, a sign that there is none
    devices: list[str]  #: what hangs on it
    outside: bool  #: whether they hang outside
    before: str  #: the reader that it comes from; empty: from the box


def _cables(plan: Plan) -> list[Cable]:
    """Every cable, in the order of its first wire."""
    found = []
    for name, wires in field.groups(plan):
        own = [wire.device for wire in wires if wire.role != "feed"]  # a lock's feed only passes by
        devices = list(dict.fromkeys(own or [wire.device for wire in wires]))
        outside = any(board_wiring.outside(plan.config, device) for device in devices)
        found.append(Cable(name, devices, outside, field.comes_from(wires)))
    return found


def _sheet(plan: Plan, cables: list[Cable]) -> Sheet:
    sheet = Sheet(plan.say("sheet.overview"), plan.say("desc.overview"))
    sheet.text(
        12,
        16,
        plan.say("overview.title", site=plan.title(plan.config["controller"])),
        HEAD,
        True,
        most=210,
    )
    x, wrong = 12.0, list(dict.fromkeys(_wrong(plan)))
    while wrong and x < 200:
        sheet.attention(x, 22.1)
        x += 12 + sheet.text(x + 6, 21.5, wrong.pop(0), SMALL, True, most=278 - x)
    if wrong:
        sheet.text(RIGHT, 16, plan.say("warn.more", n=len(wrong)), SMALL, True, "right", 56)
    if x == 12:
        sheet.text(12, 21.5, plan.say("overview.note"), BODY)
    sheet.text(OUTSIDE, TOP - 4, plan.say("outside_place"), BODY, True)
    sheet.text(INSIDE, TOP - 4, plan.say("inside_place"), BODY, True)
    sheet.line(WALL, TOP - 8, WALL, BOTTOM, BOLD, "3 2")
    pitch = min(16.0, (BOTTOM - TOP) / max(1, len(cables)))
    middles: dict[str, tuple[float, bool]] = {}
    for place, cable in enumerate(cables):
        y = _group(plan, sheet, cable, TOP + place * pitch, min(pitch - 2.2, 11.5))
        if cable.before:
            _goes_on(plan, sheet, cable, middles.get(cable.before), y)
        middles.update(dict.fromkeys(cable.devices, (y, cable.outside)))
    return sheet


_WRONG = ("rex", "shared", "load", "fuse", "unfused", "bus", "usb")
_AT_LOCKS = ("shared", "fuse")  #: stands on a lock's own sheet


def _wrong(plan: Plan) -> list[str]:
    """What is wrong and has no other sheet to stand on, what matters most first."""
    told = []
    for sort in _WRONG:
        for one in plan.warnings:
            if one.sort == sort and not (sort in _AT_LOCKS and plan.portal_of_lock(one.where)):
                name = plan.supply(one.where) if sort == "load" else plan.device(one.where)
                told.append(plan.say(f"warn.{sort}", device=name))
    return told


def _group(plan: Plan, sheet: Sheet, one: Cable, y: float, high: float) -> float:
    """What hangs on a cable, and the cable to the box; the middle of it."""
    left = OUTSIDE if one.outside else INSIDE
    titles = list(dict.fromkeys(plan.device(device) for device in one.devices))
    cable = plan.config["cables"].get(one.name)
    named = ("、" if plan.lang == "zh" else ", ").join(titles)
    alone = cable is None or plan.title(cable) == one.name or len(titles) == 1
    fit = int(high / _ROW)
    rows = texts.wrap(named, SMALL, WIDE - 4, alone)
    titled = cable is not None and not alone and len(rows) < fit
    if cable is not None and titled:
        rows.insert(0, plan.title(cable))
    elif len(rows) > fit:
        rows[fit - 1 :] = [" ".join(rows[fit - 1 :])]
    middle, high = y + high / 2, 6.0 if len(rows) == 1 else high
    sheet.rect(left, middle - high / 2, WIDE, high)
    for place, text in enumerate(rows):
        base = middle + 0.9 + (place - (len(rows) - 1) / 2) * _ROW
        sheet.text(left + 2, base, text, SMALL, alone or (titled and place == 0), most=WIDE - 4)
    if not one.before:
        sheet.line(left + WIDE, middle, BOX, middle, NORMAL)
        most = BOX - INSIDE - WIDE - 6
        sheet.text(BOX - 3, middle - 1, _kind(plan, one), SMALL, align="right", most=most)
    return middle


def _kind(plan: Plan, one: Cable) -> str:
    cable = plan.config["cables"].get(one.name)
    if cable is None:
        return plan.say("cable.unstated")
    length = "? m" if cable["length_m"] is None else f"{cable['length_m']} m"
    return f"{cable['kind'] or plan.say('unstated')}, {length}"


def _goes_on(
    plan: Plan, sheet: Sheet, one: Cable, before: tuple[float, bool] | None, middle: float
) -> None:
    """A cable that comes from the reader before; from another sheet where that one stands there."""
    left = OUTSIDE if one.outside else INSIDE
    above, outside = before or (TOP - 7, one.outside)
    lane = (OUTSIDE if one.outside or outside else INSIDE) + WIDE + 3
    start = (OUTSIDE if outside else INSIDE) + (WIDE if outside or not one.outside else 0)
    if before is not None:
        above += 2
        sheet.line(start, above, lane, above, NORMAL)
    sheet.line(lane, above, lane, middle, NORMAL)
    sheet.line(lane, middle, left + (WIDE if one.outside or not outside else 0), middle, NORMAL)
    text = plan.say(
        "titled",
        portal=plan.say("field.from", device=plan.device(one.before)),
        what=_kind(plan, one),
    )
    x = INSIDE if one.outside else INSIDE + WIDE + 6
    sheet.text(x, middle + 0.9, text, SMALL, most=BOX - x - 3)


def _pages(plan: Plan, parts: list[Part], room: float) -> list[list[Part]]:
    """The control box's parts in as many pages as they need; a long one goes on on the next."""
    pages: list[list[Part]] = [[]]
    left = room
    for name, lines in parts:
        shown = name
        while _HEAD + _LINE * len(lines) > left:
            fit = int((left - _HEAD) / _LINE)
            if len(lines) > _WHOLE and fit > 3:
                pages[-1].append((shown, lines[:fit]))
                lines, shown = lines[fit:], plan.say("box.continued", what=name)
            pages.append([])
            left = room
        pages[-1].append((shown, lines))
        left -= _HEAD + _LINE * len(lines) + _GAP
    return pages


def _box(plan: Plan, sheet: Sheet, parts: list[Part]) -> None:
    """What is mounted in the control box: supplies, board, relays, what protects the pins."""
    sheet.rect(BOX, TOP - 8, RIGHT - BOX, BOTTOM - TOP + 8, BOLD)
    sheet.text(BOX + 4, TOP - 2.5, plan.say("box"), BODY, True)
    y = TOP + 4
    for title, lines in parts:
        high = _HEAD + _LINE * len(lines)
        sheet.rect(BOX + 4, y, RIGHT - BOX - 8, high, THIN)
        sheet.text(BOX + 6, y + 4, title, BODY, True, most=RIGHT - BOX - 12)
        for place, line in enumerate(lines):
            sheet.text(BOX + 6, y + 8.4 + _LINE * place, line, SMALL, most=RIGHT - BOX - 12)
        y += high + _GAP


def _contents(plan: Plan) -> list[Part]:
    config = plan.config
    found: list[Part] = []
    for name, supply in config["supplies"].items():
        lines = [f"{supply['volts']} V {supply['current'].upper()}"]
        if supply["max_ma"] is not None:
            lines[0] += f", {supply['max_ma'] / 1000:g} A"
        minutes = board_loads.battery_min(config, name)
        if minutes is not None:
            lines.append(plan.say("box.battery", mah=supply["battery_mah"], n=minutes))
        lines.append(power.supply_state(plan, name))
        found.append((plan.title(supply), lines))
    if not config["supplies"]:
        found.append((plan.say("supply.unstated"), [plan.say("box.own_supply")]))
    found.append((plan.board(), [plan.say("box.board")]))
    loads = [
        name for name, entry in config["devices"].items() if entry["driver"] in board_wiring.RELAYED
    ]
    named = sorted((int(board_wiring.relay_name(config, name)[1:]), name) for name in loads)
    relays = [f"K{number} {plan.device(name)}" for number, name in named]
    if relays:
        found.append((plan.say("box.relays"), relays))
    vias: dict[str, int] = {}
    for wire in plan.wires:
        if wire.claim is not None and wire.via not in ("", "direct", "usb", "resistors"):
            vias[wire.via] = vias.get(wire.via, 0) + 1
    if vias:
        lines = [
            plan.say("box.channels", what=plan.say(f"via.{via}"), n=count)
            for via, count in vias.items()
        ]
        found.append((plan.say("box.converters"), lines))
    inside = [name for name, entry in config["devices"].items() if entry.get("place") == "box"]
    if inside:
        found.append((plan.say("box.inputs"), [plan.device(name) for name in inside]))
    return found
