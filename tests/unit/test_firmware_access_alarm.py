# portable
"""`firmware.access.alarm`: raised, seen, over; what the siren and the beacon do meanwhile."""

from firmware.access import alarm
from firmware.access.alarm import ACKNOWLEDGED, NORMAL, RETURNED, UNACKNOWLEDGED, Register
from firmware.access.record import Record

SIREN_MS = 180000


def types(records: "list[Record]") -> "list[str]":
    return [one.type for one in records]


def raised(point: str, kind: str, now_ms: int = 1000) -> Register:
    one = Register(SIREN_MS, 0)
    one.raise_(point, kind, now_ms, 50)
    return one


def state(one: Register, point: str, kind: str) -> str:
    found = one.find(point, kind)
    assert found is not None
    return found.state


def test_an_alarm_is_cleared_when_it_is_over_and_was_acknowledged_before() -> None:
    one = Register(SIREN_MS, 0)
    assert types(one.raise_("front", alarm.DOOR_HELD, 1000, 50)) == ["alarm.raised"]
    assert types(one.acknowledge_shown("key-switch", 2000, 51)) == ["alarm.acknowledged"]
    assert state(one, "front", alarm.DOOR_HELD) == ACKNOWLEDGED
    assert types(one.over("front", alarm.DOOR_HELD, 3000, 52)) == ["alarm.cleared"]
    assert (state(one, "front", alarm.DOOR_HELD), one.alarms()) == (NORMAL, [])


def test_an_alarm_that_is_over_stays_until_it_is_acknowledged() -> None:
    one = raised("front", alarm.DOOR_FORCED)
    assert one.over("front", alarm.DOOR_FORCED, 2000, 51) == []
    assert state(one, "front", alarm.DOOR_FORCED) == RETURNED
    assert one.beacon
    acknowledged = types(one.acknowledge_shown("key-switch", 3000, 52))
    assert acknowledged == ["alarm.acknowledged", "alarm.cleared"]
    assert not one.beacon


def test_a_record_names_point_class_priority_and_who() -> None:
    one = Register(SIREN_MS, 0)
    fields: dict[str, object] = {"point": "front", "class": "door_forced", "priority": 2}
    told = one.raise_("front", alarm.DOOR_FORCED, 1000, 50)
    assert told == [Record("alarm.raised", 1000, fields)]
    fields["by"] = "key-switch"
    told = one.acknowledge_shown("key-switch", 2000, 51)
    assert told == [Record("alarm.acknowledged", 2000, fields)]


def test_a_momentary_alarm_is_over_at_once_and_waits_to_be_acknowledged() -> None:
    for kind in (alarm.PANIC, alarm.CREDENTIAL_MISUSE, alarm.WRONG_ATTEMPTS):
        one = raised("front-in", kind)
        assert state(one, "front-in", kind) == RETURNED, kind
        assert types(one.acknowledge_shown("k", 2000, 51)) == [
            "alarm.acknowledged",
            "alarm.cleared",
        ]


def test_an_alarm_that_comes_again_is_told_again_and_wants_to_be_acknowledged_again() -> None:
    one = raised("lid", alarm.TAMPER)
    one.acknowledge_shown("key-switch", 2000, 51)
    assert types(one.raise_("lid", alarm.TAMPER, 3000, 52)) == ["alarm.raised"]
    assert state(one, "lid", alarm.TAMPER) == UNACKNOWLEDGED


def test_an_alarm_that_comes_back_before_it_was_acknowledged_is_not_over() -> None:
    one = raised("lid", alarm.TAMPER)
    one.over("lid", alarm.TAMPER, 2000, 51)
    one.raise_("lid", alarm.TAMPER, 3000, 52)
    assert types(one.acknowledge_shown("key-switch", 4000, 53)) == ["alarm.acknowledged"]
    assert state(one, "lid", alarm.TAMPER) == ACKNOWLEDGED


