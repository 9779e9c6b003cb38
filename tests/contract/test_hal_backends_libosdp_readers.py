"""`hal.backends.libosdp_readers` with libosdp's own readers in other processes, over pseudo-terminals."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from osdp_rig import KEY, LONG_BLOCK, PATIENCE_S, PLAIN, REFUSAL, WRONG_CARD, WRONG_MAC, Rig, until

from hal.backends import osdp_link
from hal.backends.libosdp_readers import MOST, LibosdpBuses, LibosdpReader
from hal.backends.pyserial_port import PyserialPorts
from hal.errors import DeviceUnavailableError, LineBusyError

CARD = "10110011100011110000111110"
OTHER = "01010101010101010101010101"
LED, BUZZER = 2, 3
#: whether the machine's clock may be set
MAY_SET_CLOCK = bool(os.environ.get("DOORWARD_MAY_SET_CLOCK"))


@pytest.fixture
def rig() -> Iterator[Rig]:
    one = Rig()
    yield one
    one.close()


class _Heard:
    """What a reader has said, all of it."""

    def __init__(self, reader: LibosdpReader) -> None:
        self.reader = reader
        self.said: list[tuple[str, Any]] = []

    def _take(self) -> list[tuple[str, Any]]:
        self.said += self.reader.take()
        return self.said

    def cards(self) -> list[str]:
        return [data.reveal() for kind, data in self._take() if kind == "bits"]

    def states(self, *kinds: str) -> list[tuple[str, Any]]:
        return [one for one in self._take() if one[0] in kinds]

    def until_up(self) -> None:
        """It is on line: its housing is known."""
        until(lambda: self.states("level"), "the reader never came on line")

    def until_lost(self) -> None:
        until(lambda: self.states("lost"), "it was never lost")

    def until_cards(self, count: int, patience_s: float = PATIENCE_S) -> None:
        until(lambda: len(self.cards()) >= count, f"no card {count}", patience_s)

    def until(self, kind: str, data: Any = None) -> None:
        until(lambda: (kind, data) in self._take(), f"no {kind} came: {self.reader.problem}")


def _heard(rig: Rig, address: int = 0, key: bytes | None = KEY) -> _Heard:
    return _Heard(rig.reader(address, key))


def test_cards_and_keys_come_as_their_bits_over_a_secure_channel(rig: Rig) -> None:
    peer, heard = rig.peer(0), _heard(rig)
    heard.until_up()
    rig.passed.clear()
    for bits in (CARD, OTHER + "11110000", "1" * 37):
        peer.card(bits)
        heard.until("bits", bits)
    peer.card("0" * 32, form=0)
    peer.keys(b"15*#\x7f\x0d")
    heard.until_cards(10)
    assert heard.cards() == [
        *(CARD, OTHER + "11110000", "1" * 37, "0" * 32),
        *("0001", "0101", "1010", "1011", "1010", "1011"),
    ]
    assert int(CARD + "000000", 2).to_bytes(4, "big") not in rig.passed
    assert KEY not in rig.passed


def test_tamper_and_power_are_told_from_the_start_and_when_they_change(rig: Rig) -> None:
    peer, heard = rig.peer(0), _heard(rig)
    until(lambda: heard.states("level", "power") == [("level", True), ("power", True)])
    peer.status(1, 0)
    heard.until("level", False)
    peer.status(0, 1)
    heard.until("power", False)
    assert heard.states("level", "power")[2:] == [
        ("level", False),
        ("level", True),
        ("power", False),
    ]


def test_light_and_buzzer_are_as_wanted_also_after_the_reader_was_away(rig: Rig) -> None:
    heard = _heard(rig)
    heard.reader.light(True, True)
    peer = rig.peer(0)

    def of(command: int) -> list[dict[str, Any]]:
        return [one for one in peer.commands if one.get("command") == command]

    assert until(lambda: of(LED))[0]["on_color"] == 3
    heard.reader.light(False, True)
    heard.reader.sound(True)
    assert until(lambda: of(BUZZER))[0]["control_code"] == 2
    until(lambda: of(LED)[-1]["on_color"] == 2)
    heard.reader.sound(False)
    until(lambda: of(BUZZER)[-1]["control_code"] == 1)
    peer = rig.peer(0)  # another one, which knows nothing of that
    until(lambda: of(LED) and of(LED)[-1]["on_color"] == 2)


def test_a_beep_that_is_over_before_the_wire_had_time_for_it_is_heard_once(rig: Rig) -> None:
    peer, heard = rig.peer(0), _heard(rig)
    heard.until_up()
    heard.reader.sound(True)
    heard.reader.sound(False)

    def codes() -> list[int]:
        return [one["control_code"] for one in peer.commands if one.get("command") == BUZZER]

    until(lambda: len(codes()) >= 2, "the beep was dropped")
    heard.reader.light(False, True)
    until(lambda: 2 in [one["on_color"] for one in peer.commands if one.get("command") == LED])
    assert codes() == [2, 1]


def test_a_beep_for_a_reader_that_is_lost_is_not_made_up_for(rig: Rig) -> None:
    peer, heard = rig.peer(0), _heard(rig)
    heard.until_up()
    peer.close()
    heard.until_lost()
    heard.reader.light(False, True)
    heard.reader.sound(True)
    heard.reader.sound(False)
    peer = rig.peer(0)
    heard.until("back")
    until(lambda: 2 in [one["on_color"] for one in peer.commands if one.get("command") == LED])
    peer.card(CARD)
    heard.until("bits", CARD)
    assert BUZZER not in [one.get("command") for one in peer.commands]


def test_a_reader_without_lights_stays_on_line(rig: Rig) -> None:
    peer, heard = rig.peer(0, lights=False), _heard(rig)
    heard.reader.light(True, False)
    heard.reader.sound(True)
    heard.until_up()
    peer.card(CARD)
    until(heard.cards)
    assert heard.states("lost") == []
    assert [one for one in peer.commands if one.get("command") in (LED, BUZZER)] == []


def test_a_reader_that_falls_silent_is_lost_and_comes_back_without_the_others_noticing(
    rig: Rig,
) -> None:
    peers = {address: rig.peer(address) for address in (0, 1, 2)}
    heard = {address: _heard(rig, address) for address in (0, 1, 2)}
    for one in heard.values():
        one.until_up()
    rig.cut = {1}
    heard[1].until_lost()
    assert "reader-1" in heard[1].reader.problem
    assert "does not answer" in heard[1].reader.problem
    for turn in range(5):
        for address in (0, 2):
            peers[address].card(CARD)
            heard[address].until_cards(turn + 1)
    rig.cut = set()
    heard[1].until("back")
    assert heard[1].reader.problem == ""
    peers[1].card(CARD)
    until(heard[1].cards)
    assert [heard[address].states("lost") for address in (0, 2)] == [[], []]


def test_a_card_that_was_shown_while_the_reader_was_lost_does_not_count_once_it_is_back(
    rig: Rig,
) -> None:
    peer, heard = rig.peer(0), _heard(rig)
    heard.until_up()
    rig.cut = {0}
    heard.until_lost()
    peer.card(CARD)
    peer.keys(b"1")
    rig.cut = set()
    heard.until("back")
    peer.card(OTHER)
    until(heard.cards)
    assert heard.cards() == [OTHER]


def test_a_wrong_key_gives_nothing_and_is_said_to_be_one(rig: Rig) -> None:
    peer, heard = rig.peer(0, key=bytes(16)), _heard(rig)
    heard.until_lost()
    until(lambda: "does not know its key" in heard.reader.problem, "it was not said")
    peer.card(CARD)
    second, good = rig.peer(1), _heard(rig, 1)
    good.until_up()
    second.card(OTHER)
    until(good.cards)
    assert heard.cards() == []
    rig.peer(0)
    heard.until("back")


def test_the_default_key_is_no_key_once_there_is_one(rig: Rig) -> None:
    peer, heard = rig.peer(0, key=None), _heard(rig)  # it waits under the default key
    heard.until_lost()
    until(lambda: "does not know its key" in heard.reader.problem, "it was not said")
    peer.card(CARD)
    good = rig.peer(1)
    other = _heard(rig, 1)
    other.until_up()
    good.card(OTHER)
    until(other.cards)
    assert heard.cards() == []


@pytest.mark.parametrize("secure", [False, True])
def test_what_is_said_in_plain_opens_nothing_and_is_a_fault(rig: Rig, secure: bool) -> None:
    rig.peer(0)
    heard = _heard(rig)
    heard.until_up()
    impostor = rig.impostor(0, secure, CARD)
    heard.until_lost()
    until(lambda: impostor.shown)
    problem = "does not know its key" if secure else "offers no secure channel"
    until(lambda: problem in heard.reader.problem, heard.reader.problem)
    rig.peer(0)
    heard.until("back")
    assert heard.cards() == []


@pytest.mark.parametrize("how", [PLAIN, REFUSAL, WRONG_MAC])
def test_a_handshake_that_is_passed_on_with_no_right_answer_after_it_is_a_fault(
    rig: Rig, how: str
) -> None:
    peer, heard = rig.peer(0), _heard(rig)
    heard.until_up()
    rig.forged = {0: how}
    heard.until_lost()
    assert heard.reader.problem == (
        f"reader-0: {rig.port} address 0: answers in its secure channel in plain, with a wrong MAC or a "
        "refusal; expected no other device on its wire, and a reader that works"
    )
    peer.card(CARD)
    asked = rig.passed.count(b"\xff\x53\x00")
    until(lambda: rig.passed.count(b"\xff\x53\x00") > asked + 10)  # it is tried, in vain
    assert heard.states("back") == []
    assert heard.cards() == []
    rig.forged = {}
    heard.until("back")
    peer.card(OTHER)
    until(lambda: OTHER in heard.cards())


def test_a_card_whose_mac_is_wrong_is_a_fault_though_all_else_is_right(rig: Rig) -> None:
    peer, heard = rig.peer(0), _heard(rig)
    heard.until_up()
    rig.forged = {0: WRONG_CARD}
    peer.card(CARD)
    heard.until_lost()
    assert "with a wrong MAC" in heard.reader.problem
    rig.forged = {}
    heard.until("back")
    peer.card(OTHER)
    until(lambda: OTHER in heard.cards())
    assert CARD not in heard.cards()


def test_an_answer_that_makes_no_sense_costs_nobody_but_its_reader(rig: Rig) -> None:
    rig.peer(0)
    other, heard, works = rig.peer(1), _heard(rig), _heard(rig, 1)
    heard.until_up()
    works.until_up()
    rig.forged = {0: LONG_BLOCK}
    heard.until_lost()
    assert "with a wrong MAC" in heard.reader.problem
    for turn in range(3):
        other.card(CARD)
        works.until_cards(turn + 1)
    assert works.states("lost") == []
    rig.forged = {}
    heard.until("back")


def test_a_reader_that_was_given_no_key_is_never_asked(rig: Rig) -> None:
    rig.peer(0, key=None)
    heard = _heard(rig, key=None)
    assert heard.states("lost") == [("lost", heard.reader.problem)]
    assert "has no key; expected it given by --osdp-install reader-0" in heard.reader.problem
    assert rig.passed == b""


def test_torn_bytes_and_noise_lose_no_card_that_arrives(rig: Rig) -> None:
    rig.torn = True
    peer, heard = rig.peer(0), _heard(rig)
    heard.until_up()
    for turn in range(5):
        peer.card(CARD)
        heard.until_cards(turn + 1)
    rig.noise = 0.05
    shown = 5
    for _ in range(8):  # a reply that was spoilt is asked for again, in a new channel if need be
        before = len(heard.cards())
        while len(heard.cards()) == before:
            peer.card(CARD)
            shown += 1
            with contextlib.suppress(AssertionError):
                heard.until_cards(before + 1, patience_s=1.0)
    rig.noise = 0.0
    assert set(heard.cards()) == {CARD}
    assert 13 <= len(heard.cards()) <= shown


def test_a_port_that_is_missing_is_said_and_opened_once_it_is_there(rig: Rig) -> None:
    rig.unplug()
    rig.peer(0)
    heard = _heard(rig)
    heard.until_lost()
    assert heard.reader.problem == (
        f"{rig.port}: not there; expected the reader or its adapter plugged in"
    )
    rig.plug()
    heard.until("back")


def test_two_readers_of_one_address_are_refused(rig: Rig) -> None:
    rig.reader(5)
    with pytest.raises(LineBusyError) as refused:
        rig.buses.reader("twin", rig.port, 9600, 5)
    assert str(refused.value) == (f"{rig.port}: address 5 is reader-5's; expected one of its own")


def test_a_missing_library_is_said_by_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "osdp_sys", None)
    with pytest.raises(DeviceUnavailableError) as refused:
        LibosdpBuses(PyserialPorts(), lambda device: KEY).reader("front", "/dev/null", 9600, 0)
    assert str(refused.value) == (
        "libosdp: the library is not installed; expected the Python package libosdp"
    )


def test_cards_that_nobody_takes_are_bounded_and_counted(rig: Rig) -> None:
    reader = rig.reader(0, key=None)
    for _ in range(MOST + 3):
        reader.say("bits", CARD)
    assert (len([one for one in reader.take() if one[0] == "bits"]), reader.lost()) == (MOST, 3)
    assert reader.lost() == 0


def test_the_library_s_own_pause_never_begins(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that was refused many times over is let in at the first time that it is right."""
    monkeypatch.setattr(osdp_link, "RETRY_MS", 10)
    monkeypatch.setattr(osdp_link, "SILENT_MS", 100)
    rig.peer(0, key=bytes(16))
    heard = _heard(rig)
    heard.until_lost()
    asked = until(lambda: rig.passed.count(b"\xff\x53\x00") > 40 and len(rig.passed))
    assert "does not know its key" in heard.reader.problem  # as long as it answers that
    rig.peer(0)
    heard.until("back")
    assert asked


