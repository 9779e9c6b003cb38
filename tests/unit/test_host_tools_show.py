"""`doorctl events --from`: all that the controller promised, in order, or a word of what is missing."""

from collections.abc import Iterator
from typing import Any

import pytest

from firmware.trust.identity import Identity
from host_tools import show
from host_tools.console import FailedError
from host_tools.site import Site
from host_tools.site_link import Address

CONTROLLER = Identity.of(bytes(range(100, 164)))
JOURNAL, FORMER = "5f3a9c01", "0c77aa12"
LIVE_S = 10.0


def event(seq: int, journal: str = JOURNAL) -> tuple[str, Any]:
    return "event", {"id": f"c-01:{journal}:{seq}", "journal": journal, "seq": seq}


def events(first: int, last: int) -> list[tuple[str, Any]]:
    return [event(seq) for seq in range(first, last + 1)]


def status(state: str, **more: str) -> tuple[str, Any]:
    return "status", {"state": state, **more}


def promise(first: int, last: int) -> tuple[str, Any]:
    """The controller's answer, which the link signs."""
    return "reply", {"ok": True, "result": {"from_seq": first, "to_seq": last}}


REFUSED = ("reply", {"ok": False, "error": {"code": "failed", "message": "why; expected that"}})


class Broker:
    """The link: `said` comes at once, then a live event every 10 s if `live`, or nothing."""

    def __init__(self, *said: Any, live: bool = False) -> None:
        self.said = [status("online", journal=JOURNAL)]
        for one in said:
            self.said += one if isinstance(one, list) else [one]
        self.live = live
        self.passed_s = 0.0
        self.args: dict[str, Any] = {}
        self._id = ""
        self._next = 1000

    def __enter__(self) -> "Broker":
        return self

    def __exit__(self, *given: object) -> None:
        pass

    def listen(self, *topics: str) -> None:
        assert "event" in topics

    def send(self, command: dict[str, Any]) -> None:
        self._id, self.args = command["id"], command["args"]

    def messages(self, quiet_s: float) -> Iterator[tuple[str, Any, bool]]:
        while True:
            if self.said:
                topic, said = self.said.pop(0)
            elif self.live and quiet_s > LIVE_S:
                self.passed_s += LIVE_S
                self._next += 1
                topic, said = event(self._next)
            else:
                self.passed_s += quiet_s
                return
            if topic == "reply":
                topic, said = f"reply/{self._id}", CONTROLLER.signed({"id": self._id, **said})
            yield topic, said, False


class FakeSite(Site):
    def __init__(self, broker: Broker) -> None:
        world = {
            "site": "sunrise",
            "controller": "c-01",
            "root": "doorward/sunrise/c-01",
            "clock": {"utc": "2026-11-21T08:00:12.000Z"},
            "records": 303,
            "public_key": CONTROLLER.public_key,
        }
        super().__init__(world, Address("127.0.0.1", 9), "op-ling")
        self.sign_with(bytes(range(32)))
        self.broker = broker

    def now_ms(self) -> int:
        return 1_795_248_012_000 + round(self.broker.passed_s * 1000)

    def link(self) -> Any:
        return self.broker


def told(broker: Broker, first: int | None = 1) -> tuple[list[int], str]:
    """The numbers that are told, and the line of failure."""
    found = []
    try:
        for said in show.again(FakeSite(broker), first):
            found.append(said["seq"])
    except FailedError as error:
        return found, str(error)
    return found, ""


def test_a_live_event_in_the_middle_ends_nothing_and_is_not_of_the_range() -> None:
    broker = Broker(promise(1, 303), events(1, 64), event(304), events(65, 303), event(305))
    assert told(broker) == (list(range(1, 304)), "")
    assert broker.passed_s == 0


def test_what_comes_before_the_answer_counts_and_all_is_told_once_in_order() -> None:
    mixed = [event(seq) for seq in (5, 304, 2, 1, 2, 4)]
    broker = Broker(mixed, promise(1, 6), [event(seq) for seq in (4, 6, 6, 1, 3)])
    assert told(broker) == ([1, 2, 3, 4, 5, 6], "")


def test_what_did_not_come_is_said_after_what_did() -> None:
    broker = Broker(promise(1, 303), events(1, 64), event(303), event(304))
    assert told(broker) == (
        [*range(1, 65), 303],
        "events: 238 of 303 did not come: 65-302; expected 1-303",
    )


def test_a_line_of_many_gaps_is_a_short_one() -> None:
    broker = Broker(promise(1, 20), [event(seq) for seq in range(2, 21, 2)])
    assert told(broker)[1] == ("events: 10 of 20 did not come: 1, 3, 5, 7, 9, ...; expected 1-20")


def test_what_the_ring_has_dropped_is_not_waited_for() -> None:
    broker = Broker(events(3, 4), promise(4, 6), events(4, 6))
    assert told(broker, 1) == ([4, 5, 6], "")
    assert broker.passed_s == 0


def test_a_record_of_a_former_journal_is_not_taken_for_one_of_the_range() -> None:
    former = [event(seq, FORMER) for seq in (1, 2, 3)]
    assert told(Broker(former, promise(1, 3), former[:2], events(1, 3))) == ([1, 2, 3], "")
    text = "events: 1 of 3 did not come: 3; expected 1-3"
    assert told(Broker(promise(1, 3), events(1, 2), former)) == ([1, 2], text)


def test_live_events_without_end_do_not_make_it_wait_for_ever() -> None:
    broker = Broker(promise(1, 3), events(1, 2), live=True)
    assert told(broker) == ([1, 2], "events: 1 of 3 did not come: 3; expected 1-3")
    assert show.RANGE_MOST_S < broker.passed_s <= show.RANGE_MOST_S + LIVE_S


def test_a_controller_that_is_away_for_a_while_is_waited_for() -> None:
    class Away(Broker):
        def messages(self, quiet_s: float) -> Iterator[tuple[str, Any, bool]]:
            if not self.said and self.passed_s > 2 * show.RANGE_QUIET_S:
                self.said = [status("online"), *events(3, 4)]
            yield from super().messages(quiet_s)

    broker = Away(promise(1, 4), events(1, 2), status("offline"))
    assert told(broker) == ([1, 2, 3, 4], "")
    gone = Broker(promise(1, 4), events(1, 2), status("offline"))
    assert told(gone) == ([1, 2], "events: 2 of 4 did not come: 3-4; expected 1-4")


@pytest.mark.parametrize("state", ["online", "offline"])
def test_no_answer_is_said_soon(state: str) -> None:
    text = "c-01: sent, no answer in 5 s; expected it to be online"
    assert told(Broker(status(state), events(1, 9))) == ([], text)


def test_a_refusal_is_said_in_the_controllers_words() -> None:
    assert told(Broker(REFUSED)) == ([], "c-01: refused: why; expected that")


def test_without_a_number_the_last_ones_are_asked_for() -> None:
    broker = Broker(promise(104, 303), events(104, 303))
    assert told(broker, None) == (list(range(104, 304)), "")
    assert broker.args == {"from_seq": 104}
