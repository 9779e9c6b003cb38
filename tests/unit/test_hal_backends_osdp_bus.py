"""`hal.backends.osdp_bus` with its links, in virtual time: who is asked when, lost when, tried again when."""

import pytest
from osdp_virtual import BEGINNINGS, NOISE, POLL, QUIET, SPOILT, VirtualBus

from hal.backends import osdp_bus, osdp_link
from hal.backends import osdp_frames as frames

NOTICED_MS = 2000  #: the issue's figure
LONG_MS = 900_000  #: the library alone would pause for 300 s each time
#: how many a bus takes at a baud rate; docs/osdp.md
BUSES = ((9600, 3), (38_400, 8), (115_200, 8))
SOME = [(baud, many, silent) for baud, many in BUSES for silent in range(1, many + 1)]


def _settled(readers: int, baud: int = 38_400) -> VirtualBus:
    bus = VirtualBus(readers, baud)
    bus.run(5000)
    assert all(told == [] for told in bus.told.values())
    assert all(side.answered_ms for side in bus.sides.values())
    return bus


def _gaps(times: list[float], since_ms: float, until_ms: float) -> float:
    """The longest time between two of `times`."""
    inside = [since_ms, *(ms for ms in times if since_ms < ms < until_ms), until_ms]
    return max(later - sooner for sooner, later in zip(inside, inside[1:], strict=False))


@pytest.mark.parametrize("carried", [QUIET, NOISE, BEGINNINGS])
@pytest.mark.parametrize(("baud", "many", "silent"), SOME)
def test_every_reader_that_falls_silent_is_lost_within_2_s_however_many_do(
    baud: int, many: int, silent: int, carried: str
) -> None:
    for phase_ms in (0, 17, 33, 50):
        bus = _settled(many, baud)
        bus.run(phase_ms)
        since_ms = bus.time.at_ms
        for address in range(silent):
            bus.sides[address].silent = True
        bus.wire.carry(carried)
        bus.run(3000)
        for address in range(silent):
            (lost_ms,) = bus.lost_ms(address)
            assert 0 < lost_ms - since_ms <= NOTICED_MS, (baud, many, silent, phase_ms, address)
        assert [address for address in range(silent, many) if bus.told[address]] == []


@pytest.mark.parametrize("carried", [QUIET, NOISE, BEGINNINGS])
@pytest.mark.parametrize(("baud", "many", "silent"), [one for one in SOME if one[1] > one[2]])
def test_a_reader_that_works_waits_for_one_silence_at_most_once_who_is_silent_is_known(
    baud: int, many: int, silent: int, carried: str
) -> None:
    bus = _settled(many, baud)
    since_ms = bus.time.at_ms
    usual_ms = _gaps(bus.sides[many - 1].answered_ms, since_ms - 2000, since_ms)
    for address in range(silent):
        bus.sides[address].silent = True
    bus.wire.carry(carried)
    bus.run(20_000)
    firsts = [min(ms for ms in bus.sides[a].asked_ms if ms >= since_ms) for a in range(silent)]
    known_ms = max(firsts) + osdp_bus.REPLY_MS
    end_ms = (
        osdp_bus.GAP_MS + 64 * 10_000 / baud if carried == BEGINNINGS else 0
    )  # of the one begun
    for address in range(silent, many):
        times = bus.sides[address].answered_ms
        found = baud, many, silent, address
        # Nobody knows yet who is silent: each of them may cost one silence.
        first_ms = _gaps(times, since_ms, known_ms)
        assert first_ms <= silent * osdp_bus.REPLY_MS + end_ms + 2 * usual_ms, found
        later_ms = _gaps(times, known_ms, since_ms + 20_000)
        assert later_ms <= osdp_bus.REPLY_MS + end_ms + 2 * usual_ms, found


def test_lost_readers_cost_the_others_a_fifth_of_the_time() -> None:
    bus = _settled(8)
    for address in range(7):
        bus.sides[address].silent = True
    bus.run(5000)
    asked = {address: len(bus.sides[address].asked_ms) for address in bus.sides}
    bus.run(60_000)
    tries = sum(len(bus.sides[a].asked_ms) - asked[a] for a in range(7))
    assert tries * osdp_bus.REPLY_MS <= 60_000 / 5 * 1.1
    assert tries > 30  # and they are tried
    assert len(bus.sides[7].asked_ms) - asked[7] >= 0.75 * 60_000 / (osdp_link.POLL_MS + 10)


@pytest.mark.parametrize("away_ms", [5000, 20_000, LONG_MS])
def test_a_reader_that_was_silent_is_back_within_seconds_however_long_it_was_away(
    away_ms: int,
) -> None:
    bus = _settled(3)
    bus.sides[1].silent = True
    bus.run(away_ms)
    bus.sides[1].silent = False
    since_ms = bus.time.at_ms
    bus.run(5000)
    (back_ms,) = bus.back_ms(1)
    assert back_ms - since_ms <= 2500
    assert len(bus.lost_ms(1)) == 1
    assert bus.told[0] == bus.told[2] == []


