"""One sheet a portal: the lock's own circuit from its supply, what it does in every situation, figures."""

from hal import board_fuses, board_loads, board_wires, board_wiring
from hal.board_wires import Wire
from host_tools.wiring import power, symbols
from host_tools.wiring.plan import Config, Plan
from host_tools.wiring.shapes import BODY, HEAD, NORMAL, SMALL, THIN, Sheet

PLUS, MINUS = 46.0, 90.0  #: the two wires of the circuit
SUPPLY_EDGE = 36.0
DOOR, QUENCH, LOAD = 183.0, 222.0, 244.0  #: the wall, what quenches, the lock
HOUSING = 14.5  #: half of what stands elsewhere
#: Where each part of the circuit stands, and half of its width.
_AT = {
    "fuse": (50.0, symbols.HALF),
    "panel": (78.0, HOUSING),
    "join": (103.0, 0.9),
    "button": (128.0, HOUSING),
    "relay": (163.0, symbols.HALF),
}
BELOW = 18.0  #: from a contact to its second pole, or to its coil


def sheets(plan: Plan) -> list[Sheet]:
    """One for each portal."""
    return [_sheet(plan, portal, entry) for portal, entry in plan.config["portals"].items()]


def _sheet(plan: Plan, portal: str, entry: Config) -> Sheet:
    title, lock = plan.title(entry), entry["lock"]
    sheet = Sheet(plan.say("sheet.lock", portal=title), plan.say("desc.lock", portal=title))
    magnet = board_wiring.is_magnet(plan.config, lock)
    safe = plan.config["devices"][lock]["fail_mode"] == "fail_safe"
    kind = "magnet" if magnet else ("strike_safe" if safe else "strike")
    sheet.text(
        12,
        16,
        plan.say("titled", portal=title, what=plan.say(kind)),
        HEAD,
        True,
        most=210,
    )
    leave = board_wiring.exit_device(entry)
    shut = "" if leave in ("handle", "panic_bar") else "_shut"
    drawn = "drawn.magnet" if safe else f"drawn.strike{shut}"
    relay = board_wiring.relay_name(plan.config, lock)
    sheet.text(12, 21.5, plan.say(drawn, relay=relay), BODY)
    _Circuit(plan, sheet, portal, lock).draw()
    _states(plan, sheet, portal, relay, magnet)
    _figures(plan, sheet, lock)
    _notes(plan, sheet, portal, lock, kind)
    return sheet


