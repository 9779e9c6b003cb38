# portable
"""`firmware.runtime.outbox`: what leaves, in which order, and what an outage does to it."""

from firmware.runtime import aio, outbox, ports
from firmware.runtime.ranges import RANGES_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = "doorward/s/c"


class FakeJournal(ports.Journal):
    """Events in a list. Answers at once, or when `answer` is called; notes what left likewise."""

    def __init__(self) -> None:
        self.unsent: list[tuple[int, str, bool]] = []
        self.asked: list[Callable[[], None]] = []
        self.questions = 0
        self.told: list[list[int]] = []
        self.at_once = True
        self.notes = True
        self.readable = True
        self.handed: set[int] = set()
        self.with_broker: list[tuple[int, str]] = []
        self.end = 0
        self.all: list[tuple[int, str]] = []
        self.oldest = 1

    def write(self, first: int, last: int, alarms: "tuple[int, ...]" = ()) -> None:
        """Events `first` to `last`; those of `alarms` are alarms."""
        for seq in range(first, last + 1):
            self.unsent.append((seq, "event %d" % seq, seq in alarms))
            self.all.append((seq, "event %d" % seq))

    def onward(
        self, limit: int, begin: bool, done: "Callable[[list[tuple[int, str]]], None]"
    ) -> None:
        self.questions += 1
        self.asked.append(lambda: done(self._first(limit, begin)))
        if self.at_once:
            self.answer()

    def again(
        self, limit: int, begin: bool, done: "Callable[[list[tuple[int, str]]], None]"
    ) -> None:
        if begin:
            self.end = max([seq for seq, _ in self.with_broker], default=0)
        found = [event for event in sorted(self.with_broker) if event[0] <= self.end]
        done(found[:limit])

    def between(
        self,
        from_seq: int,
        to_seq: int,
        limit: int,
        done: "Callable[[list[tuple[int, str]]], None]",
    ) -> None:
        first = max(from_seq, self.oldest)
        there = self.all if self.readable else []
        done([event for event in there if first <= event[0] <= to_seq][:limit])

    def taken(self, seqs: "list[int]") -> None:
        left = set(seqs)
        self.with_broker += [(seq, body) for seq, body, _ in self.unsent if seq in left]
        self.unsent = [event for event in self.unsent if event[0] not in left]

    def store(self, upto: int) -> None:
        """The host says that it has everything up to there."""
        self.with_broker = [event for event in self.with_broker if event[0] > upto]
        self.unsent = [event for event in self.unsent if event[0] > upto]
        assert self.on_stored is not None
        self.on_stored()

    def held(self) -> int:
        return len(self.with_broker)

    def count(self) -> int:
        return len(self.all)

    def first(self) -> int:
        return self.oldest

    def answer(self) -> None:
        """Answer what was asked first."""
        self.asked.pop(0)()

    def sent(self, seqs: "list[int]") -> None:
        self.told.append(seqs)
        if self.notes:
            self.note()

    def note(self) -> None:
        """Note everything that was told to have left."""
        left = {seq for seqs in self.told for seq in seqs}
        self.with_broker = [event for event in self.with_broker if event[0] not in left]
        self.unsent = [event for event in self.unsent if event[0] not in left]

    def waiting(self) -> int:
        return len(self.unsent) + len(self.with_broker)

    def _first(self, limit: int, begin: bool) -> "list[tuple[int, str]]":
        if not self.readable:
            return []
        if begin:  # what is told to have left and is not noted is not handed out
            self.handed = {seq for seqs in self.told for seq in seqs}
        events = sorted(
            (not alarm, seq, body) for seq, body, alarm in self.unsent if seq not in self.handed
        )
        found = [(seq, body) for _, seq, body in events[:limit]]
        self.handed.update([seq for seq, _ in found])
        return found