def test_a_reader_that_was_refused_for_long_is_tried_every_second_and_let_in_at_once() -> None:
    bus = _settled(2)
    side = bus.sides[1]
    side.silent = True
    bus.run(3000)
    side.silent = False
    side.refuses = (frames.CHALLENGE,)  # another one in its place
    bus.run(10_000)
    texts = [problem for _, problem in bus.told[1]]
    assert len(texts) == 2
    assert "does not answer" in str(texts[0])
    assert "does not know its key" in str(texts[1])
    since_ms = bus.time.at_ms
    tries = len(side.asked_ms)
    bus.run(LONG_MS)
    per_try = 3  # ID, capabilities, challenge
    assert _gaps(side.asked_ms, since_ms, bus.time.at_ms) <= osdp_link.RETRY_MS + 100
    assert (len(side.asked_ms) - tries) / per_try <= LONG_MS / osdp_link.RETRY_MS
    assert len(bus.told[1]) == 2  # one reason, told once
    side.refuses = ()
    since_ms = bus.time.at_ms
    bus.run(5000)
    assert bus.back_ms(1)[-1] - since_ms <= osdp_link.RETRY_MS + 500
    assert bus.told[0] == []


@pytest.mark.parametrize(("baud", "many"), BUSES)
@pytest.mark.parametrize(
    ("refused", "why"),
    [(POLL, "answers in its secure channel in plain"), (frames.ID, "does not say what it is")],
)
def test_a_reader_whose_every_answer_is_wrong_is_lost_within_2_s_and_tried_every_second(
    baud: int, many: int, refused: int, why: str
) -> None:
    bus = _settled(many, baud)
    side = bus.sides[1]
    side.refuses = (POLL, refused)  # its handshake goes well, but for the ID
    since_ms = bus.time.at_ms
    bus.run(60_000)
    ((lost_ms, problem),) = bus.told[1]
    assert lost_ms - since_ms <= NOTICED_MS
    assert why in str(problem)
    shakes = [ms for ms in side.challenged_ms if ms > lost_ms]
    assert len(shakes) <= 60_000 / osdp_link.RETRY_MS
    assert all(told == [] for address, told in bus.told.items() if address != 1)
    side.refuses = ()
    since_ms = bus.time.at_ms
    bus.run(5000)
    (back_ms,) = bus.back_ms(1)
    assert back_ms - since_ms <= osdp_link.RETRY_MS + 1000


@pytest.mark.parametrize("stands", [1, 3])
def test_a_reader_whose_channels_never_last_is_lost_and_back_once_one_does(stands: int) -> None:
    bus = _settled(3)
    side = bus.sides[1]
    side.stands = stands
    since_ms = bus.time.at_ms
    bus.run(60_000)
    ((lost_ms, problem),) = bus.told[1]
    assert lost_ms - since_ms <= NOTICED_MS
    assert "answers in its secure channel in plain" in str(problem)
    assert len([ms for ms in side.challenged_ms if ms > lost_ms]) <= 60_000 / osdp_link.RETRY_MS
    assert all(told == [] for address, told in bus.told.items() if address != 1)
    side.stands, since_ms = None, bus.time.at_ms
    bus.run(5000)
    (back_ms,) = bus.back_ms(1)
    assert back_ms - since_ms <= osdp_link.RETRY_MS + 2000


def test_a_reader_that_falls_silent_after_each_first_answer_is_not_lost_and_back_for_ever() -> None:
    bus = _settled(3)
    side = bus.sides[1]
    side.stands, side.hushes = 1, True
    bus.run(60_000)
    assert len(bus.told[1]) <= 2 * 4 + 1
    assert bus.told[1][-1][1], "it is lost"
    assert all(told == [] for address, told in bus.told.items() if address != 1)
    side.stands, before = None, len(bus.back_ms(1))
    bus.run(5000)
    assert len(bus.back_ms(1)) == before + 1


@pytest.mark.parametrize("breaks", [1, 2, 3])
def test_a_few_channels_that_break_are_no_lost_reader(breaks: int) -> None:
    bus = _settled(3)
    side = bus.sides[1]
    side.stands, shaken = 1, len(side.challenged_ms)
    while len(side.challenged_ms) < shaken + breaks:
        bus.run(1)
    side.stands = None
    bus.run(10_000)
    assert bus.told[1] == []


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_card_in_an_answer_that_is_refused_is_told_though_all_others_are_right(
    spoilt: int,
) -> None:
    bus = _settled(3)
    side = bus.sides[1]
    side.spoils = spoilt
    for shown in (1, 2, 3):
        since_ms = bus.time.at_ms
        side.cards = 1
        bus.run(5000)
        assert len(bus.lost_ms(1)) == len(bus.back_ms(1)) == shown
        assert bus.lost_ms(1)[-1] - since_ms <= NOTICED_MS
    assert "answers in its secure channel in plain" in str(bus.told[1][0][1])
    assert bus.cards[1] == []
    assert all(told == [] for address, told in bus.told.items() if address != 1)
    side.spoils, side.cards = 0, 1
    bus.run(1000)
    assert len(bus.cards[1]) == 1


