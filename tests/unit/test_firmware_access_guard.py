# portable
"""`firmware.access.guard`: arming, delays, sensors in the way, keys, hours, and what a restart finds."""

from firmware.access import alarm, guard, partition, schedule
from firmware.access.credential import Credential, Moment, Rights
from firmware.access.guard import ACTIVE, CUT, NORMAL, UNKNOWN, Guard
from firmware.access.record import Keep, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BASE_S = schedule.day_number("2026-11-16") * 86400 + 20 * 3600  # a Monday, 20:00
NIGHT = Rights({}, {"night": schedule.parse("daily 22:00-06:00")}, [], False, False)
NONE = Rights({}, {}, [], False, False)

FIELDS = ("points", "delayed", "entry_ms", "exit_ms", "schedule", "flat", "group", "keys")


def rules(**changes: "Any") -> partition.Rules:
    usual = {
        "points": ("door", "hall", "window"),
        "delayed": ("door",),
        "entry_ms": 30000,
        "exit_ms": 30000,
        "schedule": None,
        "flat": "302",
        "group": None,
        "keys": "ignore",
        "appointments": (),
    }
    usual.update(changes)
    return partition.Rules(*[usual[name] for name in FIELDS + ("appointments",)])


def key(number: int, flat: "str | None", group: "str | None" = None) -> Credential:
    more = (None, flat, group, False, False, None)
    return Credential(
        number, None, "active", None, None, None, None, (), False, False, None, None, 1, *more
    )


class Home:
    """One partition named "flat", its register, and what was said and kept."""

    def __init__(
        self, kept: "dict[str, object] | None" = None, start_s: int = 0, **changes: "Any"
    ) -> None:
        self.start_s = BASE_S + start_s
        self.register = alarm.Register(180000, 0)
        self.guard = Guard({"flat": rules(**changes)}, self.register)
        self.said: list[Record] = []
        self.kept: dict[str, object] = dict(kept or {})
        self.rights = NIGHT
        self.trusted = True
        self.guard.restore(self.kept, self.at(0))

    def at(self, now_ms: int) -> Moment:
        now_s = self.start_s + now_ms // 1000
        return Moment(now_ms, now_s, now_s, self.trusted)

    def take(self, effects: "list[Any]") -> None:
        self.said += [one for one in effects if isinstance(one, Record)]
        for one in self.guard.keep():
            assert isinstance(one, Keep)
            if one.value is None:
                self.kept.pop(one.key, None)
            else:
                self.kept[one.key] = one.value

    def sensors(self, now_ms: int, *states: str) -> None:
        for point, state in zip(("door", "hall", "window"), states):
            self.take(self.guard.sensor(point, state, 2, self.at(now_ms)))

    def sensor(self, point: str, state: str, now_ms: int) -> None:
        self.take(self.guard.sensor(point, state, 2, self.at(now_ms)))

    def arm(self, now_ms: int, *more: "Any") -> "str | None":
        reason, effects = self.guard.arm("flat", "op-ling", self.at(now_ms), *more)
        self.take(effects)
        return reason

    def disarm(self, now_ms: int) -> None:
        self.take(self.guard.disarm("flat", "op-ling", self.at(now_ms))[1])

    def tick(self, now_ms: int) -> None:
        self.take(self.guard.tick(self.at(now_ms), self.rights))

    def state(self) -> str:
        return str(self.guard.watched[0].machine.state)

    def told(self) -> "list[tuple[object, ...]]":
        short: list[tuple[object, ...]] = []
        for one in self.said:
            what: list[object] = [one.type, one.at_ms]
            what += [one.fields[name] for name in ("point", "by", "points") if name in one.fields]
            short.append(tuple(what))
        self.said = []
        return short


def armed(**changes: "Any") -> Home:
    home = Home(**changes)
    home.sensors(0, NORMAL, NORMAL, NORMAL)
    assert home.arm(1000) is None
    home.tick(31000)
    assert home.state() == partition.ARMED
    home.told()
    return home


# ---- arming -------------------------------------------------------------------------------------


