# portable
"""`firmware.access.portal`: release and relock, taken and not, forced and held, modes, REX and fire."""

from firmware.access import portal, record, release
from firmware.access.portal import (
    ACCESSED,
    BLOCKED,
    DOOR_FORCED,
    DOOR_HELD,
    LOCKED,
    LOCKED_DOWN,
    LOCKED_OPEN,
    MODES,
    NORMAL,
    UNLOCKED,
    Portal,
    Rules,
)

WHO = {"access_point": "front-in", "credential": 1, "holder": 11}
WHO_ELSE = {"access_point": "front-in", "credential": 2, "holder": 22}

GRANT = ("portal.released", "credential")
REX = ("portal.released", "rex")
SECURED = ("portal.secured",)
OPENED = ("portal.opened",)
CLOSED = ("portal.closed",)
TAKEN = ("access.taken", 1)
NOT_TAKEN = ("access.not_taken", 1)


def rules(cuts: bool = False, on_fire: bool = True, on_close: bool = False) -> Rules:
    return Rules(
        egress_cuts_power=cuts,
        egress_ms=30000,
        fire_releases=on_fire,
        release_ms=5000,
        extended_release_ms=15000,
        open_ms=30000,
        extended_open_ms=60000,
        pre_alarm_ms=5000,
        settle_ms=200,
        travel_ms=60,
        relock_on_close=on_close,
    )


def door(
    cuts: bool = False,
    on_fire: bool = True,
    on_close: bool = False,
    mode: str = LOCKED,
    is_open: bool = False,
) -> Portal:
    one = Portal("front", rules(cuts, on_fire, on_close))
    one.start(mode, record.SCHEDULE, is_open, False, False, 0)
    return one


def told(records: "list[record.Record]") -> "list[tuple[object, ...]]":
    """What the records say, in short."""
    short: list[tuple[object, ...]] = []
    for one in records:
        assert one.fields["portal"] == "front"
        said: tuple[object, ...] = (one.type,)
        for key in ("cause", "mode", "credential"):
            if key in one.fields and not (key == "cause" and "mode" in one.fields):
                said = said + (one.fields[key],)
        short.append(said)
    return short


def grant(one: Portal, now_ms: int, who: "dict[str, object]" = WHO) -> "list[tuple[object, ...]]":
    return told(one.release(record.CREDENTIAL, False, who, now_ms))


def opens(one: Portal, at_ms: int, now_ms: "int | None" = None) -> "list[tuple[object, ...]]":
    return told(one.contact(True, at_ms, at_ms if now_ms is None else now_ms))


def closes(one: Portal, at_ms: int, now_ms: "int | None" = None) -> "list[tuple[object, ...]]":
    return told(one.contact(False, at_ms, at_ms if now_ms is None else now_ms))


def ticks(one: Portal, now_ms: int) -> "list[tuple[object, ...]]":
    return told(one.tick(now_ms))


# ---- release and relock ----------------------------------------------------------------------------


def test_a_granted_door_is_released_until_it_opens_and_then_relocks() -> None:
    one = door()
    assert (one.unlocked, one.mode_now) == (False, LOCKED)
    assert grant(one, 1000) == [GRANT]
    assert (one.unlocked, one.mode_now, one.until_ms) == (True, ACCESSED, 6000)
    assert opens(one, 2000) == [OPENED, TAKEN, SECURED]
    assert (one.unlocked, one.mode_now, one.alarm) == (False, LOCKED, NORMAL)
    assert closes(one, 5000) == [CLOSED]
    assert one.deadline_ms is None


def test_a_door_that_relocks_on_closing_stays_released_while_it_is_open() -> None:
    one = door(on_close=True)
    grant(one, 1000)
    assert opens(one, 2000) == [OPENED, TAKEN]
    assert ticks(one, 20000) == []
    assert (one.unlocked, one.mode_now) == (True, ACCESSED)
    assert closes(one, 21000) == [CLOSED, SECURED]
    assert not one.unlocked


