"""What stays in the box: the one 0 V and the 3.3 V with all that hangs on them, and each supply's feeds."""

from hal import board_feeds
from hal.board_wires import Place, Wire
from host_tools.wiring import symbols
from host_tools.wiring.plan import Plan
from host_tools.wiring.shapes import BODY, BOLD, HEAD, SMALL, Sheet

TOP, BOTTOM, PITCH = 33.0, 178.0, 5.9
BAR = 148.5  #: the terminal that wires meet at
LEFT, RIGHT = 111.0, 186.0  #: the far ends of the wires that meet there
_BARS = (board_feeds.COMMON, board_feeds.LOGIC, board_feeds.FIVE)
_COLUMNS = (12.0, 152.0)
_START, _END = 58.0, 82.0  #: the ends of a wire that meets no other, from its column
_WIDE = 52.0  #: and the room for what stands there


def sheets(plan: Plan) -> list[Sheet]:
    """As many as the wires need."""
    return _Pages(plan).made


def supply_state(plan: Plan, name: str) -> str:
    """Whether a supply's minus is on 0 V common, or that it is kept apart on purpose."""
    entry = plan.config["supplies"].get(name)
    if entry is not None and entry["current"] == "ac":
        return plan.say("supply.ac")
    return plan.say("supply.joined" if name in board_feeds.joined(plan.config) else "supply.apart")


def _inside(plan: Plan) -> list[Wire]:
    """The wires that stay in the box and stand on no other sheet, but for those from pins to a terminal."""
    header = plan.config["board"] != "sim"
    return [
        wire
        for wire in plan.wires
        if wire.claim is None
        and wire.inside
        and not plan.portal_of_lock(wire.device)
        and (not header or wire.start[0] != "pin" or wire.end in _BARS)
    ]


class _Pages:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.made: list[Sheet] = []
        self._new()
        wires = _inside(plan)
        for bar in _BARS:
            here = [wire for wire in wires if bar in (wire.start, wire.end)]
            self._bar(bar, here)
            wires = [wire for wire in wires if wire not in here]
        self._single(wires)
        self._y += PITCH / 2
        for name in plan.config["supplies"] or ("",):
            sheet = self._room(1)
            told = plan.say("titled", portal=plan.supply(name), what=supply_state(plan, name))
            sheet.text(12, self._y, told, BODY, True, most=270)
            self._y += PITCH

    def _new(self) -> None:
        plan = self.plan
        sheet = Sheet(plan.say("sheet.power"), plan.say("desc.power"))
        sheet.text(12, 16, plan.say("power.title"), HEAD, True, most=210)
        sheet.text(12, 21.5, plan.say("power.note"), BODY)
        self.made.append(sheet)
        self._y = TOP

    def _room(self, rows: int) -> Sheet:
        """The sheet that takes so many more rows: a new one if the last is full."""
        if self._y + (rows - 1) * PITCH > BOTTOM:
            self._new()
        return self.made[-1]

    def _bar(self, bar: Place, wires: list[Wire]) -> None:
        """The wires that meet at one terminal: from the left what it is joined to, to the right the rest."""
        left = [wire for wire in wires if wire.end == bar]
        right = [wire for wire in wires if wire.start == bar]
        while left or right:
            self._room(3)
            fit = int((BOTTOM - self._y) / PITCH) + 1
            self._piece(bar, left[:fit], right[:fit])
            left, right = left[fit:], right[fit:]

    def _piece(self, bar: Place, left: list[Wire], right: list[Wire]) -> None:
        plan, sheet, first = self.plan, self.made[-1], self._y
        sheet.text(BAR, first - 4, plan.place(bar), BODY, True, "middle")
        for wires, edge, align in ((left, LEFT, "right"), (right, RIGHT, "left")):
            side = -1 if edge < BAR else 1
            for row, wire in enumerate(wires):
                y = first + row * PITCH
                there = wire.start if wire.end == bar else wire.end
                sheet.text(edge + side * 3, y + 0.9, plan.place(there), SMALL, False, align, 94)
                symbols.terminal(sheet, edge, y)
                sheet.wire(wire.number, (edge - side * 0.9, y), (BAR, y))
                sheet.dot(BAR, y)
                self._number(wire, (edge + BAR) / 2, y)
        last = first + (max(len(left), len(right)) - 1) * PITCH
        sheet.line(BAR, first - 2, BAR, last + 2, BOLD)
        self._y = last + 2 * PITCH

    def _single(self, wires: list[Wire]) -> None:
        """Wires that lead from one place to another, in two columns."""
        plan = self.plan
        for place, wire in enumerate(wires):
            x = _COLUMNS[place % 2]
            sheet = self._room(1) if place % 2 == 0 else self.made[-1]
            y = self._y
            sheet.text(
                x + _START - 6, y + 0.9, plan.place(wire.start), SMALL, False, "right", _WIDE
            )
            symbols.terminal(sheet, x + _START - 3, y)
            sheet.wire(wire.number, (x + _START - 2.1, y), (x + _END - 0.9, y))
            symbols.terminal(sheet, x + _END, y)
            self._number(wire, x + (_START + _END - 3) / 2, y)
            sheet.text(x + _END + 3, y + 0.9, plan.place(wire.end), SMALL, most=_WIDE - 3)
            if place % 2 == 1 or place + 1 == len(wires):
                self._y += PITCH

    def _number(self, wire: Wire, middle: float, y: float) -> None:
        """A wire's number and colour, on either side of its middle."""
        sheet = self.made[-1]
        sheet.text(middle - 3, y - 1, wire.number, BODY, True, "right", wire=wire.number)
        sheet.text(middle - 1, y - 1, self.plan.colour(wire), SMALL, most=13)