def test_several_that_fall_silent_together_are_each_lost_and_the_last_one_is_still_read(
    rig: Rig,
) -> None:
    peers = [rig.peer(address) for address in range(4)]
    heard = [_heard(rig, address) for address in range(4)]
    for one in heard:
        one.until_up()
    rig.cut = {0, 1, 2}
    for one in heard[:3]:
        one.until_lost()
    peers[3].card(CARD)
    heard[3].until_cards(1)
    assert heard[3].states("lost") == []
    rig.cut = set()
    for one in heard[:3]:
        one.until("back")


@pytest.mark.skipif(
    not MAY_SET_CLOCK, reason="NOT RUN ON A KERNEL'S OWN CLOCK: no DOORWARD_MAY_SET_CLOCK"
)
@pytest.mark.parametrize("by_s", [-3600, 3600])
def test_a_kernels_clock_that_is_set_keeps_no_reader_waiting(rig: Rig, by_s: int) -> None:
    """libosdp reckons by the time of day."""
    peer = rig.peer(0)
    heard = _heard(rig)
    heard.until_up()
    peer.card(CARD)
    heard.until_cards(1)
    _set_clock(by_s)
    try:
        peer.card(OTHER)
        heard.until_cards(2)
        peer.card(CARD)
        heard.until_cards(3)
    finally:
        _set_clock(-by_s)
    peer.card(OTHER)
    heard.until_cards(4)
    assert heard.cards() == [CARD, OTHER, CARD, OTHER]


def _set_clock(by_s: int) -> None:
    time.clock_settime(time.CLOCK_REALTIME, time.clock_gettime(time.CLOCK_REALTIME) + by_s)