def test_a_lock_that_waits_for_the_door_to_close_waits_for_no_contact_that_is_cut() -> None:
    for why in ("fault", "unknown"):
        one = door(on_close=True)
        grant(one, 1000)
        opens(one, 2000)
        assert one.unlocked
        assert told(one.lose_contact(why, 3000)) == [SECURED]
        assert not one.unlocked
        closes(one, 9000)
        assert not one.unlocked


def test_the_lock_closes_at_the_deadline_and_the_verdict_waits_for_settling() -> None:
    one = door()
    grant(one, 1000)
    assert one.deadline_ms == 6000
    assert ticks(one, 5999) == []
    assert one.unlocked
    assert ticks(one, 6000) == [SECURED]
    assert not one.unlocked
    assert one.deadline_ms == 6200
    assert ticks(one, 6199) == []
    assert ticks(one, 6200) == [NOT_TAKEN]
    assert one.deadline_ms is None


def test_a_late_tick_decides_as_a_punctual_one() -> None:
    one = door()
    grant(one, 1000)
    assert ticks(one, 60000) == [SECURED, NOT_TAKEN]
    assert not one.unlocked


def test_a_release_that_is_over_is_so_before_what_comes_late() -> None:
    one = release.Release()
    one.handle(release.RELEASE, 1000, 5000)
    one.handle(release.OPENED_KEEP, 7000)
    assert [one.state, one.deadline_ms] == [release.ENGAGED, None]


def test_a_second_grant_restarts_the_time() -> None:
    one = door()
    grant(one, 1000)
    assert grant(one, 3000, WHO_ELSE) == [GRANT]
    assert ticks(one, 6000) == []
    assert one.unlocked
    assert ticks(one, 8000) == [SECURED]
    assert ticks(one, 8200) == [("access.not_taken", 2)]


def test_a_second_grant_does_not_shorten_an_extended_one() -> None:
    one = door()
    one.release(record.CREDENTIAL, True, WHO, 1000)
    grant(one, 2000, WHO_ELSE)
    assert one.until_ms == 16000
    assert ticks(one, 15999) == []
    assert ticks(one, 16000) == [SECURED]


def test_one_verdict_is_given_for_two_grants_and_it_is_the_last_ones() -> None:
    one = door()
    grant(one, 1000)
    grant(one, 2000, WHO_ELSE)
    assert opens(one, 3000) == [OPENED, ("access.taken", 2), SECURED]


def test_a_grant_while_the_last_one_settles_gives_that_one_its_verdict() -> None:
    one = door()
    grant(one, 1000)
    ticks(one, 6000)
    assert grant(one, 6100, WHO_ELSE) == [GRANT, NOT_TAKEN]
    assert opens(one, 7000) == [OPENED, ("access.taken", 2), SECURED]


def test_a_command_releases_and_awaits_nobody() -> None:
    one = door()
    assert told(one.release(record.COMMAND, False, None, 1000)) == [("portal.released", "command")]
    assert ticks(one, 60000) == [SECURED]


def test_a_grant_at_an_open_door_is_recorded_and_ends() -> None:
    one = door()
    grant(one, 1000)
    opens(one, 2000)
    assert grant(one, 3000, WHO_ELSE) == [GRANT]
    assert ticks(one, 8000) == [SECURED]
    assert ticks(one, 8200) == [("access.not_taken", 2)]


def test_a_release_is_recorded_though_the_lock_is_free_already() -> None:
    one = door(mode=UNLOCKED)
    assert one.unlocked
    assert grant(one, 1000) == [GRANT]
    assert opens(one, 2000) == [OPENED, TAKEN]
    assert one.unlocked


# ---- extended times --------------------------------------------------------------------------------


