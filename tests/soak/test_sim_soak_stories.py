"""Stories that taught the soak's laws something: the law is stated as it is true, and still judges.

Each story was the shortest that broke a law which asked for too much, or that the firmware broke.
"""

from typing import Any

from sim.soak import run

Step = dict[str, Any]


def told(
    *steps: Step,
    end_ms: int = 30_000,
    start: str = "2027-03-18T17:04:46Z",
    board: str = "board_configs/demo-sim.toml",
    override: dict[str, Any] | None = None,
    seed: int = 1,
) -> run.Told:
    """What came of a story of these steps, told under the laws and mended in the end."""
    person = {"name": "guest-0", "card": "w26:012:20000"}
    tables = {"board": board, "start": start, "end_ms": end_ms, "person": [person]}
    return run.tell({**tables, "override": override or {}, "step": list(steps)}, seed)


def step(at_ms: int, do: str, **args: Any) -> Step:
    return {"at_ms": at_ms, "do": do, **args}


CARD = step(1000, "present_card", access_point="front-in", person="guest-0")
DIES = step(1573, "fail_task", task="door", how="dies")


def test_a_release_that_the_death_of_its_task_interrupts_goes_on_under_its_record() -> None:
    assert told(CARD, DIES).law is None


def test_a_release_whose_record_waits_while_the_task_is_dead_is_marked_late() -> None:
    slow = step(900, "fail_storage", on=True, mode="slow")
    dies = step(1100, "fail_task", task="door", how="dies")
    well = step(20_000, "fail_storage", on=False)
    assert told(slow, CARD, dies, well, end_ms=40_000).law is None


def test_a_time_server_that_says_another_time_is_put_right_in_the_end() -> None:
    back = step(1000, "set_clock", utc="2026-11-21T08:00:00Z")
    cut = step(2000, "cut_power")
    without = {"controller.rtc": False}
    assert told(back, cut, end_ms=60_000, override=without).law is None


def test_a_command_is_early_by_the_latest_time_that_is_proven() -> None:
    ahead = step(1000, "set_clock", jump_ms=1_151_102)
    mode = {"portal": "yard", "mode": "locked"}
    asked = step(9000, "command", op="portal.mode", args=mode)
    slow = step(8000, "fail_broker", fault="slow", on=True)
    back = step(10_000, "set_clock", jump_ms=-1_151_102)
    assert told(ahead, slow, asked, back).law is None


def test_an_enrolment_that_waits_for_its_card_over_a_clock_set_back_was_in_time() -> None:
    asked = step(
        100_000, "command", op="credential.enrol", args={"access_point": "yard-in", "timeout_s": 30}
    )
    back = step(101_000, "set_clock", jump_ms=-102_197_225)
    card = step(102_000, "present_card", access_point="yard-in", number="w26:077:55828")
    assert told(asked, back, card, end_ms=110_000).law is None


def test_a_command_of_an_hour_ago_is_in_time_where_the_owner_says_that_it_is_an_hour_ago() -> None:
    asked = {"utc": "2026-11-21T10:20:00Z"}
    back = step(12_021_961, "command", op="clock.set", args=asked)
    stale = step(12_022_961, "forge_command", how="stale")
    found = told(back, stale, end_ms=12_030_000, start="2026-11-21T08:00:00Z")
    assert found.law is None


def test_an_exit_whose_feed_hangs_is_heard_again_within_ten_seconds_and_not_before() -> None:
    hangs = step(1000, "fail_task", task="feed-front-handle", how="waits")
    for at_ms in (8000, 11_001):
        assert told(hangs, step(at_ms, "leave", portal="front")).law is None


def test_how_late_it_was_is_gone_with_a_journal_that_rotted() -> None:
    back = step(3_700_000, "set_clock", utc="2026-11-21T08:00:00Z")
    rot = step(3_701_000, "fail_disk", fault="rot", file="journal")
    cut = step(3_702_000, "cut_power")
    asked = step(3_712_000, "command", op="portal.release", args={"portal": "front"})
    found = told(back, rot, cut, asked, end_ms=3_730_000, start="2026-11-21T08:00:00Z")
    assert found.law is None


def test_what_the_broker_kept_may_be_sent_like_any_other_command_once() -> None:
    kept = step(2000, "forge_command", how="retained")
    again = [step(3000 + 500 * one, "forge_command", how="again") for one in range(6)]
    assert told(kept, *again).law is None


def test_what_found_no_room_in_memory_is_told_in_number_and_every_door_lets_out() -> None:
    """A flood of cards while the disk takes nothing and there is room for twenty records."""
    steps = [
        step(1000, "limit_memory", on=True),
        step(1000, "fail_storage", on=True, mode="error"),
        *(
            step(2000 + 300 * one, "present_card", access_point="front-in", number="w26:099:40000")
            for one in range(60)
        ),
        step(21_000, "leave", portal="front"),
        step(22_000, "leave", portal="yard"),
        step(23_000, "fail_storage", on=False),
        step(29_000, "limit_memory", on=False),
    ]
    assert told(*steps, end_ms=60_000).law is None


