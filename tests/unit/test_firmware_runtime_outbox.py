# portable
"""`firmware.runtime.outbox`: what leaves, in which order, and what an outage does to it."""

from firmware.runtime import aio, outbox, ports

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

    def write(self, first: int, last: int, alarms: "tuple[int, ...]" = ()) -> None:
        """Events `first` to `last`; those of `alarms` are alarms."""
        for seq in range(first, last + 1):
            self.unsent.append((seq, "event %d" % seq, seq in alarms))

    def pending(self, limit: int, done: "Callable[[list[tuple[int, str]]], None]") -> None:
        self.questions += 1
        self.asked.append(lambda: done(self._first(limit)))
        if self.at_once:
            self.answer()

    def answer(self) -> None:
        """Answer what was asked first."""
        self.asked.pop(0)()

    def sent(self, seqs: "list[int]") -> None:
        self.told.append(seqs)
        if self.notes:
            self.note()

    def note(self) -> None:
        """Note everything that was told to have left."""
        left = [seq for seqs in self.told for seq in seqs]
        self.unsent = [event for event in self.unsent if event[0] not in left]

    def waiting(self) -> int:
        return len(self.unsent)

    def _first(self, limit: int) -> "list[tuple[int, str]]":
        if not self.readable:
            return []
        events = sorted((not alarm, seq, body) for seq, body, alarm in self.unsent)
        return [(seq, body) for _, seq, body in events[:limit]]


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
        return [token for token, topic, _, _ in self.sent if topic == ROOT + "/event"]

    def conditions(self) -> "list[tuple[str, str]]":
        """Retained topics that were sent, in order."""
        return [(topic, payload) for _, topic, payload, retain in self.sent if retain]


class Rig:
    """An outbox between the two."""

    def __init__(self) -> None:
        self.clock = aio.VirtualClock()
        self.loop = aio.Loop(self.clock, aio.JumpWaiter(self.clock))
        self.journal = FakeJournal()
        self.transport = FakeTransport()
        self.outbox = outbox.Outbox(self.journal, self.transport, self.loop, ROOT)

    def pass_ms(self, ms: int) -> None:
        """Let the loop run."""
        self.loop.run(aio.sleep_ms(ms))

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
    rig.journal.write(1, 100)
    rig.transport.set_up(True)
    assert rig.transport.seqs() == list(range(1, outbox.WINDOW + 1))
    rig.take_all()
    assert rig.transport.seqs() == list(range(1, 101))
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
    rig.journal.write(1, 60)
    rig.transport.set_up(True)
    rig.journal.write(61, 61, (61,))
    rig.outbox.wake()
    rig.take_all()
    window = outbox.WINDOW
    expected = list(range(1, window + 1)) + [61] + list(range(window + 1, 61))
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


def test_a_journal_that_notes_nothing_stops_the_flow_and_is_asked_again() -> None:
    rig = Rig()
    rig.journal.notes = False
    rig.journal.write(1, outbox.TAKEN_LIMIT + 10)
    rig.transport.set_up(True)
    rig.take_all()
    assert rig.transport.seqs() == list(range(1, outbox.TAKEN_LIMIT + 1))
    rig.journal.notes = True
    rig.journal.note()
    rig.pass_ms(outbox.STALLED_MS)
    assert rig.transport.seqs() == list(range(1, outbox.TAKEN_LIMIT + 11))


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
    for number in range(100):
        rig.outbox.retain("alarm/%d" % number, "x")
    rig.journal.write(1, 1)
    rig.transport.set_up(True)
    assert len(rig.transport.sent) == outbox.WINDOW
    rig.take_all()
    assert len(rig.transport.conditions()) == 100
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