def test_extended_times_hold_for_release_and_opening() -> None:
    one = door()
    one.release(record.CREDENTIAL, True, WHO, 1000)
    assert one.until_ms == 16000
    assert opens(one, 15000) == [OPENED, TAKEN, SECURED]
    assert ticks(one, 15000 + 54999) == []
    assert not one.pre_alarm
    ticks(one, 15000 + 55000)
    assert one.pre_alarm
    assert ticks(one, 15000 + 60000) == [("held_raised",)]


def test_extended_open_time_ends_with_its_opening() -> None:
    one = door()
    one.release(record.CREDENTIAL, True, WHO, 1000)
    opens(one, 2000)
    closes(one, 3000)
    grant(one, 4000, WHO_ELSE)
    opens(one, 5000)
    assert one.until_ms == 35000


def test_a_free_door_that_is_bound_has_the_plain_open_time_again() -> None:
    one = door()
    one.release(record.CREDENTIAL, True, WHO, 1000)
    opens(one, 2000)
    closes(one, 3000)
    one.set_mode(UNLOCKED, record.COMMAND, None, 4000)
    opens(one, 5000)
    one.set_mode(LOCKED, record.COMMAND, None, 6000)
    assert one.until_ms == 36000


def test_a_late_rex_gives_its_own_open_time_and_not_that_of_an_extended_key_before() -> None:
    one = door()
    one.release(record.CREDENTIAL, True, WHO, 1000)
    opens(one, 2000)
    closes(one, 3000)
    opens(one, 20000)
    one.rex(19990, 20050)
    ticks(one, 25050)
    assert one.until_ms == 50000


# ---- late edges, judged by their own time ----------------------------------------------------------


def test_an_opening_known_late_is_taken_by_the_time_of_its_edge() -> None:
    one = door()
    grant(one, 1000)
    ticks(one, 6000)
    assert opens(one, 5990, 6040) == [OPENED, TAKEN]
    assert one.alarm == NORMAL
    assert ticks(one, 7000) == []


def test_an_opening_in_the_millisecond_of_the_release_is_permitted() -> None:
    one = door()
    grant(one, 1000)
    assert opens(one, 1000) == [OPENED, TAKEN, SECURED]


def test_an_opening_while_the_bolt_still_travels_is_permitted() -> None:
    one = door()
    grant(one, 1000)
    ticks(one, 6000)
    assert opens(one, 6060, 6100) == [OPENED, TAKEN]
    other = door()
    grant(other, 1000)
    ticks(other, 6000)
    assert opens(other, 6061, 6100) == [OPENED]
    assert ticks(other, 6300) == [("forced_raised",), NOT_TAKEN]


def test_an_edge_from_before_the_grant_is_forced() -> None:
    one = door()
    grant(one, 1000)
    assert opens(one, 990, 1010) == [OPENED]
    assert ticks(one, 1210) == [("forced_raised",)]


def test_an_edge_from_before_the_door_was_set_free_is_forced() -> None:
    one = door()
    one.set_mode(UNLOCKED, record.SCHEDULE, None, 1000)
    assert opens(one, 990, 1010) == [OPENED]
    assert ticks(one, 1210) == [("forced_raised",)]


def test_an_edge_from_before_the_door_was_bound_again_is_permitted() -> None:
    one = door(mode=UNLOCKED)
    one.set_mode(LOCKED, record.SCHEDULE, None, 1000)
    assert opens(one, 990, 1010) == [OPENED]
    assert one.alarm == NORMAL
    assert one.until_ms == 30990


def test_a_rex_edge_that_arrives_late_makes_its_opening_permitted() -> None:
    one = door()
    assert opens(one, 1000) == [OPENED]
    assert told(one.rex(990, 1150)) == [REX]
    assert one.alarm == NORMAL
    assert ticks(one, 1200) == []
    assert one.alarm == NORMAL


def test_a_rex_from_after_the_opening_does_not_permit_it() -> None:
    one = door()
    opens(one, 1000)
    one.rex(1001, 1100)
    assert ticks(one, 1200) == [("forced_raised",)]
    assert one.alarm == DOOR_FORCED