def test_a_hundred_stale_commands_are_all_told() -> None:
    flood = step(2000, "forge_command", how="flood")
    assert told(flood).law is None


def test_sealed_commands_leave_one_trace_though_no_sealing_is_like_another() -> None:
    asked = {"access_point": "front-in", "timeout_s": 20}
    enrol = step(1000, "command", op="credential.enrol", args=asked)
    card = step(3000, "present_card", access_point="front-in", number="w26:077:41234")
    first, second = told(enrol, card), told(enrol, card)
    assert first.law is None
    assert first.digest == second.digest


def test_a_mode_that_rotted_with_its_journal_is_judged_no_more() -> None:
    down = {"portal": "yard", "mode": "locked_down"}
    asked = step(1000, "command", op="portal.mode", args=down)
    rots = step(2000, "fail_disk", fault="rot", file="journal")
    dies = step(3000, "kill_process", process="door")
    card = step(13_000, "present_card", access_point="yard-in", person="guest-0")
    assert told(asked, rots, dies, card).law is None


def test_a_cut_that_waits_for_its_write_at_the_end_of_a_story_is_mended_too() -> None:
    assert told(step(1000, "cut_power", at_write=10), end_ms=1067).law is None


def test_an_alarm_whose_acknowledgement_rotted_may_come_again_and_repeat() -> None:
    steps = [
        step(1000, "tamper", device="enclosure", on=True),
        step(5000, "press_ack"),
        step(10_000, "fail_disk", fault="rot", file="journal"),
        step(11_000, "kill_process", process="door"),
    ]
    whole = {"alarms.repeat_ms": 60_000}
    assert told(*steps, end_ms=300_000, override=whole).law is None


def test_a_handle_that_is_held_while_the_task_is_dead_releases_with_the_next_one() -> None:
    dies = step(1000, "fail_task", task="door", how="dies")
    assert told(dies, step(1100, "leave", portal="front"), end_ms=20_000).law is None


def test_where_the_journal_forgot_the_time_with_the_clock_at_1970_the_owner_says_it_in_the_end() -> (
    None
):
    rots = step(1000, "fail_disk", fault="rot", file="journal")
    back = step(2000, "set_clock", utc="1970-01-01T00:00:00Z")
    cut = step(3000, "cut_power", at_write=39)
    start = "2027-12-15T11:37:46Z"
    end_ms = 27_753_574
    assert told(rots, back, cut, end_ms=end_ms, start=start, seed=800041).law is None


def test_a_board_without_a_chip_that_was_told_a_time_to_come_waits_for_the_owner() -> None:
    cut = step(1000, "cut_power")
    early = step(1404, "set_clock", utc="2026-11-21T08:00:00Z")
    back = step(2404, "restore_power")
    leap = step(12_404, "set_clock", jump_ms=4_851_058_136)
    again = step(13_404, "set_clock", jump_ms=-4_851_058_136)
    last = step(14_404, "cut_power", at_write=14)
    rtc = {"controller.rtc": False}
    steps = (cut, early, back, leap, again, last)
    start = "2026-12-23T01:19:13Z"
    assert told(*steps, start=start, end_ms=1_864_744, override=rtc, seed=910102).law is None


def test_a_disk_that_fails_in_another_way_before_it_was_mended_is_one_failure() -> None:
    full = step(1000, "fail_storage", on=True, mode="full")
    short = step(2000, "limit_memory", on=False)
    out = step(3000, "leave", portal="yard")
    seen = step(4000, "press_ack")
    broken = step(64_000, "fail_storage", on=True, mode="error")
    pressed = step(65_000, "press_rex", portal="yard")
    mended = step(75_000, "fail_storage", on=False)
    steps = (full, short, out, seen, broken, pressed, mended)
    assert told(*steps, end_ms=85_525, start="2027-08-14T09:03:18Z", seed=950155).law is None


def test_a_command_is_in_time_by_a_time_that_was_proven_and_stands_in_no_record() -> None:
    asked = step(3_599_000, "command", op="portal.mode", args={"portal": "yard", "mode": "blocked"})
    back = step(3_599_001, "set_clock", jump_ms=-1_340_301_947)
    assert told(asked, back, end_ms=3_600_000).law is None


def test_an_alarm_that_is_shelved_when_all_is_mended_waits_for_its_time() -> None:
    opened = step(1000, "trip_sensor", point="enclosure", on=True)
    until = {"point": "enclosure", "class": "tamper", "until": "2027-03-18T20:00:00Z"}
    shelved = step(4000, "command", op="alarm.shelve", args=until)
    assert told(opened, shelved).law is None


def test_an_alarm_of_a_slow_disk_tells_of_one_that_fails_next() -> None:
    slow = step(1000, "fail_storage", on=True, mode="slow")
    shown = step(2000, "present_card", access_point="front-in", person="guest-0")
    seen = step(12_000, "press_ack")
    fails = step(72_000, "fail_storage", on=True, mode="error")
    again = step(73_000, "present_card", access_point="yard-in", person="guest-0")
    well = step(127_458, "fail_storage", on=False)
    assert told(slow, shown, seen, fails, again, well, end_ms=137_929).law is None