def test_it_is_armed_after_the_exit_delay_in_which_nothing_counts() -> None:
    home = Home()
    home.sensors(0, NORMAL, NORMAL, NORMAL)
    assert home.arm(1000) is None
    assert (home.state(), home.guard.deadline_ms) == (partition.EXITING, 31000)
    home.sensor("hall", ACTIVE, 5000)
    home.sensor("hall", NORMAL, 9000)
    home.tick(31000)
    assert home.told() == [("partition.armed", 31000, "op-ling")]
    assert home.register.alarms() == []
    assert home.guard.armed("flat")


def test_without_an_exit_delay_it_is_armed_at_once() -> None:
    home = Home(exit_ms=0)
    home.sensors(0, NORMAL, NORMAL, NORMAL)
    home.arm(1000)
    assert (home.state(), home.told()) == (
        partition.ARMED,
        [("partition.armed", 1000, "op-ling")],
    )


def test_arming_is_refused_with_the_points_while_a_sensor_is_open() -> None:
    home = Home()
    home.sensors(0, NORMAL, ACTIVE, ACTIVE)
    assert home.arm(1000) == guard.SENSOR_OPEN
    assert home.told() == [("partition.refused", 1000, "op-ling", ["hall", "window"])]
    assert home.state() == partition.DISARMED
    home.sensors(2000, NORMAL, NORMAL, NORMAL)
    home.tick(9000)
    assert (home.state(), home.kept) == (partition.DISARMED, {})


def test_a_sensor_that_nobody_knows_or_that_is_cut_is_no_closed_one() -> None:
    for state in (UNKNOWN, CUT):
        home = Home()
        home.sensors(0, NORMAL, NORMAL, state)
        assert home.arm(1000) == guard.SENSOR_UNAVAILABLE
        assert home.told() == [("partition.refused", 1000, "op-ling", ["window"])]


def test_a_sensor_that_is_open_at_the_end_of_the_exit_delay_fails_the_arming() -> None:
    home = Home()
    home.sensors(0, NORMAL, NORMAL, NORMAL)
    home.arm(1000)
    home.sensor("window", ACTIVE, 20000)
    home.tick(31000)
    assert home.told() == [("partition.refused", 31000, "op-ling", ["window"])]
    assert home.state() == partition.DISARMED


def test_a_bypass_holds_until_the_next_disarming_and_no_longer() -> None:
    home = Home()
    home.sensors(0, NORMAL, NORMAL, ACTIVE)
    assert home.guard.bypass("flat", "cellar", "op", home.at(0)) == (guard.NOT_OF_IT, [])
    reason, effects = home.guard.bypass("flat", "window", "op-ling", home.at(500))
    home.take(effects)
    assert (reason, home.kept["bypass/flat"]) == (None, ["window"])
    assert home.arm(1000) is None
    home.tick(31000)
    home.sensor("window", NORMAL, 40000)
    home.sensor("window", ACTIVE, 50000)
    assert home.register.alarms() == []
    home.disarm(60000)
    assert "bypass/flat" not in home.kept
    assert home.arm(70000) == guard.SENSOR_OPEN


def test_what_is_no_partition_is_refused_and_nothing_else() -> None:
    home = Home()
    assert home.guard.arm("cellar", "op", home.at(0)) == (guard.UNKNOWN_PARTITION, [])
    assert home.guard.disarm("cellar", "op", home.at(0)) == (guard.UNKNOWN_PARTITION, [])
    assert home.guard.bypass("cellar", "x", "op", home.at(0)) == (guard.UNKNOWN_PARTITION, [])
    assert not home.guard.armed("cellar")


# ---- what a trip means --------------------------------------------------------------------------


def test_an_instant_point_is_an_alarm_at_once() -> None:
    home = armed()
    home.sensor("hall", ACTIVE, 60000)
    assert home.told() == [("alarm.raised", 60000, "hall")]
    assert home.register.is_active("hall", alarm.INTRUSION)