def test_a_late_rex_permits_an_opening_that_is_over_already() -> None:
    one = door()
    opens(one, 1000)
    closes(one, 1100)
    assert told(one.rex(990, 1150)) == [REX]
    assert ticks(one, 1300) == []


def test_a_fire_known_late_makes_its_opening_permitted() -> None:
    one = door()
    opens(one, 1000)
    assert told(one.set_fire(True, 1000, 1100)) == [("portal.released", "fire")]
    assert ticks(one, 5000) == []
    assert one.alarm == NORMAL


# ---- forced ----------------------------------------------------------------------------------------


def test_a_door_that_nobody_released_is_forced_after_settling_and_until_it_closes() -> None:
    one = door()
    assert opens(one, 1000) == [OPENED]
    assert (one.alarm, one.deadline_ms, one.until_ms) == (NORMAL, 1200, None)
    assert ticks(one, 1199) == []
    assert ticks(one, 1200) == [("forced_raised",)]
    assert (one.alarm, one.unlocked, one.deadline_ms) == (DOOR_FORCED, False, None)
    assert ticks(one, 90000) == []  # a forced door is not held as well
    assert closes(one, 91000) == [CLOSED, ("forced_over",)]
    assert one.alarm == NORMAL


def test_a_forced_glimpse_is_an_alarm_that_is_over() -> None:
    one = door()
    opens(one, 1000)
    assert closes(one, 1050) == [CLOSED]
    assert ticks(one, 1200) == [("forced_raised",), ("forced_over",)]
    assert one.alarm == NORMAL


def test_a_grant_does_not_excuse_a_forced_door() -> None:
    one = door()
    opens(one, 1000)
    ticks(one, 1200)
    grant(one, 2000)
    assert one.alarm == DOOR_FORCED
    assert closes(one, 3000) == [CLOSED, ("forced_over",)]


def test_a_free_mode_does_not_excuse_a_forced_door() -> None:
    one = door()
    opens(one, 1000)
    ticks(one, 1200)
    one.set_mode(UNLOCKED, record.COMMAND, None, 2000)
    assert one.alarm == DOOR_FORCED


# ---- held ------------------------------------------------------------------------------------------


def test_a_door_held_open_warns_first_and_both_count_from_the_edge() -> None:
    one = door()
    grant(one, 1000)
    opens(one, 2000, 2040)  # known 40 ms late
    assert one.deadline_ms == 27000
    assert ticks(one, 26999) == []
    assert not one.pre_alarm
    assert ticks(one, 27000) == []
    assert (one.pre_alarm, one.alarm, one.deadline_ms) == (True, NORMAL, 32000)
    assert ticks(one, 31999) == []
    assert ticks(one, 32000) == [("held_raised",)]
    assert (one.pre_alarm, one.alarm) == (False, DOOR_HELD)
    assert closes(one, 40000) == [CLOSED, ("held_over",)]
    assert one.alarm == NORMAL


def test_closing_within_the_time_ends_the_warning_without_an_alarm() -> None:
    one = door()
    grant(one, 1000)
    opens(one, 2000)
    ticks(one, 28000)
    assert closes(one, 31999) == [CLOSED]
    assert (one.pre_alarm, one.deadline_ms) == (False, None)


def test_a_badge_does_not_silence_a_held_door() -> None:
    one = door()
    grant(one, 1000)
    opens(one, 2000)
    ticks(one, 32000)
    grant(one, 33000, WHO_ELSE)
    assert one.alarm == DOOR_HELD


def test_a_door_open_at_power_up_is_open_since_then_and_not_forced() -> None:
    one = door(is_open=True)
    assert ticks(one, 1000) == []
    assert one.alarm == NORMAL
    assert ticks(one, 29999) == []
    assert ticks(one, 30000) == [("held_raised",)]
    assert closes(one, 31000) == [CLOSED, ("held_over",)]


