# portable
"""What every implementation of `hal.ports.Lines` owes its callers, as checks that need only a `Rig`.

Portable, so that the same checks run on fakes, on MicroPython's pins and on a kernel's GPIO chip. A
check returns None, or in words why it does not apply to this rig.
"""

from hal.errors import DeviceUnavailableError, LineBusyError, LineUnknownError
from hal.ports import Edge, Lines, Ticks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hal.ports import DigitalInputs

BOTH = (False, True)


class Rig:
    """One implementation with the outside world at hand; fresh for each check.

    names        four lines that are free, resting where their pull takes them
    unknown      the name of a line that there is not; empty: every name exists
    most_inputs  how many lines one request may have
    polled       an edge is seen when somebody looks
    sampled      `shown` can only tell the level now, and a closed line's not at all
    buffer       how many edges of one request are kept; 0: this cannot be overrun
    """

    names: "tuple[str, ...]" = ("GPIO5", "GPIO6", "GPIO16", "GPIO17")
    unknown = "GPIO99"
    most_inputs = 2
    polled = False
    sampled = False
    buffer = 0
    lines: Lines
    ticks: Ticks

    def drive(self, name: str, high: bool) -> None:
        """The world pulls an input high or low."""
        raise NotImplementedError

    def level(self, name: str) -> bool:
        """Whether an output is high, as a meter shows it."""
        raise NotImplementedError

    def shown(self, name: str) -> "list[bool]":
        """Every level that an output has shown since it became one, oldest first."""
        raise NotImplementedError

    def settle(self) -> None:
        """Wait until what was driven has arrived. A fake has nothing to wait for."""

    def close(self) -> None:
        """Take it down."""
        self.lines.close()


def refused(kind: "Any", call: "Callable[[], object]", *words: str) -> str:
    """The text with which `call` was refused as a `kind`; it is one line and has `words`."""
    try:
        call()
    except kind as error:
        text = str(error)
        assert "\n" not in text, text
        assert "; expected " in text, text
        for word in words:
            assert word in text, text
        return text
    raise AssertionError("nothing was refused; expected %s" % kind.__name__)


def _edges(rig: Rig, inputs: "DigitalInputs", moves: "list[tuple[str, bool]]") -> "list[Edge]":
    """Every edge of `moves`; a rig that is polled is looked at after each."""
    edges: list[Edge] = []
    for name, high in moves:
        rig.drive(name, high)
        if rig.polled:
            edges = edges + inputs.take()
    rig.settle()
    return edges + inputs.take()


# ---- outputs ---------------------------------------------------------------------------------------


def check_an_output_starts_at_its_level_and_has_shown_no_other(rig: Rig) -> "str | None":
    names = iter(rig.names)
    for active_low in BOTH:
        for on in BOTH:
            name = next(names)
            output = rig.lines.output(name, active_low, on)
            assert output.name == name
            assert output.read() is on
            assert rig.shown(name) == [on != active_low], (active_low, on)
    return None


def check_an_output_drives_its_active_level(rig: Rig) -> "str | None":
    for name, active_low in ((rig.names[0], False), (rig.names[1], True)):
        output = rig.lines.output(name, active_low, False)
        for on in (True, True, False, True):
            output.write(on)
            assert output.read() is on
            assert rig.level(name) is (on != active_low)
    return None


def check_outputs_do_not_move_each_other(rig: Rig) -> "str | None":
    first = rig.lines.output(rig.names[0], False, False)
    second = rig.lines.output(rig.names[1], False, False)
    first.write(True)
    assert (rig.level(rig.names[0]), rig.level(rig.names[1])) == (True, False)
    second.write(True)
    first.write(False)
    assert (rig.level(rig.names[0]), rig.level(rig.names[1])) == (False, True)
    return None


def check_a_closed_output_has_gone_back_to_its_safe_level(rig: Rig) -> "str | None":
    for name, on in ((rig.names[0], False), (rig.names[1], True)):
        output = rig.lines.output(name, False, on)
        output.write(not on)
        output.close()
        assert rig.sampled or rig.shown(name)[:3] == [on, not on, on]
        assert output.read() is on
    return None


def check_a_closed_output_is_nobodys(rig: Rig) -> "str | None":
    name = rig.names[0]
    output = rig.lines.output(name, True, False)
    output.close()
    output.close()
    refused(DeviceUnavailableError, lambda: output.write(True), name)
    again = rig.lines.output(name, False, False)
    output.close()
    again.write(True)
    assert rig.level(name) is True
    return None


# ---- claims ----------------------------------------------------------------------------------------