def test_a_delayed_point_leaves_time_to_disarm() -> None:
    home = armed()
    home.sensor("door", ACTIVE, 60000)
    assert (home.told(), home.state()) == (
        [("partition.entry", 60000, "door")],
        partition.ENTERING,
    )
    home.disarm(80000)
    home.tick(95000)
    assert home.told() == [("partition.disarmed", 80000, "op-ling")]
    assert home.register.alarms() == []


def test_an_entry_that_nobody_ended_is_an_alarm_at_the_point_it_began_at() -> None:
    home = armed()
    home.sensor("door", ACTIVE, 60000)
    home.sensor("door", NORMAL, 62000)
    home.tick(89999)
    assert home.told() == [("partition.entry", 60000, "door")]
    home.tick(90000)
    assert home.told() == [("alarm.raised", 90000, "door")]
    assert [one.state for one in home.register.alarms()] == [alarm.RETURNED]
    assert home.state() == partition.ARMED


def test_an_instant_point_does_not_wait_for_the_entry_delay() -> None:
    home = armed()
    home.sensor("door", ACTIVE, 60000)
    home.sensor("hall", ACTIVE, 61000)
    assert [told[0] for told in home.told()] == ["partition.entry", "alarm.raised"]


def test_a_disarmed_partition_alarms_at_nothing_and_disarming_ends_what_it_watched() -> None:
    home = Home()
    home.sensors(0, ACTIVE, ACTIVE, ACTIVE)
    assert (home.register.alarms(), home.told()) == ([], [])
    home = armed()
    home.sensor("hall", ACTIVE, 60000)
    home.disarm(70000)
    assert [one.state for one in home.register.alarms()] == [alarm.RETURNED]


def test_a_cut_wire_or_an_unknown_sensor_trips_nothing_and_disarms_nothing() -> None:
    home = armed()
    home.sensors(60000, CUT, UNKNOWN, "short")
    assert (home.told(), home.state()) == ([], partition.ARMED)
    home.sensor("hall", ACTIVE, 70000)
    assert home.told() == [("alarm.raised", 70000, "hall")]


# ---- keys ---------------------------------------------------------------------------------------


def granted(home: Home, who: Credential, now_ms: int) -> None:
    home.take(home.guard.granted(who, "front-in", home.at(now_ms)))


def test_a_key_of_the_flat_disarms_where_the_tenant_chose_so() -> None:
    home = armed(keys="disarm")
    granted(home, key(7, "301"), 50000)
    assert home.state() == partition.ARMED
    granted(home, key(8, "302"), 60000)
    assert home.told() == [("partition.disarmed", 60000, "credential-8")]


def test_a_key_of_the_flat_is_an_alarm_at_its_access_point_where_the_tenant_chose_so() -> None:
    home = armed(keys="alarm", flat=None, group="staff")
    granted(home, key(7, None), 50000)
    assert home.told() == []
    granted(home, key(8, "302", "staff"), 60000)
    assert home.told() == [("alarm.raised", 60000, "front-in")]
    assert [one.state for one in home.register.alarms()] == [alarm.RETURNED]
    assert home.state() == partition.ARMED


def test_a_key_means_nothing_where_it_is_ignored_or_nothing_is_armed() -> None:
    home = armed()
    granted(home, key(8, "302"), 60000)
    other = Home(keys="alarm")
    granted(other, key(8, "302"), 60000)
    assert (home.told(), other.told()) == ([], [])


# ---- hours and appointments ---------------------------------------------------------------------

TEN_MS = 2 * 3600000  # 22:00
SIX_MS = 10 * 3600000  # 06:00


def test_hours_arm_and_disarm() -> None:
    home = Home(schedule="night", exit_ms=0)
    home.sensors(0, NORMAL, NORMAL, NORMAL)
    home.tick(TEN_MS - 1000)
    assert home.state() == partition.DISARMED
    home.tick(TEN_MS)
    home.tick(SIX_MS - 1000)
    assert home.state() == partition.ARMED
    home.tick(SIX_MS)
    assert home.told() == [
        ("partition.armed", TEN_MS, "schedule"),
        ("partition.disarmed", SIX_MS, "schedule"),
    ]
    assert home.kept == {}