def test_a_free_door_may_stay_open_and_its_time_begins_when_it_is_bound() -> None:
    one = door(mode=UNLOCKED)
    assert opens(one, 1000) == [OPENED]
    assert ticks(one, 500000) == []
    told_of = told(one.set_mode(LOCKED, record.SCHEDULE, None, 500000))
    assert told_of == [("portal.mode", "locked"), SECURED]
    assert ticks(one, 529999) == []
    assert ticks(one, 530000) == [("held_raised",)]


def test_the_same_contact_state_again_is_nothing() -> None:
    one = door()
    assert closes(one, 1000) == []
    grant(one, 2000)
    opens(one, 3000)
    assert opens(one, 3100) == []


# ---- the way out -----------------------------------------------------------------------------------


def test_a_handle_releases_at_once_in_every_mode_and_relocks_on_opening() -> None:
    for mode in sorted(MODES):
        one = door(mode=mode)
        assert told(one.rex(1000, 1000)) == [REX], mode
        assert one.unlocked, mode
        assert not one.waits_for_record(1000), mode
        assert opens(one, 1500)[:1] == [OPENED], mode
        assert one.alarm == NORMAL, mode
        assert one.unlocked == MODES[mode][0], mode


def test_a_rex_counts_from_the_time_of_its_edge_for_what_is_recorded() -> None:
    one = door()
    assert one.rex(950, 1000)[0].at_ms == 950
    assert one.until_ms == 6000


def test_an_exit_button_releases_for_its_own_time_through_several_openings() -> None:
    one = door(cuts=True)
    assert told(one.rex(1000, 1000)) == [REX]
    for at_ms in (2000, 10000, 20000):
        assert opens(one, at_ms) == [OPENED]
        assert one.unlocked
        assert closes(one, at_ms + 3000) == [CLOSED]
        assert one.unlocked
    assert ticks(one, 30999) == []
    assert ticks(one, 31000) == [SECURED]
    assert opens(one, 31500) == [OPENED]
    assert ticks(one, 31700) == [("forced_raised",)]


def test_the_open_time_runs_within_the_exit_buttons_time() -> None:
    one = door(cuts=True)
    one.rex(1000, 1000)
    opens(one, 1500)
    assert ticks(one, 31499) == [SECURED]
    assert ticks(one, 31500) == [("held_raised",)]


def test_an_opening_in_the_exit_buttons_time_is_nobodys_who_was_granted() -> None:
    one = door(cuts=True)
    grant(one, 1000)
    one.rex(2000, 2000)
    assert opens(one, 3000) == [OPENED]
    assert ticks(one, 6200) == [NOT_TAKEN]
    assert one.unlocked


def test_pressing_again_restarts_the_exit_buttons_time() -> None:
    one = door(cuts=True)
    one.rex(1000, 1000)
    one.rex(20000, 20000)
    assert ticks(one, 49999) == []
    assert ticks(one, 50000) == [SECURED]


def test_lockdown_ends_a_grant_and_leaves_the_way_out_its_time() -> None:
    one = door()
    grant(one, 1000)
    assert told(one.set_mode(LOCKED_DOWN, record.COMMAND, None, 2000)) == [
        ("portal.mode", "locked_down"),
        SECURED,
    ]
    assert ticks(one, 2200) == [NOT_TAKEN]
    for cuts, end_ms in ((False, 6000), (True, 31000)):
        other = door(cuts=cuts)
        other.rex(1000, 1000)
        assert told(other.set_mode(LOCKED_DOWN, record.COMMAND, None, 2000)) == [
            ("portal.mode", "locked_down")
        ]
        assert other.unlocked
        assert ticks(other, end_ms - 1) == []
        assert ticks(other, end_ms) == [SECURED]


def test_a_grant_beside_a_rex_ends_in_lockdown_when_the_way_out_does() -> None:
    one = door()
    one.rex(1000, 1000)
    one.release(record.CREDENTIAL, True, WHO, 2000)
    one.set_mode(LOCKED_DOWN, record.COMMAND, None, 3000)
    assert ticks(one, 5999) == [NOT_TAKEN]
    assert ticks(one, 6000) == [SECURED]