def test_the_end_of_what_never_was_is_nothing() -> None:
    one = Register(SIREN_MS, 0)
    assert one.over("front", alarm.DOOR_HELD, 1000, 50) == []
    assert one.acknowledge_shown("key-switch", 1000, 50) == []
    assert one.find("front", alarm.DOOR_HELD) is None


def test_two_points_and_two_classes_are_alarms_of_their_own() -> None:
    one = raised("front", alarm.DOOR_HELD)
    one.raise_("yard", alarm.DOOR_HELD, 1000, 50)
    one.raise_("front", alarm.LOCK_FAULT, 1000, 50)
    one.over("front", alarm.DOOR_HELD, 2000, 51)
    assert state(one, "front", alarm.DOOR_HELD) == RETURNED
    assert state(one, "yard", alarm.DOOR_HELD) == UNACKNOWLEDGED
    assert state(one, "front", alarm.LOCK_FAULT) == UNACKNOWLEDGED


def test_the_siren_sounds_for_what_it_is_for_and_for_nothing_else() -> None:
    for kind in sorted(alarm.PRIORITY):
        expected = kind in ("door_forced", "fire", "panic", "intrusion")
        assert raised("somewhere", kind).siren(1000) == expected, kind


def test_the_siren_falls_silent_by_itself_and_says_when() -> None:
    one = raised("front", alarm.DOOR_FORCED)
    assert one.deadline_ms == 1000 + SIREN_MS
    assert one.siren(1000 + SIREN_MS - 1)
    assert not one.siren(1000 + SIREN_MS)
    one.tick(1000 + SIREN_MS)
    assert [one.deadline_ms, one.beacon] == [None, True]


def test_the_siren_sounds_on_when_the_door_was_closed_again() -> None:
    one = raised("front", alarm.DOOR_FORCED)
    one.over("front", alarm.DOOR_FORCED, 2000, 51)
    assert one.siren(3000)


def test_the_siren_stops_when_the_alarm_is_acknowledged_though_it_lasts() -> None:
    one = raised("front", alarm.DOOR_FORCED)
    one.acknowledge_shown("key-switch", 2000, 51)
    assert (one.siren(2000), one.beacon, one.deadline_ms) == (False, True, None)


def test_each_sounding_alarm_has_its_own_time() -> None:
    one = raised("front", alarm.DOOR_FORCED)
    one.raise_("lobby-panic", alarm.PANIC, 100000, 60)
    assert one.deadline_ms == 1000 + SIREN_MS
    one.tick(1000 + SIREN_MS)
    assert one.deadline_ms == 100000 + SIREN_MS
    assert one.siren(1000 + SIREN_MS)


def test_the_beacon_is_lit_for_every_alarm_but_duress() -> None:
    for kind in sorted(alarm.PRIORITY):
        assert raised("somewhere", kind).beacon == (kind != "duress"), kind


def test_nothing_at_the_door_shows_or_acknowledges_duress() -> None:
    one = raised("front-in", alarm.DURESS)
    assert (one.beacon, one.siren(1000)) == (False, False)
    assert one.acknowledge_shown("key-switch", 2000, 51) == []
    assert state(one, "front-in", alarm.DURESS) == RETURNED


def test_the_most_urgent_alarm_comes_first_and_then_the_oldest() -> None:
    one = Register(SIREN_MS, 0)
    one.raise_("link", alarm.LINK_FAULT, 0, 10)
    one.raise_("yard", alarm.DOOR_HELD, 0, 30)
    one.raise_("front", alarm.DOOR_HELD, 0, 20)
    one.raise_("fire", alarm.FIRE, 0, 40)
    assert [found.point for found in one.alarms()] == ["fire", "front", "yard", "link"]


def test_a_point_may_have_a_priority_of_its_own() -> None:
    one = Register(SIREN_MS, 0)
    records = one.raise_("window", alarm.INTRUSION, 0, 10, 4)
    assert records[0].fields["priority"] == 4