def test_hours_that_were_refused_arm_when_the_sensor_closes() -> None:
    home = Home(schedule="night", exit_ms=0)
    home.sensors(0, NORMAL, NORMAL, ACTIVE)
    home.tick(TEN_MS)
    home.tick(TEN_MS + 60000)
    assert home.told() == [("partition.refused", TEN_MS, "schedule", ["window"])]
    home.sensor("window", NORMAL, TEN_MS + 90000)
    assert home.told() == [("partition.armed", TEN_MS + 90000, "schedule")]


def test_who_disarms_in_the_night_is_not_overruled_before_the_next_one() -> None:
    home = Home(schedule="night", exit_ms=0)
    home.sensors(0, NORMAL, NORMAL, NORMAL)
    home.tick(TEN_MS)
    home.disarm(TEN_MS + 1000)
    home.tick(TEN_MS + 2000)
    assert home.state() == partition.DISARMED
    home.tick(SIX_MS)
    home.tick(TEN_MS + 86400000)
    assert home.state() == partition.ARMED


def test_hours_leave_alone_what_an_operator_armed() -> None:
    home = Home(schedule="night", exit_ms=0)
    home.sensors(0, NORMAL, NORMAL, NORMAL)
    home.arm(1000)
    home.tick(TEN_MS)
    home.tick(SIX_MS)
    assert home.state() == partition.ARMED


def test_a_clock_that_nobody_believes_changes_nothing() -> None:
    home = Home(schedule="night", exit_ms=0)
    home.sensors(0, NORMAL, NORMAL, NORMAL)
    home.trusted = False
    home.tick(TEN_MS)
    assert home.state() == partition.DISARMED
    home.trusted = True
    home.tick(TEN_MS + 1000)
    assert home.state() == partition.ARMED
    home.trusted = False
    home.tick(SIX_MS)
    assert home.state() == partition.ARMED


def test_an_appointment_of_the_config_arms_from_then_until_then_with_keys_of_its_own() -> None:
    times = (BASE_S + 100, BASE_S + 200, "alarm")
    home = Home(exit_ms=0, appointments=(times,))
    home.sensors(0, NORMAL, NORMAL, NORMAL)
    home.tick(99000)
    assert home.state() == partition.DISARMED
    home.tick(100000)
    granted(home, key(8, "302"), 150000)
    home.tick(200000)
    assert [told[:3] for told in home.told()] == [
        ("partition.armed", 100000, "appointment"),
        ("alarm.raised", 150000, "front-in"),
        ("partition.disarmed", 200000, "appointment"),
    ]


def test_an_appointment_by_command_survives_a_restart_and_is_forgotten_when_it_is_over() -> None:
    home = Home(exit_ms=0)
    assert home.arm(1000, BASE_S + 200, BASE_S + 100) == guard.BAD_TIMES
    assert home.arm(1000, BASE_S + 100, BASE_S + 200, "open") == guard.BAD_KEYS
    assert home.arm(1000, BASE_S + 100, BASE_S + 200, "disarm") is None
    assert home.kept == {"appointment/flat": [BASE_S + 100, BASE_S + 200, "disarm", "op-ling"]}
    after = Home(home.kept, exit_ms=0)
    after.sensors(0, NORMAL, NORMAL, NORMAL)
    after.tick(100000)
    assert after.state() == partition.ARMED
    granted(after, key(8, "302"), 150000)
    assert after.state() == partition.DISARMED
    after.tick(200000)
    assert after.kept == {}


# ---- a restart ----------------------------------------------------------------------------------


def test_what_was_armed_is_armed_after_a_restart_and_a_sensor_open_then_alarms() -> None:
    home = armed()
    after = Home(home.kept)
    now = after.at(0)
    for point, state in (("door", NORMAL), ("hall", ACTIVE), ("window", NORMAL)):
        after.take(after.guard.begin(point, state, 2, now))
    assert after.state() == partition.ARMED
    assert after.told() == [("alarm.raised", 0, "hall")]