def test_lockdown_leaves_a_door_that_relocks_on_closing_to_who_goes_out() -> None:
    one = door(on_close=True)
    one.rex(1000, 1000)
    opens(one, 2000)
    one.set_mode(LOCKED_DOWN, record.COMMAND, None, 3000)
    assert one.unlocked
    assert closes(one, 4000) == [CLOSED, SECURED]


def test_a_way_out_that_was_used_lends_its_time_to_no_grant() -> None:
    one = door()
    one.rex(1000, 1000)
    opens(one, 1500)
    closes(one, 2000)
    grant(one, 3000)
    assert one.waits_for_record(3000)
    one.set_mode(LOCKED_DOWN, record.COMMAND, None, 3500)
    assert not one.unlocked


def test_a_grant_waits_for_its_record_and_rex_and_fire_do_not() -> None:
    one = door()
    grant(one, 1000)
    assert one.waits_for_record(1000)
    one.rex(2000, 2000)
    assert not one.waits_for_record(2000)
    other = door()
    other.set_fire(True, 1000, 1000)
    assert not other.waits_for_record(1000)


# ---- modes -----------------------------------------------------------------------------------------


def test_each_mode_says_whether_it_holds_free_and_lets_in() -> None:
    assert MODES == {
        LOCKED: (False, True),
        UNLOCKED: (True, True),
        BLOCKED: (False, False),
        LOCKED_DOWN: (False, False),
        LOCKED_OPEN: (True, True),
    }


def test_every_change_of_mode_leads_to_what_the_new_mode_wants() -> None:
    for before in sorted(MODES):
        for after in sorted(MODES):
            one = door(mode=before)
            assert one.unlocked == MODES[before][0], before
            records = told(one.set_mode(after, record.COMMAND, "op", 1000))
            assert (one.unlocked, one.mode_now) == (MODES[after][0], after), (before, after)
            expected: list[tuple[object, ...]] = []
            if before != after:
                expected = [("portal.mode", after)]
                if MODES[after][0]:
                    expected.append(("portal.released", "command"))
                elif MODES[before][0]:
                    expected.append(SECURED)
            assert records == expected, (before, after)


def test_a_record_of_a_mode_names_its_cause_and_who() -> None:
    one = door()
    first = one.set_mode(BLOCKED, record.COMMAND, "op-ling", 1000)[0]
    fields = {"portal": "front", "mode": "blocked", "cause": "command", "by": "op-ling"}
    assert first == record.Record("portal.mode", 1000, fields)


def test_a_timed_release_survives_the_end_of_free_passage() -> None:
    one = door(mode=UNLOCKED)
    grant(one, 1000)
    assert told(one.set_mode(LOCKED, record.SCHEDULE, None, 2000)) == [("portal.mode", "locked")]
    assert (one.unlocked, one.mode_now) == (True, ACCESSED)
    assert ticks(one, 6000) == [SECURED]


def test_accessed_is_only_what_locked_is_called_during_a_release() -> None:
    for mode in sorted(MODES):
        one = door(mode=mode)
        one.rex(1000, 1000)
        assert one.mode_now == (ACCESSED if mode == LOCKED else mode), mode
        assert one.mode == mode


def test_since_is_when_lock_door_or_mode_last_changed() -> None:
    one = Portal("front", rules())
    one.start(LOCKED, record.SCHEDULE, False, False, False, 700)
    since = [one.since_ms]
    one.tick(900)
    since.append(one.since_ms)
    grant(one, 1000)
    since.append(one.since_ms)
    grant(one, 1500)  # released already
    since.append(one.since_ms)
    opens(one, 2000, 2040)
    since.append(one.since_ms)
    closes(one, 3000)
    since.append(one.since_ms)
    one.set_mode(BLOCKED, record.COMMAND, None, 4000)
    since.append(one.since_ms)
    assert since == [700, 700, 1000, 1000, 2040, 3000, 4000]