def test_a_handshake_alone_brings_no_reader_back() -> None:
    bus = _settled(2)
    side = bus.sides[1]
    side.silent = True
    bus.run(3000)
    side.silent = False
    side.refuses = (POLL,)
    bus.run(30_000)
    assert len(side.challenged_ms) > 20
    assert bus.back_ms(1) == []


@pytest.mark.parametrize("kept", [1, 3, 20])
def test_cards_shown_to_a_reader_while_it_was_lost_are_dropped_and_none_that_is_shown_once_it_is_back(
    kept: int,
) -> None:
    bus = _settled(2)
    side = bus.sides[1]
    side.silent = True
    bus.run(3000)
    side.cards = kept
    bus.run(8000)
    side.silent = False
    while not bus.back_ms(1):
        bus.run(1)
    side.cards += 1
    bus.run(1000)
    assert side.cards == 0
    assert len(bus.cards[1]) == 1
    assert bus.cards[1][0] > bus.back_ms(1)[0]


def test_a_reader_that_always_has_something_to_tell_is_back_and_counts() -> None:
    bus = _settled(2)
    bus.sides[1].silent = True
    bus.run(3000)
    bus.sides[1].cards = 1000
    bus.sides[1].silent = False
    bus.run(10_000)
    assert len(bus.back_ms(1)) == 1
    assert len(bus.cards[1]) > 10


def test_a_card_that_waits_while_a_channel_is_made_anew_counts() -> None:
    bus = _settled(2)
    bus.sides[1].refuses = (POLL,)
    bus.run(100)
    bus.sides[1].cards = 1
    bus.sides[1].refuses = ()
    bus.run(1000)
    assert len(bus.cards[1]) == 1
    assert bus.told[1] == []


def test_one_channel_that_breaks_loses_no_reader() -> None:
    bus = _settled(3)
    for _ in range(20):
        bus.sides[1].refuses = (POLL,)
        bus.run(100)
        bus.sides[1].refuses = ()
        bus.run(1000)
    assert all(told == [] for told in bus.told.values())


def test_a_port_that_vanishes_loses_all_at_once_and_is_opened_again_by_itself() -> None:
    bus = _settled(3)
    for _ in range(3):
        since_ms = bus.time.at_ms
        before = {address: len(told) for address, told in bus.told.items()}
        bus.wire.there = False
        bus.run(30_000)
        for address, told in bus.told.items():
            new = told[before[address] :]
            assert [problem for _, problem in new] == [
                f"{bus.wire.name}: has gone; expected the reader plugged in"
            ] * len(new)
            assert new[0][0] - since_ms <= 500
        bus.wire.there = True
        since_ms = bus.time.at_ms
        bus.run(3000)
        for address in bus.told:
            assert bus.back_ms(address)[-1] - since_ms <= 1000


def test_a_reader_that_is_slow_but_in_its_time_is_not_lost() -> None:
    bus = _settled(3)
    bus.sides[1].delay_ms = osdp_bus.REPLY_MS - 30
    bus.run(60_000)
    assert all(told == [] for told in bus.told.values())


def test_one_answer_that_is_lost_loses_no_reader() -> None:
    bus = _settled(3)
    for _ in range(20):
        bus.sides[1].silent = True
        bus.run(100)
        bus.sides[1].silent = False
        bus.run(1000)
    assert all(told == [] for told in bus.told.values())


@pytest.mark.parametrize("by_ms", [-86_400_000, -3_600_000, -1000, -80, -20, 80, 3_600_000])
def test_a_clock_that_is_set_keeps_no_reader_waiting_and_loses_no_card(by_ms: int) -> None:
    """libosdp reckons by the time of day: set back, it asks nothing until the day is where it was."""
    for phase_ms in range(0, 60, 4):
        bus = _settled(3)
        bus.run(phase_ms)
        bus.time.day_ms += by_ms
        since_ms = bus.time.at_ms
        for side in bus.sides.values():
            side.cards = 1
        bus.run(2000)
        assert all(told == [] for told in bus.told.values())
        for address, side in bus.sides.items():
            (card_ms,) = bus.cards[address]
            assert card_ms - since_ms < NOTICED_MS / 2
            assert _gaps(side.answered_ms, since_ms, bus.time.at_ms) < NOTICED_MS / 2
            channels = len([ms for ms in side.challenged_ms if ms > since_ms])
            assert channels == int(by_ms <= -1000), "made anew, but for what is sooner waited for"


def test_a_clock_that_is_set_back_for_ever_loses_readers_that_are_never_asked_and_their_old_cards() -> (
    None
):
    bus = _settled(2)
    for side in bus.sides.values():
        side.cards = 1
    since_ms = bus.time.at_ms
    while bus.time.at_ms - since_ms < 3 * osdp_link.SILENT_MS + NOTICED_MS:
        bus.time.day_ms -= 1000
        bus.run(40)
    assert all(len(bus.lost_ms(address)) == 1 for address in bus.told)
    bus.run(5000)
    for side in bus.sides.values():
        side.cards += 1
    bus.run(1000)
    for address, told in bus.told.items():
        assert told[-1][1] is None, "back by itself"
        assert len(bus.cards[address]) == 1