def test_since_is_when_it_was_raised_and_not_when_it_was_seen() -> None:
    one = raised("front", alarm.DOOR_HELD)
    one.acknowledge_shown("key-switch", 9000, 99)
    assert one.alarms()[0].since_s == 50


def test_by_is_who_acknowledged_and_is_forgotten_when_it_comes_again() -> None:
    one = raised("front", alarm.DOOR_HELD)
    one.acknowledge_shown("key-switch", 2000, 51)
    assert one.alarms()[0].by == "key-switch"
    one.raise_("front", alarm.DOOR_HELD, 3000, 52)
    assert one.alarms()[0].by is None


def test_what_is_put_back_is_as_it_was() -> None:
    one = Register(SIREN_MS, 0)
    late_s = 60 + SIREN_MS // 1000
    one.restore("front", alarm.DOOR_FORCED, [UNACKNOWLEDGED, 50, None], 0, late_s)
    one.restore("window", alarm.INTRUSION, [RETURNED, 60, "key-switch"], 0, late_s, 4)
    assert (one.siren(0), one.beacon, one.deadline_ms, one.changed) == (False, True, None, [])
    assert [(found.kind, found.priority, found.since_s, found.by) for found in one.alarms()] == [
        (alarm.DOOR_FORCED, 2, 50, None),
        (alarm.INTRUSION, 4, 60, "key-switch"),
    ]
    assert types(one.acknowledge_shown("key-switch", 1, 70)) == [
        "alarm.acknowledged",
        "alarm.acknowledged",
        "alarm.cleared",
    ]


def test_what_changed_is_listed_in_order_until_it_is_taken() -> None:
    one = raised("front", alarm.DOOR_HELD)
    assert one.changed == [("front", alarm.DOOR_HELD)]
    one.over("front", alarm.DOOR_HELD, 2000, 51)
    assert one.changed == [("front", alarm.DOOR_HELD)] * 2
    one.over("front", alarm.DOOR_HELD, 3000, 52)  # over already: nothing changes
    assert one.changed == [("front", alarm.DOOR_HELD)] * 2


def test_every_class_has_a_priority_from_life_to_maintenance() -> None:
    for kind in alarm.MOMENTARY + alarm.SOUNDING + alarm.SILENT:
        assert kind in alarm.PRIORITY, kind
    assert set(alarm.PRIORITY.values()) == {1, 2, 3, 4}


# ---- told again -----------------------------------------------------------------------------------


def test_an_alarm_that_nobody_saw_is_told_again_each_time_after_twice_as_long() -> None:
    one = Register(SIREN_MS, 600000)
    one.raise_("front", alarm.DOOR_HELD, 0, 50)
    told: list[int] = []
    while len(told) < 12:
        due_ms = one.deadline_ms
        assert due_ms is not None
        for record in one.tick(due_ms):
            assert record.type == "alarm.repeated"
            assert record.fields == {"point": "front", "class": "door_held", "priority": 3}
            told.append(record.at_ms)
    gaps = [after - before for before, after in zip([0] + told, told)]
    assert gaps[:4] == [600000, 1200000, 2400000, 4800000]
    assert gaps[-3:] == [86400000, 86400000, 86400000]


def test_no_new_sound_comes_with_telling_again_and_nothing_is_kept_anew() -> None:
    one = Register(SIREN_MS, 600000)
    one.raise_("front", alarm.DOOR_FORCED, 0, 50)
    one.changed = []
    assert types(one.tick(600000)) == ["alarm.repeated"]
    assert (one.siren(600000), one.changed, one.alarms()[0].since_s) == (False, [], 50)


def test_what_is_over_and_was_not_seen_is_told_again_too_and_what_was_seen_is_not() -> None:
    one = Register(SIREN_MS, 600000)
    one.raise_("front-in", alarm.DURESS, 0, 50)
    assert types(one.tick(600000)) == ["alarm.repeated"]
    one.acknowledge_one("front-in", alarm.DURESS, "op-ling", 700000, 60)
    assert (one.deadline_ms, one.tick(99999999)) == (None, [])