# ---- fire ------------------------------------------------------------------------------------------


def test_fire_releases_in_every_mode_and_changes_none() -> None:
    for mode in sorted(MODES):
        one = door(mode=mode)
        assert told(one.set_fire(True, 1000, 1000)) == [("portal.released", "fire")], mode
        assert (one.unlocked, one.mode, one.mode_now) == (True, mode, mode), mode
        assert opens(one, 2000) == [OPENED], mode
        assert ticks(one, 500000) == [], mode  # nothing is timed during a fire
        assert closes(one, 500001) == [CLOSED], mode
        secured = [] if MODES[mode][0] else [SECURED]
        assert told(one.set_fire(False, 600000, 600000)) == secured, mode
        assert one.unlocked == MODES[mode][0], mode


def test_a_latched_portal_stays_locked_in_a_fire_and_its_handle_still_opens() -> None:
    one = door(on_fire=False)
    assert told(one.set_fire(True, 1000, 1000)) == []
    assert (one.fire, one.unlocked) == (True, False)
    assert told(one.rex(2000, 2000)) == [REX]
    assert one.unlocked
    assert opens(one, 2500) == [OPENED, SECURED]


def test_fire_outlasts_a_lockdown_that_comes_during_it() -> None:
    one = door()
    one.set_fire(True, 1000, 1000)
    one.set_mode(LOCKED_DOWN, record.COMMAND, None, 2000)
    assert one.unlocked
    assert told(one.set_fire(False, 3000, 3000)) == [SECURED]


def test_a_door_open_when_the_fire_ends_has_its_open_time_from_then() -> None:
    one = door()
    one.set_fire(True, 1000, 1000)
    opens(one, 2000)
    one.set_fire(False, 100000, 100000)
    assert one.alarm == NORMAL
    assert ticks(one, 129999) == []
    assert ticks(one, 130000) == [("held_raised",)]


def test_the_same_fire_again_is_nothing() -> None:
    one = door()
    one.set_fire(True, 1000, 1000)
    assert told(one.set_fire(True, 2000, 2000)) == []


# ---- start -----------------------------------------------------------------------------------------


def start(
    mode: str, cause: str, is_open: bool, fire: bool, power_lost: bool
) -> "tuple[Portal, list[tuple[object, ...]]]":
    one = Portal("front", rules())
    return one, told(one.start(mode, cause, is_open, fire, power_lost, 700))


def test_a_start_in_locked_says_nothing() -> None:
    one, records = start(LOCKED, record.SCHEDULE, False, False, False)
    assert (records, one.unlocked, one.deadline_ms) == ([], False, None)


def test_a_start_after_lost_power_records_the_release_that_it_was() -> None:
    one, records = start(LOCKED, record.SCHEDULE, False, False, True)
    assert records == [("portal.released", "power"), SECURED]
    assert not one.unlocked


def test_a_start_in_a_free_mode_records_why_it_is_free() -> None:
    one, records = start(UNLOCKED, record.COMMAND, False, False, False)
    assert records == [("portal.released", "command")]
    assert one.unlocked


def test_a_start_in_a_fire_is_released_before_anything_else() -> None:
    one, records = start(LOCKED_DOWN, record.COMMAND, False, True, True)
    assert records == [("portal.released", "power"), ("portal.released", "fire")]
    assert one.unlocked


def test_a_start_with_an_open_door_in_a_free_mode_times_nothing() -> None:
    one, _ = start(UNLOCKED, record.SCHEDULE, True, False, False)
    assert one.deadline_ms is None
    assert one.door_open


def test_an_unseen_portal_is_taken_as_closed_and_locked() -> None:
    one = Portal("front", rules())
    assert (one.unlocked, one.door_open, one.mode, one.alarm) == (False, False, LOCKED, NORMAL)
    assert portal.MODES[one.mode] == (False, True)
