# portable
"""`firmware.access.fire`: from the open loop to its reset, by itself or by the key switch."""

from firmware.access.fire import (
    INPUT,
    KEY_TURNED,
    LOOP_CLOSED,
    LOOP_OPENED,
    MANUAL,
    RESETS,
    Fire,
)


def after(reset: str, happened: "tuple[tuple[str, int], ...]") -> Fire:
    one = Fire(reset)
    for what, now_ms in happened:
        one.handle(what, now_ms)
    return one


def test_an_open_loop_is_fire_at_once() -> None:
    for reset in RESETS:
        one = Fire(reset)
        assert not one.on
        one.handle(LOOP_OPENED, 1000)
        assert one.on


def test_by_input_it_is_over_a_second_after_the_loop_is_whole() -> None:
    one = after(INPUT, ((LOOP_OPENED, 1000), (LOOP_CLOSED, 5000)))
    assert one.deadline_ms == 6000
    one.tick(5999)
    assert one.on
    one.tick(6000)
    assert [one.on, one.deadline_ms] == [False, None]


def test_a_loop_that_opens_again_within_the_second_burns_on() -> None:
    one = after(INPUT, ((LOOP_OPENED, 1000), (LOOP_CLOSED, 5000), (LOOP_OPENED, 5500)))
    one.tick(60000)
    assert [one.on, one.deadline_ms] == [True, None]


def test_a_loop_that_opens_again_after_the_second_is_another_fire() -> None:
    one = after(INPUT, ((LOOP_OPENED, 1000), (LOOP_CLOSED, 5000), (LOOP_OPENED, 6000)))
    assert [one.on, one.deadline_ms] == [True, None]


def test_a_late_loop_ends_the_fire_before_it_takes_what_comes() -> None:
    assert not after(INPUT, ((LOOP_OPENED, 1000), (LOOP_CLOSED, 5000), (LOOP_CLOSED, 7000))).on


def test_a_bouncing_loop_counts_its_second_from_the_first_closing() -> None:
    one = after(INPUT, ((LOOP_OPENED, 1000), (LOOP_CLOSED, 5000), (LOOP_CLOSED, 5400)))
    assert one.deadline_ms == 6000


def test_by_input_the_key_switch_ends_nothing() -> None:
    one = after(INPUT, ((LOOP_OPENED, 1000), (LOOP_CLOSED, 5000), (KEY_TURNED, 5100)))
    assert one.on


def test_by_hand_it_waits_for_the_key_switch_for_ever() -> None:
    one = after(MANUAL, ((LOOP_OPENED, 1000), (LOOP_CLOSED, 5000)))
    one.tick(86400000)
    assert [one.on, one.deadline_ms] == [True, None]
    one.handle(KEY_TURNED, 86400001)
    assert not one.on


def test_by_hand_a_key_that_is_turned_while_the_loop_is_open_ends_nothing() -> None:
    one = after(MANUAL, ((LOOP_OPENED, 1000), (KEY_TURNED, 2000), (LOOP_CLOSED, 5000)))
    assert one.on


def test_a_key_that_is_turned_without_fire_is_nothing() -> None:
    for reset in RESETS:
        assert not after(reset, ((KEY_TURNED, 1000), (LOOP_CLOSED, 1001))).on


def restored(reset: str, loop_open: bool, was_burning: bool) -> bool:
    one = Fire(reset)
    one.restore(1000, loop_open, was_burning)
    one.tick(60000)
    return one.on


def test_after_a_restart_an_open_loop_is_fire_whatever_was_before() -> None:
    for reset in RESETS:
        assert restored(reset, True, False)
        assert restored(reset, True, True)


def test_after_a_restart_only_a_fire_that_waits_for_its_key_goes_on() -> None:
    assert restored(MANUAL, False, True)
    assert not restored(INPUT, False, True)
    assert not restored(MANUAL, False, False)
    one = Fire(MANUAL)
    one.restore(1000, False, True)
    one.handle(KEY_TURNED, 2000)
    assert not one.on