def check_a_line_is_claimed_once(rig: Rig) -> "str | None":
    name, other = rig.names[0], rig.names[2]
    output = rig.lines.output(name, False, False)
    inputs = rig.lines.inputs([other], True, "up")
    refused(LineBusyError, lambda: rig.lines.output(name, False, True), name)
    refused(LineBusyError, lambda: rig.lines.inputs([name], False, "up"), name)
    refused(LineBusyError, lambda: rig.lines.output(other, False, True), other)
    refused(LineBusyError, lambda: rig.lines.inputs([other], False, "up"), other)
    assert rig.shown(name) == [False]
    output.write(True)
    assert rig.level(name) is True
    assert _edges(rig, inputs, [(other, False)])[0].level is True
    return None


def check_a_claim_stays_though_nobody_holds_it(rig: Rig) -> "str | None":
    rig.lines.output(rig.names[0], False, True)
    rig.lines.inputs([rig.names[2]], True, "up")
    refused(LineBusyError, lambda: rig.lines.output(rig.names[0], False, False), rig.names[0])
    refused(LineBusyError, lambda: rig.lines.output(rig.names[2], False, False), rig.names[2])
    assert rig.level(rig.names[0]) is True
    return None


def check_closing_the_board_lets_every_line_go(rig: Rig) -> "str | None":
    output = rig.lines.output(rig.names[0], False, True)
    output.write(False)
    inputs = rig.lines.inputs(list(rig.names[2 : 2 + rig.most_inputs]), True, "up")
    rig.lines.close()
    rig.lines.close()
    assert rig.sampled or rig.shown(rig.names[0])[:3] == [True, False, True]
    refused(DeviceUnavailableError, lambda: output.write(False))
    refused(DeviceUnavailableError, inputs.take)
    rig.lines.output(rig.names[2], False, False)
    rig.lines.inputs([rig.names[0]], True, "up")
    return None


def check_a_line_that_there_is_not_is_refused(rig: Rig) -> "str | None":
    if not rig.unknown:
        return "every name exists here"
    refused(LineUnknownError, lambda: rig.lines.output(rig.unknown, False, False), rig.unknown)
    refused(LineUnknownError, lambda: rig.lines.inputs([rig.unknown], False, "up"), rig.unknown)
    return None


def check_a_refused_request_holds_no_line(rig: Rig) -> "str | None":
    if rig.most_inputs < 2:
        return "one line a request here"
    busy, free = rig.names[0], rig.names[2]
    rig.lines.output(busy, False, False)
    refused(LineBusyError, lambda: rig.lines.inputs([free, busy], True, "up"))
    if rig.unknown:
        refused(LineUnknownError, lambda: rig.lines.inputs([free, rig.unknown], True, "up"))
    refused(LineBusyError, lambda: rig.lines.inputs([free, free], True, "up"), free)
    inputs = rig.lines.inputs([free], True, "up")
    assert inputs.names == (free,)
    return None


# ---- inputs ----------------------------------------------------------------------------------------


def check_levels_are_logical(rig: Rig) -> "str | None":
    for name, active_low in ((rig.names[2], False), (rig.names[3], True)):
        rig.drive(name, True)
        inputs = rig.lines.inputs([name], active_low, "up")
        assert inputs.levels() == [not active_low]
        rig.drive(name, False)
        rig.settle()
        assert inputs.levels() == [active_low]
        edge = inputs.take()[-1]
        assert (edge.line, edge.level) == (0, active_low)
    return None


def check_nothing_has_happened_before_something_does(rig: Rig) -> "str | None":
    inputs = rig.lines.inputs([rig.names[2]], True, "up")
    assert inputs.take() == []
    assert inputs.lost() == 0
    _edges(rig, inputs, [(rig.names[2], False)])
    assert inputs.take() == []
    return None


def check_edges_of_one_request_keep_their_order_and_time(rig: Rig) -> "str | None":
    names = list(rig.names[2 : 2 + rig.most_inputs])
    inputs = rig.lines.inputs(names, True, "up")
    assert inputs.names == tuple(names)
    last = len(names) - 1
    moves = [(names[0], False), (names[0], True), (names[last], False), (names[0], False)]
    moves += [(names[last], True), (names[0], True)]
    if last == 0:
        moves = moves[:2] + moves[3:4] + moves[5:]
    before_ms = rig.ticks.ticks_ms()
    edges = _edges(rig, inputs, moves)
    after_ms = rig.ticks.ticks_ms()
    assert [(names[edge.line], not edge.level) for edge in edges] == moves
    times = [before_ms] + [edge.at_ms for edge in edges] + [after_ms]
    assert times == sorted(times), times
    assert inputs.lost() == 0
    return None