def test_coming_again_starts_the_time_over() -> None:
    one = Register(SIREN_MS, 600000)
    one.raise_("lid", alarm.TAMPER, 0, 50)
    one.tick(600000)
    one.raise_("lid", alarm.TAMPER, 700000, 60)
    assert one.deadline_ms == 1300000


def test_an_alarm_of_before_a_restart_is_told_again_in_the_rhythm_that_it_had() -> None:
    for passed_s, due_ms in ((0, 601000), (599, 2000), (600, 1201000), (1800, 2401000)):
        one = Register(SIREN_MS, 600000)
        one.restore("lid", alarm.TAMPER, [RETURNED, 50, None], 1000, 50 + passed_s)
        assert one.deadline_ms == due_ms
        assert types(one.tick(due_ms)) == ["alarm.repeated"]
    assert one.deadline_ms == 2401000 + 4800000  # 15 times the first after it was raised
    one.restore("lid", alarm.TAMPER, [RETURNED, 50, None], 0, 50 + 400 * 86400)
    assert one.deadline_ms is not None
    assert 0 < one.deadline_ms <= alarm.REPEAT_LIMIT_MS


def test_the_siren_goes_on_after_a_restart_for_what_is_left() -> None:
    for utc_s, until_ms in ((50, 1000 + SIREN_MS), (60, SIREN_MS - 9000), (-900, 1000 + SIREN_MS)):
        one = Register(SIREN_MS, 0)
        one.restore("front", alarm.DOOR_FORCED, [RETURNED, 50, None], 1000, utc_s)
        assert (one.siren(1000), one.siren(until_ms - 1), one.siren(until_ms)) == (
            True,
            True,
            False,
        )


def test_what_was_silenced_seen_or_never_sounds_is_silent_after_a_restart() -> None:
    for kind, saved in (
        (alarm.FIRE, [UNACKNOWLEDGED, 50, None, True]),
        (alarm.FIRE, [alarm.ACKNOWLEDGED, 50, "key-switch"]),
        (alarm.TAMPER, [UNACKNOWLEDGED, 50, None]),
    ):
        one = Register(SIREN_MS, 0)
        one.restore("x", kind, saved, 0, 50)
        assert not one.siren(0)
        found = one.find("x", kind)
        assert found is not None
        assert found.saved == saved
        one.raise_("x", kind, 1000, 51)
        assert found.saved == [UNACKNOWLEDGED, 51, None]
        assert one.siren(1000) == (kind == alarm.FIRE)


# ---- silenced -------------------------------------------------------------------------------------


def test_silence_ends_the_sound_and_nothing_else() -> None:
    one = raised("front", alarm.DOOR_FORCED)
    one.changed = []
    told = one.silence("op-ling", 2000)
    assert told == [Record("alarm.silenced", 2000, {"by": "op-ling"})]
    assert (one.siren(2000), one.beacon) == (False, True)
    assert one.changed == [("front", alarm.DOOR_FORCED)]  # a restart must not sound it again
    assert state(one, "front", alarm.DOOR_FORCED) == UNACKNOWLEDGED
    assert one.silence("op-ling", 3000) == []


def test_what_comes_after_the_silence_sounds() -> None:
    one = raised("front", alarm.DOOR_FORCED)
    one.silence("op-ling", 2000)
    one.raise_("yard", alarm.DOOR_FORCED, 3000, 60)
    assert one.siren(3000)


# ---- acknowledged one by one ----------------------------------------------------------------------


def test_one_alarm_is_acknowledged_by_its_point_and_class() -> None:
    one = raised("front", alarm.DOOR_FORCED)
    one.raise_("yard", alarm.DOOR_FORCED, 1000, 50)
    told = one.acknowledge_one("yard", alarm.DOOR_FORCED, "op-ling", 2000, 51)
    assert [(record.fields["point"], record.fields["by"]) for record in told] == [
        ("yard", "op-ling")
    ]
    assert state(one, "front", alarm.DOOR_FORCED) == UNACKNOWLEDGED


