# portable
"""`firmware.access.sounder`: which rhythm the siren and the beacon play, and what of it is heard when."""

from firmware.access import alarm, signals, sounder
from firmware.access.alarm import Register
from firmware.access.sounder import BEACON, SIREN, Sounder

SIREN_MS = 180000


def raised(*kinds: str) -> Register:
    register = Register(SIREN_MS, 0)
    for kind in kinds:
        register.raise_("somewhere", kind, 1000, 50)
    return register


def heard(player: Sounder, name: str, until_ms: int) -> "list[tuple[int, bool]]":
    """When it changes and to what, played from 0."""
    changes: list[tuple[int, bool]] = []
    now_ms = 0
    while now_ms < until_ms:
        player.play(name, now_ms)
        if not changes or changes[-1][1] != player.on:
            changes.append((now_ms, player.on))
        if player.deadline_ms is None:
            break
        assert player.deadline_ms > now_ms
        now_ms = player.deadline_ms
    return changes


def test_fire_sounds_the_temporal_three_pattern() -> None:
    times = [at_ms for at_ms, _ in heard(Sounder(SIREN), alarm.FIRE, 8000)]
    assert times == [0, 500, 1000, 1500, 2000, 2500, 4000, 4500, 5000, 5500, 6000, 6500]


def test_every_sounding_class_has_a_rhythm_of_its_own() -> None:
    assert sorted(SIREN) == sorted(alarm.SOUNDING)
    assert len({str(SIREN[kind]) for kind in SIREN}) == len(SIREN)


def test_fire_intrusion_forced_held_and_a_fault_flash_differently_and_unlike_the_pre_alarm() -> (
    None
):
    shown = [alarm.FIRE, alarm.INTRUSION, alarm.DOOR_FORCED, alarm.DOOR_HELD, "fault", "seen"]
    rhythms = [str(BEACON[name]) for name in shown] + [str(signals.PRE_ALARM_SOUND)]
    assert len(set(rhythms)) == len(rhythms)


def test_nothing_flashes_more_than_once_a_second() -> None:
    for name in sorted(BEACON):
        total_ms = sum([step[1] for step in BEACON[name]])
        assert total_ms == 0 or total_ms >= 1000 * len(BEACON[name]) // 2, name


def test_a_pause_of_a_rhythm_is_told_to_sound_all_the_same() -> None:
    player = Sounder(SIREN)
    player.play(alarm.FIRE, 0)
    player.play(alarm.FIRE, 700)
    assert (player.on, player.told) == (False, True)
    player.play("", 800)
    assert (player.on, player.told, player.deadline_ms) == (False, False, None)


def test_the_same_rhythm_goes_on_and_another_begins_at_its_start() -> None:
    player = Sounder(SIREN)
    player.play(alarm.DOOR_FORCED, 0)
    player.play(alarm.DOOR_FORCED, 1200)
    assert not player.on
    player.play(alarm.PANIC, 1250)
    assert (player.on, player.deadline_ms) == (True, 1450)


def test_the_most_urgent_alarm_is_the_one_that_sounds_and_flashes() -> None:
    for more, less in zip(sounder.URGENCY, sounder.URGENCY[1:]):
        assert sounder.beacon(raised(less, more)) == more
        if less in alarm.SOUNDING:
            assert sounder.siren(raised(less, more), 1000) == more


def test_an_alarm_that_was_seen_is_lit_steadily_and_silent_behind_one_that_was_not() -> None:
    register = raised(alarm.FIRE)
    register.acknowledge_shown("key-switch", 2000, 51)
    assert (sounder.siren(register, 2000), sounder.beacon(register)) == ("", "seen")
    register.raise_("cam", alarm.CAMERA_FAULT, 3000, 52)
    assert (sounder.siren(register, 3000), sounder.beacon(register)) == ("", "fault")


def test_duress_neither_sounds_nor_flashes_and_a_camera_only_flashes() -> None:
    duress = raised(alarm.DURESS)
    assert (sounder.siren(duress, 1000), sounder.beacon(duress)) == ("", "")
    for kind in (alarm.CAMERA_FAULT, alarm.CAMERA_COVERED):
        assert (sounder.siren(raised(kind), 1000), sounder.beacon(raised(kind))) == ("", "fault")


def test_what_is_told_is_what_the_register_says_whatever_is_raised() -> None:
    for kind in sorted(alarm.PRIORITY):
        register = raised(kind)
        assert bool(sounder.beacon(register)) == register.beacon, kind
        assert bool(sounder.siren(register, 1000)) == register.siren(1000), kind
        assert not sounder.siren(register, 1000 + SIREN_MS)
