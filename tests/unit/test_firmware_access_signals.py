# portable
"""`firmware.access.signals`: what a resident sees and hears, to the millisecond."""

from firmware.access import credential, signals
from firmware.access.signals import (
    AMBER,
    FIRE,
    FREE,
    GRANTED,
    GREEN,
    KEY,
    LASTING,
    LET_IN,
    OFF,
    PAUSE_BEGAN,
    PAUSED,
    PIN_WANTED,
    READY,
    RED,
    REFUSED,
    SHUT_OUT,
    STARTING,
    Signals,
)

START_MS = 5137  # no multiple of any rhythm


def steps(one: Signals, until_ms: int) -> "list[tuple[int, object, bool]]":
    """What changes and when (after the start), ticking only at the deadlines that it names."""
    now_ms = START_MS
    seen: list[tuple[int, object, bool]] = []
    while True:
        one.tick(now_ms)
        if not seen or seen[-1][1:] != (one.light, one.sound):
            seen.append((now_ms - START_MS, one.light, one.sound))
        due_ms = one.deadline_ms
        if due_ms is None or due_ms > START_MS + until_ms:
            return seen
        assert due_ms > now_ms
        now_ms = due_ms


def lasting(moment: str, pre_alarm: bool = False) -> Signals:
    one = Signals()
    one.last(moment, pre_alarm, START_MS)
    return one


def passing(moment: str, over: str = READY) -> Signals:
    one = lasting(over)
    one.show(moment, START_MS)
    return one


def lights(one: Signals, until_ms: int) -> "list[tuple[int, object]]":
    found = steps(one, until_ms)
    assert not [step for step in found if step[2]]
    return [step[:2] for step in found]


def test_each_lasting_moment_has_its_rhythm() -> None:
    steady = ((READY, RED), (LET_IN, GREEN), (PAUSED, RED), (FIRE, GREEN), (STARTING, AMBER))
    for moment, colour in steady:
        assert lights(lasting(moment), 60000) == [(0, colour)], moment
    assert lights(lasting(PIN_WANTED), 1500) == [(0, AMBER), (500, OFF), (1000, AMBER), (1500, OFF)]
    assert lights(lasting(FREE), 2100) == [
        (0, GREEN),
        (100, OFF),
        (1000, GREEN),
        (1100, OFF),
        (2000, GREEN),
        (2100, OFF),
    ]
    assert lights(lasting(SHUT_OUT), 3000) == [(0, RED), (1000, OFF), (2000, RED), (3000, OFF)]


def test_every_lasting_moment_is_drawn() -> None:
    assert sorted(signals.LIGHT) == sorted(LASTING)


def test_a_controller_that_starts_is_amber_once_it_is_ticked() -> None:
    one = Signals()
    assert (one.light, one.sound) == (OFF, False)
    one.tick(0)
    assert (one.light, one.sound) == (AMBER, False)


def test_a_refusal_is_three_red_flashes_and_three_beeps() -> None:
    assert steps(passing(REFUSED), 10000) == [
        (0, RED, True),
        (100, RED, False),
        (150, OFF, False),
        (200, OFF, True),
        (300, RED, False),
        (400, RED, True),
        (450, OFF, True),
        (500, OFF, False),
        (600, RED, False),
        (750, OFF, False),
        (900, RED, False),
    ]


def test_a_refusal_looks_the_same_in_every_lasting_moment_while_it_runs() -> None:
    for moment in LASTING:
        one = passing(REFUSED, moment)
        shown = [step for step in steps(one, 899) if step[0] < 900]
        assert shown == steps(passing(REFUSED), 899), moment


def test_a_grant_is_one_beep_and_leaves_the_light_alone() -> None:
    assert steps(passing(GRANTED, LET_IN), 10000) == [(0, GREEN, True), (200, GREEN, False)]


def test_a_key_is_one_click_and_a_wink() -> None:
    assert steps(passing(KEY, PIN_WANTED), 400) == [
        (0, OFF, True),
        (30, OFF, False),
        (60, AMBER, False),
    ]


def test_a_pause_begins_with_one_long_beep() -> None:
    assert steps(passing(PAUSE_BEGAN, PAUSED), 10000) == [(0, RED, True), (600, RED, False)]


def test_a_passing_moment_takes_the_place_of_one_that_runs() -> None:
    one = passing(REFUSED)
    one.show(PAUSE_BEGAN, START_MS)
    assert steps(one, 10000) == steps(passing(PAUSE_BEGAN), 10000)


def test_the_warning_beeps_each_second_until_the_door_is_closed() -> None:
    one = lasting(READY, True)
    assert steps(one, 2100) == [
        (0, RED, True),
        (100, RED, False),
        (1000, RED, True),
        (1100, RED, False),
        (2000, RED, True),
        (2100, RED, False),
    ]
    one.last(READY, False, START_MS + 3050)
    assert (one.sound, one.deadline_ms) == (False, None)


def test_the_warning_goes_on_beneath_a_passing_moment() -> None:
    one = lasting(READY, True)
    one.last(READY, True, START_MS + 500)
    one.show(KEY, START_MS + 500)
    assert one.deadline_ms == START_MS + 500, "what was shown is not due"
    one.last(READY, True, START_MS + 500)
    assert one.sound
    one.tick(START_MS + 530)
    assert not one.sound
    one.tick(START_MS + 1000)
    assert one.sound


def test_the_same_moment_again_does_not_begin_its_rhythm_anew() -> None:
    one = lasting(PIN_WANTED)
    one.last(PIN_WANTED, False, START_MS + 400)
    one.tick(START_MS + 500)
    assert one.light == OFF


def test_a_late_tick_shows_what_a_punctual_one_would() -> None:
    one = lasting(FREE)
    one.tick(START_MS + 86400000 + 50)
    assert (one.light, one.deadline_ms) == (GREEN, START_MS + 86400000 + 100)


def test_nothing_is_due_where_nothing_changes() -> None:
    assert lasting(READY).deadline_ms is None
    assert lasting(LET_IN).deadline_ms is None


def test_no_two_lasting_moments_of_one_colour_differ_by_less_than_their_rhythm() -> None:
    rhythms = {}
    for moment in (READY, PIN_WANTED, FREE, SHUT_OUT):
        rhythms[moment] = tuple([step[1] for step in signals.LIGHT[moment]])
    assert len(set(rhythms.values())) == 4


def test_the_reasons_of_a_denial_have_no_signal_of_their_own() -> None:
    reasons = [
        getattr(credential, name)
        for name in dir(credential)
        if isinstance(getattr(credential, name), str)
    ]
    assert credential.WRONG_PIN in reasons
    assert not [one for one in reasons if one in signals.PASSING_LIGHT]