def test_duress_is_acknowledged_only_by_its_name() -> None:
    one = raised("front-in", alarm.DURESS)
    assert one.acknowledge_one(None, None, "op-ling", 2000, 51) == []
    assert one.acknowledge_one("front-in", None, "op-ling", 2000, 51) == []
    told = types(one.acknowledge_one(None, alarm.DURESS, "op-ling", 2000, 51))
    assert told == ["alarm.acknowledged", "alarm.cleared"]


# ---- shelved --------------------------------------------------------------------------------------


def test_a_shelved_alarm_shows_and_sounds_nothing_and_goes_through_its_states_all_the_same() -> (
    None
):
    one = Register(SIREN_MS, 600000)
    reason, told = one.shelve("front", alarm.DOOR_FORCED, 3650, "op-ling", 1000, 50)
    assert (reason, types(told)) == (None, ["alarm.shelved"])
    assert told[0].fields == {
        "point": "front",
        "class": "door_forced",
        "until": 3650,
        "by": "op-ling",
    }
    assert types(one.raise_("front", alarm.DOOR_FORCED, 2000, 51)) == ["alarm.raised"]
    assert (one.siren(2000), one.beacon) == (False, False)
    assert one.acknowledge_shown("key-switch", 3000, 52) == []
    assert state(one, "front", alarm.DOOR_FORCED) == UNACKNOWLEDGED
    assert one.tick(700000) == []


def test_a_shelved_alarm_that_is_not_normal_is_shown_again_at_the_end() -> None:
    one = Register(SIREN_MS, 600000)
    one.shelve("front", alarm.DOOR_HELD, 3650, "op-ling", 1000, 50)
    one.raise_("front", alarm.DOOR_HELD, 2000, 51)
    assert one.deadline_ms == 3601000
    assert types(one.tick(3601000)) == ["alarm.unshelved"]
    assert (one.beacon, one.deadline_ms) == (True, 3601000 + 600000)
    assert one.reshelved == [("front", "door_held"), ("front", "door_held")]


def test_what_threatens_life_cannot_be_shelved_and_nothing_for_longer_than_a_day() -> None:
    one = Register(SIREN_MS, 0)
    for kind in (alarm.FIRE, alarm.PANIC, alarm.DURESS):
        assert one.shelve("x", kind, 60, "op", 0, 50) == (alarm.NOT_SHELVABLE, [])
    assert one.shelve("x", alarm.TAMPER, 60, "op", 0, 50, 1) == (alarm.NOT_SHELVABLE, [])
    assert one.shelve("x", alarm.TAMPER, 60, "op", 0, 50, 2)[0] is None
    assert one.shelve("x", alarm.DOOR_HELD, 50, "op", 0, 50) == (alarm.PAST, [])
    assert one.shelve("x", alarm.DOOR_HELD, 86451, "op", 0, 50) == (alarm.TOO_LONG, [])
    assert one.shelve("x", alarm.DOOR_HELD, 86450, "op", 0, 50)[0] is None


def test_a_restart_keeps_what_is_shelved_until_its_end() -> None:
    one = Register(SIREN_MS, 0)
    one.restore("front", alarm.DOOR_HELD, [UNACKNOWLEDGED, 50, None], 0, 50)
    one.restore_shelved("front", alarm.DOOR_HELD, 160, "op-ling", 0, 100)
    assert (one.beacon, one.deadline_ms) == (False, 60000)
    one.restore_shelved("yard", alarm.DOOR_HELD, 90, "op-ling", 0, 100)
    assert types(one.tick(1)) == ["alarm.unshelved"]


def test_every_class_of_the_contract_has_a_priority() -> None:
    assert len(alarm.PRIORITY) == 20
    assert alarm.PRIORITY["camera_covered"] == 3
    for kind in ("camera_fault", "certificate_expiring", "update_fault"):
        assert alarm.PRIORITY[kind] == 4
