# portable
"""`firmware.access.wrong_pins`: a key is blocked after wrong PINs, longer each time, over restarts."""

from firmware.access.credential import Moment
from firmware.access.record import Keep
from firmware.access.wrong_pins import WrongPins


def at(ms: int) -> Moment:
    return Moment(ms, 5000 + ms // 1000, 0, True)


def test_so_many_wrong_pins_block_the_key_and_no_other() -> None:
    pins = WrongPins(3, 30000)
    assert pins.wrong(1, at(0)) == [Keep("wrong/1", [0, 0, 1])]
    pins.wrong(1, at(1000))
    assert not pins.blocked(1, 1000)
    assert pins.wrong(1, at(2000)) == [Keep("wrong/1", [1, 5032, 0])]
    assert pins.blocked(1, 31999)
    assert not pins.blocked(1, 32000)
    assert not pins.blocked(2, 2000)


def test_each_block_is_twice_as_long_to_an_hour() -> None:
    pins = WrongPins(1, 30000)
    now_ms = 0
    lengths = []
    for _ in range(9):
        pins.wrong(1, at(now_ms))
        length_ms = 1000
        while pins.blocked(1, now_ms + length_ms):
            length_ms += 1000
        lengths.append(length_ms // 1000)
        now_ms += length_ms
    assert lengths == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_a_grant_starts_over() -> None:
    pins = WrongPins(2, 30000)
    assert pins.granted(1) == []
    pins.wrong(1, at(0))
    assert pins.granted(1) == [Keep("wrong/1", None)]
    pins.wrong(1, at(0))
    assert not pins.blocked(1, 0)


def test_a_block_and_what_was_counted_survive_a_restart() -> None:
    pins = WrongPins(3, 30000)
    pins.restore({"wrong/1": [2, 5020, 0], "wrong/2": [0, 0, 2], "use/1": [1, 2]}, at(0))
    assert pins.blocked(1, 19999)
    assert not pins.blocked(1, 20000)
    assert not pins.blocked(2, 0)
    assert pins.wrong(2, at(0)) == [Keep("wrong/2", [1, 5030, 0])]


def test_a_clock_that_was_set_back_makes_no_block_and_none_longer() -> None:
    pins = WrongPins(3, 30000)
    pins.restore({"wrong/1": [1, 9000, 0], "wrong/2": [0, 0, 1]}, at(0))
    assert pins.blocked(1, 29999)
    assert not pins.blocked(1, 30000)
    assert not pins.blocked(2, 0)
    before = WrongPins(3, 30000)
    kept = before.wrong(3, Moment(0, 99000, 0, True))[0]  # wrong once, then the clock goes back
    pins.restore({kept.key: kept.value}, at(0))
    assert not pins.blocked(3, 0)


def test_no_more_keys_are_counted_than_the_limit() -> None:
    pins = WrongPins(1, 1000, 2)
    pins.wrong(1, at(0))
    pins.wrong(2, at(10000))
    assert pins.wrong(3, at(20000))[0] == Keep("wrong/1", None)
    assert len(pins.wrong(3, at(30000))) == 1