def check_two_requests_share_no_edge(rig: Rig) -> "str | None":
    first = rig.lines.inputs([rig.names[2]], True, "up")
    second = rig.lines.inputs([rig.names[3]], True, "up")
    assert len(_edges(rig, first, [(rig.names[2], False)])) == 1
    assert second.take() == []
    assert second.levels() == [False]
    return None


def check_who_waits_is_told(rig: Rig) -> "str | None":
    """By a descriptor, by a call, or not at all: then the loop polls."""
    inputs = rig.lines.inputs([rig.names[2]], True, "up")
    called: list[bool] = []
    inputs.ready = lambda: called.append(True)
    descriptor = inputs.fileno()
    if descriptor >= 0:
        assert not _readable(descriptor)
    rig.drive(rig.names[2], False)
    rig.settle()
    if descriptor >= 0:
        assert _readable(descriptor)
    elif not called:
        assert len(inputs.take()) == 1
        return None
    assert len(inputs.take()) == 1
    assert descriptor < 0 or not _readable(descriptor)
    return None


def check_what_is_dropped_is_counted(rig: Rig) -> "str | None":
    if not rig.buffer:
        return "nothing can be dropped here"
    name = rig.names[2]
    inputs = rig.lines.inputs([name], True, "up")
    many = 4 * rig.buffer  # an even number: the line rests again
    for at in range(many):
        rig.drive(name, at % 2 == 1)
    rig.settle()
    edges = inputs.take()
    lost = inputs.lost()
    assert 0 < len(edges) < many
    rig.drive(name, False)
    rig.settle()
    assert [edge.level for edge in inputs.take()] == [True]
    assert len(edges) + lost + inputs.lost() == many
    assert inputs.lost() == 0
    return None


def check_closed_inputs_are_nobodys(rig: Rig) -> "str | None":
    names = list(rig.names[2 : 2 + rig.most_inputs])
    inputs = rig.lines.inputs(names, True, "up")
    inputs.close()
    inputs.close()
    refused(DeviceUnavailableError, inputs.levels)
    refused(DeviceUnavailableError, inputs.take)
    again = rig.lines.inputs(names, True, "up")
    inputs.close()
    assert len(_edges(rig, again, [(names[0], False)])) == 1
    return None


# ---- ticks -----------------------------------------------------------------------------------------


def check_ticks_go_forward(rig: Rig) -> "str | None":
    period_ms = rig.ticks.period_ms
    assert period_ms == 0 or period_ms > 86_400_000
    last_ms = rig.ticks.ticks_ms()
    for _ in range(100):
        now_ms = rig.ticks.ticks_ms()
        assert isinstance(now_ms, int)
        assert now_ms >= 0
        assert period_ms == 0 or now_ms < period_ms
        behind_ms = (now_ms - last_ms) % period_ms if period_ms else now_ms - last_ms
        assert 0 <= behind_ms < 60_000
        last_ms = now_ms
    return None


CHECKS = (
    check_an_output_starts_at_its_level_and_has_shown_no_other,
    check_an_output_drives_its_active_level,
    check_outputs_do_not_move_each_other,
    check_a_closed_output_has_gone_back_to_its_safe_level,
    check_a_closed_output_is_nobodys,
    check_a_line_is_claimed_once,
    check_a_claim_stays_though_nobody_holds_it,
    check_closing_the_board_lets_every_line_go,
    check_a_line_that_there_is_not_is_refused,
    check_a_refused_request_holds_no_line,
    check_levels_are_logical,
    check_nothing_has_happened_before_something_does,
    check_edges_of_one_request_keep_their_order_and_time,
    check_two_requests_share_no_edge,
    check_who_waits_is_told,
    check_what_is_dropped_is_counted,
    check_closed_inputs_are_nobodys,
    check_ticks_go_forward,
)


def run_all(make: "Callable[[], Rig]", not_here: "tuple[str, ...]" = ()) -> None:
    """Run every check, each on a fresh rig. `not_here`: those that are known not to apply."""
    skipped = []
    for check in CHECKS:
        rig = make()
        try:
            reason = check(rig)
        except Exception:
            print("failed: %s" % check.__name__)
            raise
        finally:
            rig.close()
        if reason is not None:
            skipped.append(check.__name__)
    assert tuple(skipped) == not_here, skipped


def _readable(descriptor: int) -> bool:
    import select

    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