class _Circuit:
    def __init__(self, plan: Plan, sheet: Sheet, portal: str, lock: str) -> None:
        self.plan, self.sheet, self.portal, self.lock = plan, sheet, portal, lock
        self.entry = plan.config["devices"][lock]
        own = [wire for wire in plan.of(lock) if wire.claim is None]
        self.feeds, self.plus, self.minus = own[:-2], own[-2], own[-1]

    def draw(self) -> None:
        """From the supply's plus through every contact to the lock, and back."""
        plan, sheet = self.plan, self.sheet
        self._supply()
        at, edge = SUPPLY_EDGE, SUPPLY_EDGE
        for wire in self.feeds:
            x, half = _AT[wire.end[0]]
            sheet.wire(wire.number, (at, PLUS), (x - min(half, symbols.HALF), PLUS))
            middle = (edge + x - half) / 2
            sheet.text(middle, PLUS - 1.6, wire.number, BODY, True, "middle", wire=wire.number)
            getattr(self, f"_{wire.end[0]}")(x, wire)
            at, edge = x + min(half, symbols.HALF), x + half
        sheet.line(DOOR, PLUS - 20, DOOR, MINUS + 6, THIN, "2 1.5")
        sheet.text(DOOR - 2, PLUS - 17, plan.say("in_box"), SMALL, align="right")
        sheet.text(DOOR + 2, PLUS - 17, plan.say("at_door"), SMALL)
        for wire, y, start in ((self.plus, PLUS, at), (self.minus, MINUS, SUPPLY_EDGE)):
            sheet.wire(wire.number, (start, y), (DOOR - 0.9, y))
            sheet.wire(wire.number, (DOOR + 0.9, y), (LOAD, y))
            symbols.terminal(sheet, DOOR, y)
            sheet.text(DOOR + 4, y - 1.2, wire.number, BODY, True, wire=wire.number)
            sheet.text(DOOR + 14, y - 1.2, plan.colour(wire), SMALL, most=28)
        sheet.text(DOOR + 4, PLUS + 4.2, self._cable(), SMALL, most=33)
        self._load()

    def _supply(self) -> None:
        plan, sheet = self.plan, self.sheet
        name = board_wiring.supply_name(plan.config, self.lock)
        sheet.rect(12, PLUS - 6, SUPPLY_EDGE - 12, MINUS - PLUS + 12)
        y = sheet.lines(14, PLUS + 4, plan.supply(name), 20, BODY, True, 4)
        y = sheet.lines(14, y + 1, plan.volts(self.lock), 20, BODY)
        shared = plan.warned(self.lock, "shared")
        own = plan.say("shared_supply" if shared else "own_supply")
        y = sheet.lines(14, y + 1, own, 21, SMALL, shared)
        sheet.lines(14, y + 1, power.supply_state(plan, name), 21, SMALL, True)
        direct = board_wiring.supply(plan.config, self.lock).get("current") != "ac"
        sheet.text(SUPPLY_EDGE - 2, PLUS + 1, "+" if direct else "~", BODY, True, "right")
        sheet.text(SUPPLY_EDGE - 2, MINUS + 1, "−" if direct else "~", BODY, True, "right")

    def _name(self, x: float, name: str, what: str) -> None:
        self.sheet.text(x, PLUS - 10.5, name, BODY, True, "middle", 27)
        self.sheet.text(x, PLUS - 7, what, SMALL, False, "middle", 27)

    def _fuse(self, x: float, wire: Wire) -> None:
        symbols.fuse(self.sheet, x, PLUS)
        self._name(x, wire.end[1], self.plan.fuse(self.lock))

    def _panel(self, x: float, wire: Wire) -> None:
        plan = self.plan
        symbols.normally_closed(self.sheet, x, PLUS)
        self._elsewhere(x, plan.say("in_panel"))
        self._name(x, plan.say("fire_panel"), "NC")
        points = plan.config["alarms"]["points"].values()
        loop = next((point["input"] for point in points if point["class"] == "fire"), None)
        self._second(x, loop, "second.fire", closed=True)

    def _button(self, x: float, wire: Wire) -> None:
        plan, entry = self.plan, self.plan.config["portals"][self.portal]
        symbols.normally_closed(self.sheet, x, PLUS)
        symbols.button(self.sheet, x, PLUS)
        self._elsewhere(x, plan.say("at_exit"))
        kind = plan.say(f"exit.{board_wiring.exit_device(entry)}")
        self._name(x, f"{wire.end[1]} {kind}", plan.say("pole1", s=entry["egress_ms"] // 1000))
        self._second(x, entry["rex"], "second.button", closed=False)

    def _elsewhere(self, x: float, where: str) -> None:
        """What is no part of the control box: its outline, its terminals, where it is."""
        left, right, top = x - HOUSING, x + HOUSING, PLUS - 14
        self.sheet.rect(left, top, 2 * HOUSING, BELOW + 30, THIN, dash="2 1.5")
        for edge in (left, right):
            symbols.terminal(self.sheet, edge, PLUS)
        self.sheet.text(x, PLUS + BELOW + 13.8, where, SMALL, True, "middle", 2 * HOUSING - 2)

    def _join(self, x: float, wire: Wire) -> None:
        symbols.terminal(self.sheet, x, PLUS)
        self.sheet.text(x, PLUS + 4.4, self.plan.place(wire.end), SMALL, align="middle", most=20)

    def _second(self, x: float, device: str | None, key: str, closed: bool) -> None:
        """The contact that only tells the controller."""
        if device is None:
            return
        plan, sheet = self.plan, self.sheet
        wire = next(one for one in plan.of(device) if one.claim is not None)
        sheet.line(x, PLUS + 0.9, x, PLUS + BELOW - 3.4, THIN, "0.8 0.6")
        symbol = symbols.normally_closed if closed else symbols.normally_open
        symbol(sheet, x, PLUS + BELOW)
        sheet.text(x, PLUS + BELOW + 5, plan.say(key, wire=wire.number), SMALL, False, "middle", 27)
        sheet.text(x, PLUS + BELOW + 8.6, plan.say("record_only"), SMALL, False, "middle", 31)

    def _relay(self, x: float, wire: Wire) -> None:
        plan, sheet = self.plan, self.sheet
        normally_open = self.entry["relay_contact"] == "no"
        (symbols.normally_open if normally_open else symbols.normally_closed)(sheet, x, PLUS)
        self._name(x, wire.end[1], f"COM–{wire.end[2] if not normally_open else 'NO'}")
        sheet.line(x, PLUS + 0.9, x, PLUS + BELOW - 3.2, THIN, "0.8 0.6")
        symbols.coil(sheet, x, PLUS + BELOW)
        claim = next(one for one in plan.of(self.lock) if one.claim is not None)
        text = plan.say("coil.from", point=claim.end[2], wire=claim.number)
        sheet.text(x, PLUS + BELOW + 6.6, text, SMALL, False, "middle", 31)
        sheet.text(
            x,
            PLUS + BELOW + 10.2,
            plan.place(claim.start),
            SMALL,
            False,
            "middle",
            31,
        )
        coils = plan.config["relay_board"]["coil_supply"]
        feed = (
            plan.say("coil.board")
            if coils is None
            else plan.say("coil.own", supply=plan.supply(coils))
        )
        sheet.text(x, PLUS + BELOW + 13.8, feed, SMALL, False, "middle", 33)

    def _load(self) -> None:
        plan, sheet = self.plan, self.sheet
        symbols.winding(sheet, LOAD, PLUS, MINUS)
        middle = (PLUS + MINUS) / 2
        y = sheet.lines(LOAD + 8, middle - 5, plan.device(self.lock), 31, BODY, True, 4)
        draw = self.entry["draw_ma"]
        amps = "? mA" if draw is None else f"{draw} mA"
        sheet.lines(LOAD + 8, y + 0.6, f"{plan.volts(self.lock)}, {amps}", 31, BODY)
        quench = board_wiring.suppression(plan.config, self.lock)
        if quench in ("diode", "varistor"):
            for y in (PLUS, MINUS):
                sheet.dot(QUENCH, y)
            sheet.wire("quench", (QUENCH, PLUS), (QUENCH, middle - 3.2))
            sheet.wire("quench", (QUENCH, middle + 3.2), (QUENCH, MINUS))
            if quench == "diode":
                sheet.line(QUENCH, middle - 3.2, QUENCH, middle + 3.2)
                symbols.diode_up(sheet, QUENCH, middle)
            else:
                symbols.varistor(sheet, QUENCH, middle)
        name = board_fuses.fuse_name(plan.config, self.lock)[1:]
        y = middle - 3
        for key in ("1", "2", "3"):
            words = plan.say(f"quench.{quench}.{key}", n=name)
            if words:
                sheet.text(QUENCH - 5, y, words, SMALL, key == "1", "right", 38)
            y += 3.8

    def _cable(self) -> str:
        cable = board_wiring.cable(self.plan.config, self.lock)
        if not cable:
            return self.plan.say("cable.unstated")
        kind = cable["kind"] or self.plan.say("unstated")
        length = "? m" if cable["length_m"] is None else f"{cable['length_m']} m"
        return f"{kind}, {length}"


_TABLE_TOP, _ROW = 106.0, 5.6
_TABLE_MOST = 51.5  #: all of its rows
_COLUMNS = (12.0, 78.0, 96.0, 116.0, 140.0, 192.0)


def _states(plan: Plan, sheet: Sheet, portal: str, relay: str, magnet: bool) -> None:
    """The state table."""
    heads = (
        plan.say("states.situation"),
        plan.say("states.coil", relay=relay),
        plan.say("states.magnet" if magnet else "states.strike"),
        plan.say("states.outside"),
        plan.say("states.inside"),
    )
    rows = [
        (
            plan.say(f"situation.{state.situation}"),
            plan.say(f"coil.{state.coil}"),
            plan.lock(state.lock),
            plan.say(f"outside.{state.outside}"),
            plan.say(f"inside.{state.inside}"),
        )
        for state in plan.states(portal)
    ]
    y: float = _TABLE_TOP
    high = min(_ROW, _TABLE_MOST / (len(rows) + 1))
    for number, row in enumerate([heads, *rows]):
        for column, cell in enumerate(row):
            room = _COLUMNS[column + 1] - _COLUMNS[column] - 2.4
            sheet.text(
                _COLUMNS[column] + 1.2,
                y + 3.8,
                cell,
                SMALL if number else BODY,
                number == 0,
                most=room,
            )
        sheet.line(_COLUMNS[0], y, _COLUMNS[-1], y, NORMAL if number < 2 else THIN)
        y += high
    sheet.line(_COLUMNS[0], y, _COLUMNS[-1], y, NORMAL)
    for x in _COLUMNS:
        sheet.line(x, _TABLE_TOP, x, y, THIN)


def _figures(plan: Plan, sheet: Sheet, lock: str) -> None:
    """What the load draws, its fuse, its battery, and what its cable loses."""
    config, entry = plan.config, plan.config["devices"][lock]
    cable, name = board_wiring.cable(config, lock), board_wiring.supply_name(config, lock)
    unknown = plan.say("unstated")

    def figure(value: object, unit: str) -> str:
        return unknown if value is None else f"{value} {unit}"

    fuse = board_wiring.fuse_ma(config, lock)
    suggested = entry["fuse_ma"] is None and fuse is not None
    fused = unknown if fuse is None else plan.fuse(lock)
    battery = board_loads.battery_of(config, name)
    minutes = board_loads.battery_min(config, battery)
    lasts = unknown if minutes is None else plan.say("figure.minutes", n=minutes)
    if minutes is not None and battery != name:
        lasts = plan.say("titled", portal=plan.supply(battery), what=lasts)
    rows = [
        (plan.say("figure.supply"), plan.supply(name)),
        (plan.say("figure.load"), f"{plan.volts(lock)}, {figure(entry['draw_ma'], 'mA')}"),
        (plan.say("figure.fuse"), f"{fused} ({plan.say('suggested')})" if suggested else fused),
        (plan.say("figure.battery"), lasts),
        (
            plan.say("figure.cable"),
            f"{figure(cable.get('length_m'), 'm')}, {figure(cable.get('area_mm2'), 'mm²')}",
        ),
        (plan.say("figure.drop"), _drop(plan, lock)),
    ]
    y = _TABLE_TOP + 3.8
    sheet.text(199, y, plan.say("figure.title"), BODY, True)
    for label, value in rows:
        y += _ROW
        sheet.text(199, y, label, SMALL, most=24)
        sheet.text(224, y, value, SMALL, most=58)
        sheet.line(199, y + 1.6, 285, y + 1.6, THIN)
    if plan.warned(lock, "drop"):
        sheet.attention(193.6, y + 0.6)


def _drop(plan: Plan, lock: str) -> str:
    """What all the cables of a lock lose, or those of them that are stated."""
    lost, whole = board_wiring.drop(plan.config, lock)
    volts = board_wiring.supply(plan.config, lock).get("volts")
    if not (whole or lost):
        return plan.say("unstated")
    if volts is None:
        return f"{lost:.2f} V" if whole else f"> {lost:.2f} V"
    return plan.say(
        "figure.arrives" if whole else "figure.arrives_most",
        lost=f"{lost:.2f}",
        percent=f"{lost * 100 / volts:.1f}",
        left=f"{max(volts - lost, 0):.1f}",
    )


def _notes(plan: Plan, sheet: Sheet, portal: str, lock: str, kind: str) -> None:
    """Why it is wired so, and what is wrong with it."""
    exit_device = board_wiring.exit_device(plan.config["portals"][portal])
    notes = [plan.say(f"note.{kind}.no")]
    if kind == "magnet":
        notes.append(plan.say("note.magnet.diode"))
    else:
        notes.append(plan.say(f"note.{kind}.leave", device=plan.say(f"exit.{exit_device}")))
    ways = "cut" if board_wires.cuts(plan.config, portal) else ""
    ways += "_fire" if board_wiring.fire_cuts(plan.config, lock) else ""
    if ways:
        notes.append(plan.say(f"note.magnet.{ways.lstrip('_')}"))
    if kind != "magnet" and board_wiring.suppression(plan.config, lock) == "diode":
        notes.append(plan.say("note.strike.diode"))
    y: float = 161
    for note in notes:
        sheet.text(12, y, note, BODY, most=138)
        y += 4.6 if len(notes) < 4 else 4.2
    for key in ("1", "2"):
        sheet.text(12, y, plan.say(f"abbreviations.{key}"), SMALL, most=138)
        y += 3.8
    y = 161
    for where, sort in (
        (portal, "exit"),
        *((lock, one) for one in ("shared", "fire", "quench", "maker", "drop", "fuse")),
    ):
        if plan.warned(where, sort):
            sheet.attention(156, y + 0.6)
            text = plan.say(f"warn.{sort}.{'magnet' if kind == 'magnet' else 'strike'}")
            sheet.text(162, y, text, BODY, True, most=124)
            y += 5