class FakeTransport(ports.Transport):
    """Remembers what was sent; `take` acknowledges the oldest."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, str, str, bool]] = []
        self.untaken: list[int] = []
        self.breaks_after = -1

    def set_up(self, up: bool) -> None:
        """The broker comes or goes."""
        self.untaken = []
        assert self.on_up is not None
        self.on_up(up)

    def take(self, count: int = 1) -> None:
        """The broker takes the oldest messages."""
        assert self.on_taken is not None
        for _ in range(count):
            self.on_taken(self.untaken.pop(0))

    def take_all(self) -> None:
        """The broker takes what there is, until nothing more comes."""
        while self.untaken:
            self.take()

    def send(self, token: int, topic: str, payload: str, retain: bool) -> None:
        if self.breaks_after == len(self.sent):
            self.breaks_after = -1
            self.set_up(False)
            return
        self.sent.append((token, topic, payload, retain))
        self.untaken.append(token)

    def seqs(self) -> "list[int]":
        """Events that were sent, in order."""
        bodies = [body for _, topic, body, _ in self.sent if topic == ROOT + "/event"]
        return [int(body[6:]) for body in bodies]

    def conditions(self) -> "list[tuple[str, str]]":
        """Retained topics that were sent, in order."""
        return [(topic, payload) for _, topic, payload, retain in self.sent if retain]


class Rig:
    """An outbox between the two."""

    def __init__(self, host_ack: bool = False) -> None:
        self.clock = aio.VirtualClock()
        self.loop = aio.Loop(self.clock, aio.JumpWaiter(self.clock))
        self.journal = FakeJournal()
        self.transport = FakeTransport()
        self.outbox = outbox.Outbox(self.journal, self.transport, self.loop, ROOT, host_ack)

    def pass_ms(self, ms: int) -> None:
        """Let the loop run."""
        self.loop.run(aio.sleep_ms(ms))

    def bodies(self, start: int) -> "list[str]":
        """The events among what was sent from `start` on, as they were sent."""
        sent = self.transport.sent[start:]
        return [payload for _, topic, payload, _ in sent if topic == ROOT + "/event"]

    def take_all(self) -> None:
        """Until nothing moves: everything is taken and noted."""
        while self.transport.untaken:
            self.transport.take_all()
            self.pass_ms(0)


def test_nothing_is_sent_before_the_broker_is_there() -> None:
    rig = Rig()
    rig.journal.write(1, 3)
    rig.outbox.wake()
    rig.outbox.retain("status", "on")
    assert rig.transport.sent == []
    assert not rig.outbox.up
    rig.transport.set_up(True)
    assert rig.outbox.up
    assert rig.transport.conditions() == [(ROOT + "/status", "on")]
    assert rig.transport.seqs() == [1, 2, 3]


def test_an_event_carries_its_seq_and_is_not_retained() -> None:
    rig = Rig()
    rig.transport.set_up(True)
    rig.journal.write(7, 7)
    rig.outbox.wake()
    assert rig.transport.sent == [(7, ROOT + "/event", "event 7", False)]


def test_no_more_than_a_window_is_on_its_way() -> None:
    rig = Rig()
    rig.journal.write(1, 1000)
    rig.transport.set_up(True)
    assert rig.transport.seqs() == list(range(1, outbox.WINDOW + 1))
    rig.take_all()
    assert rig.transport.seqs() == list(range(1, 1001))
    assert rig.journal.waiting() == 0


def test_events_that_are_taken_together_are_noted_together() -> None:
    rig = Rig()
    rig.journal.write(1, 5)
    rig.transport.set_up(True)
    rig.transport.take(3)
    assert rig.journal.told == []
    rig.pass_ms(0)
    rig.transport.take(2)
    rig.pass_ms(0)
    assert rig.journal.told == [[1, 2, 3], [4, 5]]


def test_alarms_come_first_in_a_backlog() -> None:
    rig = Rig()
    rig.journal.write(1, 60, (44, 59))
    rig.transport.set_up(True)
    rig.take_all()
    others = [seq for seq in range(1, 61) if seq not in (44, 59)]
    assert rig.transport.seqs() == [44, 59] + others


def test_an_alarm_that_comes_later_overtakes_what_has_not_been_sent() -> None:
    rig = Rig()
    window = outbox.WINDOW
    rig.journal.write(1, window + 30)
    rig.transport.set_up(True)
    rig.journal.write(window + 31, window + 31, (window + 31,))
    rig.outbox.wake()
    rig.take_all()
    expected = list(range(1, window + 1)) + [window + 31] + list(range(window + 1, window + 31))
    assert rig.transport.seqs() == expected


def test_after_a_reconnect_it_begins_again_from_what_was_not_taken() -> None:
    rig = Rig()
    rig.journal.write(1, 6)
    rig.transport.set_up(True)
    rig.transport.take(2)
    rig.transport.set_up(False)
    assert not rig.outbox.up
    rig.pass_ms(0)
    rig.journal.write(7, 7)
    rig.outbox.wake()
    assert rig.transport.seqs() == [1, 2, 3, 4, 5, 6]
    rig.transport.set_up(True)
    assert rig.transport.seqs() == [1, 2, 3, 4, 5, 6, 3, 4, 5, 6, 7]
    rig.take_all()
    assert rig.journal.waiting() == 0


def test_a_connection_that_is_replaced_unheard_is_a_new_one() -> None:
    rig = Rig()
    rig.journal.write(1, 2)
    rig.transport.set_up(True)
    rig.transport.set_up(True)
    assert rig.transport.seqs() == [1, 2, 1, 2]


def test_an_answer_that_comes_after_the_link_went_down_sends_nothing() -> None:
    rig = Rig()
    rig.journal.at_once = False
    rig.journal.write(1, 2)
    rig.transport.set_up(True)
    rig.transport.set_up(False)
    rig.journal.answer()
    assert rig.transport.sent == []
    rig.transport.set_up(True)
    rig.journal.answer()
    assert rig.transport.seqs() == [1, 2]


def test_an_answer_to_a_question_of_an_earlier_connection_is_asked_again() -> None:
    rig = Rig()
    rig.journal.at_once = False
    rig.journal.write(1, 2)
    rig.transport.set_up(True)
    rig.transport.set_up(False)
    rig.transport.set_up(True)
    assert len(rig.journal.asked) == 1
    rig.journal.answer()
    assert rig.transport.seqs() == []
    rig.journal.answer()
    assert rig.transport.seqs() == [1, 2]
    assert rig.journal.asked == []


def test_what_is_written_while_the_journal_answers_is_not_forgotten() -> None:
    rig = Rig()
    rig.journal.at_once = False
    rig.transport.set_up(True)
    rig.outbox.wake()
    asked = rig.journal.asked.pop(0)
    asked()
    rig.journal.write(1, 1)
    rig.journal.answer()
    assert rig.transport.seqs() == [1]


def test_a_journal_that_notes_late_does_not_make_events_leave_twice() -> None:
    rig = Rig()
    rig.journal.notes = False
    rig.journal.write(1, 80)
    rig.transport.set_up(True)
    rig.take_all()
    assert rig.transport.seqs() == list(range(1, 81))
    rig.journal.note()
    rig.journal.write(81, 81)
    rig.outbox.wake()
    assert rig.transport.seqs() == list(range(1, 82))


def test_an_event_that_is_noted_late_does_not_leave_twice_over_a_reconnect() -> None:
    rig = Rig()
    rig.journal.notes = False
    rig.journal.write(1, 4)
    rig.transport.set_up(True)
    rig.transport.take(2)
    rig.transport.set_up(True)
    assert rig.transport.seqs() == [1, 2, 3, 4, 3, 4]


def test_a_journal_that_cannot_be_read_for_a_while_is_asked_again() -> None:
    rig = Rig()
    rig.journal.readable = False
    rig.journal.write(1, 2)
    rig.transport.set_up(True)
    rig.pass_ms(outbox.STALLED_MS * 3)
    rig.journal.readable = True
    rig.pass_ms(outbox.STALLED_MS)
    assert rig.transport.seqs() == [1, 2]


def test_an_outbox_with_nothing_to_do_asks_nothing() -> None:
    rig = Rig()
    rig.journal.write(1, 2)
    rig.transport.set_up(True)
    rig.take_all()
    rig.pass_ms(outbox.STALLED_MS)
    questions = rig.journal.questions
    rig.pass_ms(3600000)
    assert rig.journal.questions == questions


def test_a_token_that_is_not_on_its_way_does_not_make_the_journal_let_go() -> None:
    rig = Rig()
    rig.journal.write(1, 2)
    rig.transport.set_up(True)
    assert rig.transport.on_taken is not None
    rig.transport.on_taken(99)
    rig.transport.on_taken(1)
    rig.transport.on_taken(1)
    rig.transport.set_up(False)
    rig.transport.on_taken(2)
    rig.pass_ms(0)
    assert rig.journal.told == [[1]]


def test_a_transport_that_breaks_in_the_middle_of_a_backlog_loses_nothing() -> None:
    rig = Rig()
    rig.journal.write(1, 5)
    rig.transport.breaks_after = 2
    rig.transport.set_up(True)
    assert rig.transport.seqs() == [1, 2]
    assert not rig.outbox.up
    rig.transport.set_up(True)
    rig.take_all()
    assert rig.transport.seqs() == [1, 2, 1, 2, 3, 4, 5]
    assert rig.journal.waiting() == 0


def test_a_condition_is_sent_when_it_changes_and_only_then() -> None:
    rig = Rig()
    rig.transport.set_up(True)
    for payload in ("locked", "locked", "open", "open", "locked"):
        rig.outbox.retain("portal/front", payload)
    topic = ROOT + "/portal/front"
    assert rig.transport.conditions() == [(topic, "locked"), (topic, "open"), (topic, "locked")]


def test_every_condition_is_sent_again_after_a_reconnect_in_the_first_order() -> None:
    rig = Rig()
    rig.transport.set_up(True)
    rig.outbox.retain("status", "on")
    rig.outbox.retain("about", "x")
    rig.outbox.retain("status", "on 2")
    rig.transport.set_up(False)
    rig.outbox.retain("about", "y")
    rig.journal.write(1, 1)
    rig.transport.sent = []
    rig.transport.set_up(True)
    assert [(topic, payload) for _, topic, payload, _ in rig.transport.sent] == [
        (ROOT + "/status", "on 2"),
        (ROOT + "/about", "y"),
        (ROOT + "/event", "event 1"),
    ]


def test_many_conditions_keep_to_the_window_too() -> None:
    rig = Rig()
    for number in range(outbox.WINDOW + 50):
        rig.outbox.retain("alarm/%d" % number, "x")
    rig.journal.write(1, 1)
    rig.transport.set_up(True)
    assert len(rig.transport.sent) == outbox.WINDOW
    rig.take_all()
    assert len(rig.transport.conditions()) == outbox.WINDOW + 50
    assert rig.transport.seqs() == [1]


def test_a_condition_that_waits_for_room_leaves_as_it_is_then() -> None:
    rig = Rig()
    rig.journal.write(1, outbox.WINDOW)
    rig.transport.set_up(True)
    rig.outbox.retain("health", "old")
    rig.outbox.retain("health", "new")
    assert rig.transport.conditions() == []
    rig.take_all()
    assert rig.transport.conditions() == [(ROOT + "/health", "new")]


def test_topics_beyond_the_limit_are_refused() -> None:
    rig = Rig()
    for number in range(outbox.TOPICS_LIMIT):
        assert rig.outbox.retain("t/%d" % number, "x")
    assert not rig.outbox.retain("one/more", "x")
    assert rig.outbox.retain("t/5", "y")


def test_killed_it_sends_and_notes_nothing_more() -> None:
    rig = Rig()
    rig.journal.at_once = False
    rig.journal.write(1, 2)
    rig.transport.set_up(True)
    rig.outbox.kill()
    rig.journal.answer()
    rig.transport.set_up(True)
    rig.outbox.retain("status", "on")
    rig.outbox.wake()
    rig.pass_ms(5000)
    assert rig.transport.sent == []
    assert rig.journal.told == []


# ---- with a host ---------------------------------------------------------------------------------


def test_what_the_broker_took_waits_for_the_host_and_is_not_sent_again_at_once() -> None:
    rig = Rig(host_ack=True)
    rig.journal.write(1, 5)
    rig.transport.set_up(True)
    rig.take_all()
    assert rig.transport.seqs() == [1, 2, 3, 4, 5]
    assert rig.journal.told == []
    assert rig.journal.waiting() == 5
    rig.journal.store(5)
    assert rig.journal.waiting() == 0
    rig.pass_ms(3600000)
    assert len(rig.transport.sent) == 5


def test_a_silent_host_makes_it_send_again_ever_more_seldom_and_its_word_ends_that() -> None:
    rig = Rig(host_ack=True)
    rig.journal.write(1, 2)
    rig.transport.set_up(True)
    rig.take_all()
    came_ms: list[int] = []
    while rig.loop.now_ms() < 2000000:
        before = len(rig.transport.sent)
        rig.pass_ms(1000)
        rig.take_all()
        if len(rig.transport.sent) > before:
            assert rig.bodies(before) == ["event 1", "event 2"]
            came_ms.append(rig.loop.now_ms() // 1000)
    gaps = [after - before for before, after in zip([0] + came_ms, came_ms)]
    assert gaps == [10, 20, 40, 80, 160, 320, 600, 600]
    rig.journal.store(1)
    before = len(rig.transport.sent)
    rig.pass_ms(10000)
    assert rig.bodies(before) == ["event 2"]
    rig.journal.store(2)
    rig.take_all()
    before = len(rig.transport.sent)
    rig.pass_ms(3600000)
    assert rig.bodies(before) == []


def test_a_host_that_never_answers_costs_a_window_at_each_reconnect() -> None:
    rig = Rig(host_ack=True)
    rig.journal.write(1, 5000)
    rig.transport.set_up(True)
    rig.take_all()
    for _ in range(3):
        before = len(rig.transport.sent)
        rig.transport.set_up(False)
        rig.transport.set_up(True)
        rig.take_all()
        again = ["event %d" % seq for seq in range(1, outbox.AGAIN_WINDOW + 1)]
        assert rig.bodies(before) == again


def test_what_is_sent_again_moves_on_with_the_host_and_nothing_is_left_out() -> None:
    rig = Rig(host_ack=True)
    rig.journal.write(1, 700)
    rig.transport.set_up(True)
    rig.take_all()
    rig.transport.set_up(False)  # the broker loses all of it
    before = len(rig.transport.sent)
    rig.transport.set_up(True)
    upto = 0
    while rig.journal.held():
        rig.take_all()
        bodies = rig.bodies(before)
        assert len(bodies) <= upto + outbox.AGAIN_WINDOW
        upto = len(bodies)
        rig.journal.store(upto)
    assert rig.bodies(before) == ["event %d" % seq for seq in range(1, 701)]


def test_a_word_that_brings_nothing_new_does_not_end_the_round() -> None:
    rig = Rig(host_ack=True)
    rig.journal.write(1, 400)
    rig.transport.set_up(True)
    rig.take_all()
    rig.transport.set_up(False)
    rig.transport.set_up(True)
    rig.take_all()
    before = len(rig.transport.sent)
    rig.journal.store(0)
    rig.take_all()
    assert rig.bodies(before) == []
    rig.journal.store(200)
    rig.take_all()
    assert rig.bodies(before) == ["event %d" % seq for seq in range(257, 401)]


def test_a_backlog_that_leaves_on_this_connection_is_not_part_of_the_round() -> None:
    rig = Rig(host_ack=True)
    rig.journal.write(1, 10)
    rig.transport.set_up(True)
    rig.take_all()
    rig.transport.set_up(False)
    rig.journal.write(11, 400)
    before = len(rig.transport.sent)
    rig.transport.set_up(True)
    rig.take_all()
    rig.journal.store(10)
    rig.take_all()
    order = list(range(11, 401)) + list(range(1, 11))
    assert rig.bodies(before) == ["event %d" % seq for seq in order]


def test_an_event_that_happens_now_does_not_wait_for_those_that_are_sent_again() -> None:
    rig = Rig(host_ack=True)
    rig.journal.write(1, 300)
    rig.transport.set_up(True)
    rig.take_all()
    rig.transport.set_up(False)
    rig.transport.set_up(True)
    before = len(rig.transport.sent)
    rig.journal.write(301, 301)
    rig.outbox.wake()
    assert rig.bodies(before) == ["event 301"]


def test_without_a_host_what_once_waited_for_one_leaves_at_the_broker_s_word() -> None:
    rig = Rig()
    rig.journal.write(1, 3)
    rig.journal.taken([1, 2, 3])
    rig.transport.set_up(True)
    rig.take_all()
    assert rig.bodies(0) == ["event 1", "event 2", "event 3"]
    assert rig.journal.told == [[1, 2, 3]]


# ---- a range once more ---------------------------------------------------------------------------


def quiet_rig(count: int) -> Rig:
    """So many events, which the broker has."""
    rig = Rig()
    rig.journal.write(1, count)
    rig.transport.set_up(True)
    rig.take_all()
    return rig


def test_a_range_is_sent_once_more_in_order_and_notes_nothing() -> None:
    rig = Rig(host_ack=True)
    rig.journal.write(1, 500)
    rig.transport.set_up(True)
    rig.take_all()
    rig.journal.store(500)
    before = len(rig.transport.sent)
    assert rig.outbox.replay(100, 9999) == (100, 500)
    assert len(rig.bodies(before)) == outbox.LOW_WINDOW
    rig.take_all()
    assert rig.bodies(before) == ["event %d" % seq for seq in range(100, 501)]
    assert rig.journal.held() == 0
    assert rig.journal.told == []


def test_a_range_that_is_not_there_any_more_is_told_as_it_is() -> None:
    rig = Rig()
    rig.journal.write(1, 50)
    rig.transport.set_up(True)
    rig.take_all()
    rig.journal.oldest = 21
    rig.journal.all = rig.journal.all[20:]
    rig.journal.all += [(seq, "event %d" % seq) for seq in range(51, 71)]
    before = len(rig.transport.sent)
    assert rig.outbox.replay(0, 22) == (21, 22)
    rig.take_all()
    assert rig.bodies(before) == ["event 21", "event 22"]
    assert rig.outbox.replay(3, 20) == (0, 0)
    assert rig.outbox.replay(90, 99) == (0, 0)


def test_a_range_goes_on_after_a_reconnect_from_what_the_broker_has() -> None:
    rig = quiet_rig(300)
    rig.outbox.replay(1, 300)
    rig.transport.take(70)
    rig.transport.set_up(False)
    before = len(rig.transport.sent)
    rig.transport.set_up(True)
    rig.take_all()
    assert rig.bodies(before) == ["event %d" % seq for seq in range(71, 301)]


def test_what_the_broker_did_not_take_of_a_range_that_was_sent_whole_is_sent_again() -> None:
    rig = quiet_rig(9)
    rig.outbox.replay(2, 5)
    rig.transport.take(3)
    before = len(rig.transport.sent)
    rig.transport.set_up(True)
    rig.take_all()
    assert rig.bodies(before) == ["event 5"]
    before = len(rig.transport.sent)
    rig.transport.set_up(True)
    rig.take_all()
    assert rig.bodies(before) == []


def test_a_line_that_breaks_in_the_middle_of_a_range_loses_nothing_of_it() -> None:
    rig = quiet_rig(20)
    rig.transport.breaks_after = len(rig.transport.sent) + 3
    rig.outbox.replay(1, 20)
    before = len(rig.transport.sent)
    assert rig.bodies(before - 3) == ["event 1", "event 2", "event 3"]
    rig.transport.set_up(True)
    rig.take_all()
    assert rig.bodies(before) == ["event %d" % seq for seq in range(1, 21)]


def test_a_range_that_is_asked_for_while_the_link_is_down_is_sent_when_it_is_up() -> None:
    rig = quiet_rig(9)
    rig.transport.set_up(False)
    before = len(rig.transport.sent)
    assert rig.outbox.replay(3, 4) == (3, 4)
    rig.transport.set_up(True)
    assert rig.bodies(before) == ["event 3", "event 4"]


def test_a_second_range_waits_for_the_first_and_neither_is_cut_short() -> None:
    rig = quiet_rig(300)
    assert rig.outbox.replay(1, 300) == (1, 300)
    before = len(rig.transport.sent) - outbox.LOW_WINDOW
    assert rig.outbox.replay(2, 3) == (2, 3)
    rig.take_all()
    assert rig.bodies(before) == ["event %d" % seq for seq in list(range(1, 301)) + [2, 3]]


def test_one_range_too_many_is_refused_and_those_before_it_are_sent() -> None:
    rig = quiet_rig(400)
    rig.transport.set_up(False)
    before = len(rig.transport.sent)
    wanted = []
    for number in range(RANGES_LIMIT):
        first = 400 - 20 * number
        assert rig.outbox.replay(first, first) == (first, first)
        wanted.append("event %d" % first)
    assert rig.outbox.replay(7, 9) is None
    rig.transport.set_up(True)
    rig.take_all()
    assert rig.bodies(before) == wanted
    assert rig.outbox.replay(7, 9) == (7, 9)


def test_what_the_ring_lets_go_of_meanwhile_holds_up_nothing() -> None:
    rig = quiet_rig(300)
    rig.outbox.replay(150, 180)
    rig.outbox.replay(1, 120)
    rig.outbox.replay(290, 291)
    rig.journal.oldest = 200
    before = len(rig.transport.sent)
    rig.take_all()
    assert rig.bodies(before) == ["event 290", "event 291"]


def test_a_range_that_cannot_be_read_for_a_while_is_sent_later() -> None:
    rig = quiet_rig(9)
    rig.journal.readable = False
    before = len(rig.transport.sent)
    rig.outbox.replay(1, 9)
    rig.pass_ms(outbox.STALLED_MS * 3)
    assert rig.bodies(before) == []
    rig.journal.readable = True
    rig.pass_ms(outbox.STALLED_MS)
    assert rig.bodies(before) == ["event %d" % seq for seq in range(1, 10)]


def test_what_happens_in_an_outage_goes_before_the_rest_of_a_range() -> None:
    rig = quiet_rig(200)
    rig.outbox.retain("status", "on")
    rig.outbox.replay(1, 200)
    rig.transport.set_up(False)
    rig.journal.at_once = False
    rig.journal.write(201, 202, (202,))
    before = len(rig.transport.sent)
    rig.transport.set_up(True)
    rig.transport.take()  # the condition, while the journal still looks for what waits
    rig.journal.at_once = True
    rig.journal.answer()
    assert rig.bodies(before)[:3] == ["event 202", "event 201", "event 1"]


def test_a_backlog_of_thousands_leaves_once_alarms_first() -> None:
    rig = Rig()
    alarms = tuple(range(7, 3001, 200))
    rig.journal.write(1, 3000, alarms)
    rig.transport.set_up(True)
    rig.take_all()
    others = [seq for seq in range(1, 3001) if seq not in alarms]
    assert rig.transport.seqs() == list(alarms) + others
    assert rig.journal.questions < 3000 // (outbox.WINDOW // 2) + 10