def test_an_intrusion_of_before_the_restart_is_not_told_again() -> None:
    home = armed()
    after = Home(home.kept)
    after.register.restore("hall", alarm.INTRUSION, [alarm.ACKNOWLEDGED, 50, "op"], 0, 50)
    after.take(after.guard.begin("hall", ACTIVE, 2, after.at(0)))
    assert after.told() == []


def test_a_sensor_that_is_unknown_at_the_start_neither_arms_nor_alarms() -> None:
    home = armed()
    for kept in (home.kept, {}):
        after = Home(kept)
        before = after.state()
        for point in ("door", "hall", "window"):
            after.take(after.guard.begin(point, UNKNOWN, 2, after.at(0)))
        after.tick(60000)
        assert (after.told(), after.state()) == ([], before)


def test_a_delay_that_ran_has_what_is_left_of_it_after_a_restart() -> None:
    home = armed()
    home.sensor("door", ACTIVE, 60000)
    for away_s, left_ms in ((5, 25000), (30, 1), (4000, 1), (-900, 30000)):
        after = Home(home.kept, start_s=60 + away_s)
        assert (after.state(), after.guard.deadline_ms) == (partition.ENTERING, left_ms)
        after.tick(left_ms)
        assert after.told() == [("alarm.raised", left_ms, "door")]


def test_an_exit_delay_that_ended_without_power_arms_with_every_sensor_heard() -> None:
    home = Home()
    home.sensors(0, NORMAL, NORMAL, NORMAL)
    home.arm(1000)
    home.tick(1000)
    after = Home(home.kept, start_s=600)
    after.sensors(0, NORMAL, NORMAL, NORMAL)
    after.tick(1)
    assert (after.told(), after.state()) == (
        [("partition.armed", 1, "op-ling")],
        partition.ARMED,
    )


def test_a_delay_whose_end_was_not_kept_begins_again() -> None:
    home = armed()
    home.sensor("door", ACTIVE, 60000)
    kept = home.kept["arm/flat"]
    assert isinstance(kept, list)
    after = Home({"arm/flat": kept[:6]})
    assert (after.state(), after.guard.deadline_ms) == (partition.ENTERING, 30000)


def test_hours_and_appointments_have_a_deadline_just_before_they_begin_and_end() -> None:
    home = Home(schedule="night", exit_ms=0, appointments=((BASE_S + 60, BASE_S + 62, None),))
    home.sensors(0, NORMAL, NORMAL, NORMAL)
    home.tick(400)  # within the first second, as everything in whole seconds
    assert home.guard.deadline_ms == 59400
    home.tick(59400)
    assert home.guard.deadline_ms == 59450
    home.tick(60000)
    assert (home.told(), home.guard.deadline_ms) == (
        [("partition.armed", 60000, "appointment")],
        61000,
    )
    home.tick(62000)
    assert home.guard.deadline_ms == TEN_MS - 1000
    home.trusted = False
    home.tick(63000)
    assert home.guard.deadline_ms is None


def test_hours_that_began_while_the_power_was_away_arm_at_the_next_look() -> None:
    home = Home(schedule="night", exit_ms=0)
    home.sensors(0, NORMAL, NORMAL, NORMAL)
    home.tick(TEN_MS)
    home.disarm(TEN_MS + 1000)
    same_night = Home(home.kept, schedule="night", exit_ms=0)
    same_night.sensors(TEN_MS + 2000, NORMAL, NORMAL, NORMAL)
    same_night.tick(TEN_MS + 3000)
    assert same_night.state() == partition.DISARMED
    first = Home(schedule="night", exit_ms=0)
    first.sensors(TEN_MS + 2000, NORMAL, NORMAL, NORMAL)
    first.tick(TEN_MS + 3000)
    assert first.state() == partition.ARMED


def test_a_sensor_that_says_again_that_it_is_open_was_tripped_once() -> None:
    home = armed()
    home.sensor("hall", ACTIVE, 60000)
    home.sensor("hall", ACTIVE, 61000)
    assert home.told() == [("alarm.raised", 60000, "hall")]
