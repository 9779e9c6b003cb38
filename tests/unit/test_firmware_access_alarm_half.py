# portable
"""`firmware.access.alarm_half`: supervised inputs, bolts, who has seen what, partitions and automation."""

from firmware.access import (
    access_point,
    alarm,
    automation,
    guard,
    partition,
    portal,
    record,
    schedule,
)
from firmware.access.automation import RaiseAlarm, Rule, SetMode, Switch, SwitchOutput
from firmware.access.credential import ANYWHERE, UNUSED, Credential, Moment, Right, Rights
from firmware.access.record import Keep, Record
from firmware.access.site import KEY_SWITCH, Found, Plan, Point, Site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BASE_S = schedule.day_number("2026-11-16") * 86400 + 9 * 3600

DOOR = portal.Rules(False, 30000, True, 5000, 15000, 30000, 60000, 5000, 200, 60, False)
MAGNET = portal.Rules(True, 30000, True, 5000, 15000, 30000, 60000, 5000, 200, 60, False)
RIGHTS = Rights({"all": [Right(ANYWHERE, None, False)]}, {}, [], False, False)
POINTS = {
    "hall": Point(alarm.INTRUSION, 2),
    "window": Point(alarm.INTRUSION, 2),
    "lid": Point(alarm.TAMPER, 2),
    "help": Point(alarm.PANIC, 1),
    "mains": Point(alarm.POWER_FAULT, 3),
    "fire": Point(alarm.FIRE, 1),
}
AFTER_MS = {"lock_fault": 1000, "power_fault": 2000, "reader_fault": 1000}
HALL = partition.Rules(("hall",), (), 30000, 0, None, "302", None, "ignore", ())


def key(number: int, acknowledges: bool = False, flat: "str | None" = None) -> Credential:
    more = (None, flat, None, acknowledges, False, None)
    return Credential(
        number, None, "active", None, None, None, None, ("all",), False, False, None, None, 1, *more
    )


class Watched:
    """A site with two doors, watched points, a partition and the rules that a test gives it."""

    def __init__(
        self,
        rules: "tuple[Rule, ...]" = (),
        kept: "dict[str, object] | None" = None,
        tamper_blocks: str = "active",
        active: "tuple[str, ...]" = (),
        power_lost: "tuple[str, ...]" = (),
    ) -> None:
        front = ("in", "front", "off", 0, (), "off", 0, "front-reader", True, False)
        self.site = Site(
            Plan(
                {"front": (DOOR, "locked"), "yard": (MAGNET, "locked")},
                {"front-in": access_point.Rules("front", "card", 10000, 5, 600000, 30000, *front)},
                dict(POINTS),
                "input",
                180000,
                {},
                {},
                {},
                {"flat": HALL},
                rules,
                600000,
                tamper_blocks,
                AFTER_MS,
                5,
                30000,
                {"front": "strike", "yard": "magnet"},
                {"front": "front-contact", "yard": "yard-contact"},
                {"front": "bolt", "yard": "yard-bond"},
            )
        )
        self.site.rights = RIGHTS
        self.kept: dict[str, object] = dict(kept or {})
        self.records: list[Record] = []
        self.switched: list[Switch] = []
        self.take(self.site.start(dict(self.kept), Found((), active, power_lost), self.at(0)))

    def at(self, now_ms: int) -> Moment:
        now_s = BASE_S + now_ms // 1000
        return Moment(now_ms, now_s, now_s, True)

    def take(self, effects: "list[Any]") -> None:
        for one in effects:
            if isinstance(one, Record):
                self.records.append(one)
            elif isinstance(one, Switch):
                self.switched.append(one)
            elif isinstance(one, Keep):
                self.kept.pop(one.key, None)
                if one.value is not None:
                    self.kept[one.key] = one.value

    def says(self, point: str, state: str, now_ms: int) -> None:
        self.take(self.site.point_state(point, state, now_ms, self.at(now_ms)))

    def contact(self, state: str, now_ms: int) -> None:
        self.take(self.site.contact_state("front", state, now_ms, self.at(now_ms)))

    def bond_state(self, state: str, now_ms: int, name: str = "front") -> None:
        self.take(self.site.bond_state(name, state, now_ms, self.at(now_ms)))

    def bond(self, locked: "bool | None", now_ms: int, name: str = "front") -> None:
        self.take(self.site.bond(name, locked, now_ms, self.at(now_ms)))

    def shows(self, who: Credential, now_ms: int) -> None:
        self.site.card("front-in", "1", self.at(now_ms))
        self.take(self.site.found("front-in", "card", who, UNUSED, self.at(now_ms)))

    def point(self, name: str, active: bool, now_ms: int) -> None:
        self.take(self.site.point(name, active, now_ms, self.at(now_ms)))

    def tick(self, now_ms: int) -> None:
        self.take(self.site.tick(self.at(now_ms)))

    def told(self) -> "list[tuple[object, ...]]":
        """What was recorded since the last time: type, and what tells it apart."""
        short: list[tuple[object, ...]] = []
        for one in self.records:
            said: list[object] = [one.type]
            for name in ("point", "class", "reason", "mode", "cause", "by", "automation"):
                if name in one.fields:
                    said.append(one.fields[name])
            short.append(tuple(said))
        self.records = []
        return short

    def states(self) -> "dict[str, str]":
        return {
            "%s/%s" % (one.point, one.kind): one.state
            for one in self.site.alarms.everything()
            if one.state != alarm.NORMAL
        }


# ---- supervised points --------------------------------------------------------------------------


def test_a_cut_or_shorted_wire_is_a_tamper_of_its_point_and_not_what_the_point_is_for() -> None:
    for wire in (guard.CUT, guard.SHORT):
        for point in ("help", "window", "mains"):
            house = Watched()
            house.says(point, wire, 1000)
            house.tick(60000)
            assert house.states() == {point + "/tamper": "unacknowledged"}, (point, wire)
            house.says(point, guard.NORMAL, 61000)
            assert house.states() == {point + "/tamper": "returned"}


def test_a_cut_fire_loop_is_fire_and_a_shorted_one_is_tampered_with() -> None:
    house = Watched()
    house.says("fire", guard.CUT, 1000)
    assert house.site.burning
    assert house.states() == {"fire/fire": "unacknowledged"}
    house = Watched()
    house.says("fire", guard.SHORT, 1000)
    assert not house.site.burning
    assert house.states() == {"fire/tamper": "unacknowledged"}


def test_a_short_ends_no_fire() -> None:
    house = Watched()
    house.says("fire", guard.ACTIVE, 1000)
    house.says("fire", guard.SHORT, 2000)
    house.tick(60000)
    assert house.site.burning
    house.says("fire", guard.NORMAL, 61000)
    house.tick(62000)
    assert not house.site.burning


def test_a_tampered_housing_is_open_cut_or_shorted_all_the_same() -> None:
    for state in (guard.ACTIVE, guard.CUT, guard.SHORT):
        house = Watched()
        house.says("lid", state, 1000)
        house.says("lid", guard.CUT, 2000)
        assert house.told() == [("alarm.raised", "lid", "tamper")], state


def test_what_cannot_be_read_says_nothing_and_ends_nothing() -> None:
    house = Watched()
    for point in sorted(POINTS):
        house.says(point, guard.UNKNOWN, 1000)
    assert house.told() == []
    house.says("lid", guard.ACTIVE, 2000)
    house.says("lid", guard.UNKNOWN, 3000)
    assert house.states() == {"lid/tamper": "unacknowledged"}


def test_a_cut_sensor_of_an_armed_partition_is_a_tamper_and_disarms_nothing() -> None:
    house = Watched()
    assert house.site.arm("flat", "op", house.at(1000))[0] is None
    house.says("hall", guard.CUT, 2000)
    assert house.site.armed("flat")
    assert house.states() == {"hall/tamper": "unacknowledged"}
    assert house.site.arm("flat", "op", house.at(3000))[0] is None


def test_a_point_in_no_partition_is_always_armed() -> None:
    house = Watched()
    house.point("hall", True, 1000)
    house.point("window", True, 1000)
    assert house.states() == {"window/intrusion": "unacknowledged"}


def test_a_sensor_open_at_the_start_alarms_where_it_is_armed() -> None:
    house = Watched()
    house.take(house.site.arm("flat", "op", house.at(1000))[1])
    after = Watched(kept=house.kept, active=("hall",))
    assert after.told() == [("alarm.raised", "hall", "intrusion")]


# ---- a fault that lasts -------------------------------------------------------------------------


def test_the_mains_may_fail_for_a_moment() -> None:
    house = Watched()
    house.point("mains", True, 1000)
    house.point("mains", False, 2900)
    house.tick(60000)
    assert house.told() == []
    house.point("mains", True, 61000)
    house.tick(63000)
    assert house.told() == [("alarm.raised", "mains", "power_fault")]
    assert house.site.alarms.alarms()[0].priority == 3


def test_a_fault_of_before_a_restart_is_over_unless_somebody_says_it_lasts() -> None:
    house = Watched()
    house.take(house.site.condition("front-reader", alarm.READER_FAULT, True, house.at(0)))
    house.tick(1000)
    after = Watched(kept=house.kept)
    after.tick(60000)
    assert after.states() == {"front-reader/reader_fault": "returned"}
    lasts = Watched(kept=house.kept)
    lasts.take(lasts.site.condition("front-reader", alarm.READER_FAULT, True, lasts.at(900)))
    lasts.tick(60000)
    assert lasts.states() == {"front-reader/reader_fault": "unacknowledged"}
    assert lasts.told() == []


# ---- a door's contact ---------------------------------------------------------------------------


def test_a_cut_contact_is_a_tamper_and_judges_no_opening() -> None:
    for wire in (guard.CUT, guard.SHORT):
        house = Watched()
        house.contact(wire, 1000)
        house.tick(90000)
        assert house.told() == [("alarm.raised", "front-contact", "tamper")]
        assert house.site.portals["front"].door == "fault"


def test_a_door_found_open_when_its_contact_is_whole_again_is_not_forced_but_may_be_held() -> None:
    house = Watched()
    house.contact(guard.CUT, 1000)
    house.contact(guard.ACTIVE, 10000)
    house.tick(39999)
    assert [told[:3] for told in house.told()] == [
        ("alarm.raised", "front-contact", "tamper"),
        ("portal.opened",),
    ]
    house.tick(40000)
    assert house.told() == [("alarm.raised", "front", "door_held")]


def test_cutting_the_contact_ends_no_forced_door() -> None:
    house = Watched()
    house.contact(guard.ACTIVE, 1000)
    house.tick(1200)
    house.contact(guard.CUT, 2000)
    assert house.states()["front/door_forced"] == "unacknowledged"
    house.contact(guard.NORMAL, 3000)
    assert house.states()["front/door_forced"] == "returned"


def test_an_open_door_is_not_held_while_its_contact_cannot_be_believed() -> None:
    house = Watched()
    house.shows(key(1), 500)
    house.contact(guard.ACTIVE, 1000)
    house.contact(guard.CUT, 20000)
    house.tick(90000)
    assert house.states() == {"front-contact/tamper": "unacknowledged"}


def test_a_contact_that_cannot_be_read_is_unknown_and_no_tamper() -> None:
    house = Watched()
    house.contact(guard.UNKNOWN, 1000)
    assert (house.told(), house.site.portals["front"].door) == ([], "unknown")


def test_the_way_out_is_free_whatever_the_contact_says() -> None:
    house = Watched()
    house.contact(guard.CUT, 1000)
    house.take(house.site.rex("front", 2000, house.at(2000)))
    assert house.site.portals["front"].unlocked


# ---- the bolt -----------------------------------------------------------------------------------


def test_a_bolt_that_does_not_follow_for_its_time_is_a_fault_of_the_lock() -> None:
    house = Watched()
    house.bond(False, 1000)
    house.tick(1999)
    assert (house.told(), house.site.portals["front"].lock_fault) == ([], False)
    house.tick(2000)
    assert house.told() == [("alarm.raised", "strike", "lock_fault")]
    assert house.site.portals["front"].lock_fault
    house.bond(True, 3000)
    assert house.states() == {"strike/lock_fault": "returned"}
    assert not house.site.portals["front"].lock_fault


def test_a_lock_that_stays_locked_when_told_to_unlock_is_a_fault_too() -> None:
    house = Watched()
    house.bond(True, 500)
    house.shows(key(1), 1000)
    house.tick(1500)
    assert "strike/lock_fault" not in house.states()
    house.tick(2000)
    house.tick(3000)
    assert house.states() == {"strike/lock_fault": "unacknowledged"}


def test_the_bolt_of_an_open_door_is_not_judged() -> None:
    house = Watched()
    house.bond(True, 500)
    house.shows(key(1), 1000)
    house.bond(False, 1050)
    house.take(house.site.contact("front", True, 2000, house.at(2000)))
    house.tick(9000)
    assert house.states() == {}
    house.take(house.site.contact("front", False, 10000, house.at(10000)))
    house.tick(11000)
    assert house.states() == {"strike/lock_fault": "unacknowledged"}


def test_a_lock_that_says_nothing_of_its_bolt_is_believed() -> None:
    house = Watched()
    house.bond(None, 1000)
    house.tick(60000)
    assert house.states() == {}


def test_a_button_pressed_before_the_start_may_still_cut_the_magnets_current() -> None:
    house = Watched(power_lost=("yard",))
    house.bond(False, 100, "yard")
    house.tick(29999)
    assert house.states() == {}
    house.tick(30000)
    house.tick(31000)
    assert house.states() == {"magnet/lock_fault": "unacknowledged"}


def test_a_magnet_that_has_held_since_the_start_is_judged_at_once() -> None:
    house = Watched(power_lost=("yard",))
    house.bond(False, 100, "yard")
    house.bond(True, 200, "yard")
    house.bond(False, 300, "yard")
    house.tick(1300)
    assert house.states() == {"magnet/lock_fault": "unacknowledged"}


def test_the_wire_of_a_bolts_contact_that_is_cut_is_tampered_with_until_it_is_whole() -> None:
    for state in ("cut", "short"):
        house = Watched()
        house.bond_state("normal", 500)
        house.bond_state(state, 1000)
        assert house.states() == {"bolt/tamper": "unacknowledged"}
        assert house.site.portals["front"].lock_fault
        house.bond_state("unknown", 2000)
        assert house.states() == {"bolt/tamper": "unacknowledged"}
        house.bond_state("normal", 3000)
        assert house.states() == {"bolt/tamper": "returned"}
        assert not house.site.portals["front"].lock_fault


def test_who_pressed_the_exit_button_before_a_restart_goes_out_in_the_buttons_time() -> None:
    house = Watched()
    house.take(house.site.rex("yard", 1000, house.at(1000)))
    assert house.kept["exit/yard"] == BASE_S + 31
    for left_s, states in ((2, {}), (0, {"yard/door_forced": "unacknowledged"})):
        after = Watched(kept={"exit/yard": BASE_S + left_s})
        after.take(after.site.contact("yard", True, 1000, after.at(1000)))
        after.tick(1300)
        assert after.states() == states
    assert "exit/yard" not in after.kept
    house.tick(31000)
    assert "exit/yard" not in house.kept


# ---- who has seen it ----------------------------------------------------------------------------


def test_a_managers_card_acknowledges_what_is_shown_but_for_fire_and_duress() -> None:
    house = Watched()
    house.point("window", True, 1000)
    house.point("fire", True, 1100)
    house.take(house.site.condition("front-in", alarm.DURESS, True, house.at(1200)))
    house.told()
    house.shows(key(1007, acknowledges=True), 2000)
    seen = [told for told in house.told() if told[0] == "alarm.acknowledged"]
    assert seen == [("alarm.acknowledged", "window", "intrusion", "credential-1007")]
    assert house.states()["fire/fire"] == "unacknowledged"


def test_a_normal_badge_silences_nothing() -> None:
    house = Watched()
    house.point("window", True, 1000)
    house.shows(key(1), 2000)
    assert house.site.alarms.siren(2000)
    assert house.states() == {"window/intrusion": "unacknowledged"}


def test_a_managers_card_that_is_refused_acknowledges_nothing() -> None:
    house = Watched()
    house.point("window", True, 1000)
    house.take(house.site.set_mode("front", "blocked", record.COMMAND, "op", house.at(1500)))
    house.shows(key(1007, acknowledges=True), 2000)
    assert house.states() == {"window/intrusion": "unacknowledged"}


def test_a_shelved_alarm_is_kept_over_a_restart_and_shown_again_at_its_end() -> None:
    house = Watched()
    house.point("window", True, 1000)
    assert house.site.shelve("window", "burglary", BASE_S + 60, "op", house.at(2000))[0] is not None
    reason, effects = house.site.shelve(
        "window", "intrusion", BASE_S + 60, "op-ling", house.at(2000)
    )
    house.take(effects)
    assert (reason, house.site.alarms.beacon) == (None, False)
    assert house.kept["shelve/window/intrusion"] == [BASE_S + 60, "op-ling"]
    after = Watched(kept=house.kept, active=("window",))
    assert not after.site.alarms.beacon
    after.tick(59999)
    assert not after.site.alarms.beacon
    after.tick(60000)
    assert after.site.alarms.beacon
    assert ("alarm.unshelved", "window", "intrusion") in after.told()
    assert "shelve/window/intrusion" not in after.kept


def test_silence_and_one_acknowledgement_come_by_command() -> None:
    house = Watched()
    house.point("window", True, 1000)
    house.take(house.site.silence("op-ling", house.at(2000)))
    house.take(house.site.acknowledge_one("window", "intrusion", "op-ling", house.at(3000)))
    assert house.told()[1:] == [
        ("alarm.silenced", "op-ling"),
        ("alarm.acknowledged", "window", "intrusion", "op-ling"),
    ]


def test_a_command_ends_no_fire_that_waits_for_its_key() -> None:
    house = Watched()
    house.point("fire", True, 1000)
    house.take(house.site.acknowledge_one(None, None, "op-ling", house.at(2000)))
    assert (house.states(), house.site.burning) == ({"fire/fire": "acknowledged"}, True)


# ---- an open reader -----------------------------------------------------------------------------


def refused(house: Watched, now_ms: int) -> bool:
    house.told()
    house.shows(key(1), now_ms)
    return [told[1] for told in house.told() if told[0] == "access.denied"] == ["reader_blocked"]


def opens_reader(house: Watched, is_open: bool, now_ms: int) -> None:
    house.take(house.site.condition("front-reader", alarm.TAMPER, is_open, house.at(now_ms)))


def test_an_open_reader_refuses_and_lets_out() -> None:
    house = Watched()
    opens_reader(house, True, 1000)
    assert refused(house, 2000)
    house.take(house.site.rex("front", 3000, house.at(3000)))
    assert house.site.portals["front"].unlocked
    opens_reader(house, False, 20000)
    assert not refused(house, 21000)


def test_an_open_reader_refuses_until_it_was_seen_where_the_config_says_so() -> None:
    house = Watched(tamper_blocks="acknowledged")
    opens_reader(house, True, 1000)
    opens_reader(house, False, 2000)
    assert refused(house, 3000)
    house.take(house.site.acknowledge(KEY_SWITCH, house.at(4000)))
    assert not refused(house, 5000)


def test_an_open_reader_is_only_told_of_where_the_config_says_so() -> None:
    house = Watched(tamper_blocks="off")
    opens_reader(house, True, 1000)
    assert not refused(house, 2000)


# ---- automation ---------------------------------------------------------------------------------

LOCKDOWN = Rule(
    "lockdown", {"type": "alarm.raised", "class": "panic"}, {}, SetMode("locked_down", ())
)


def test_a_rule_locks_down_and_is_kept_and_told() -> None:
    house = Watched((LOCKDOWN,))
    house.point("help", True, 1000)
    assert [told for told in house.told() if told[0] != "alarm.raised"] == [
        ("automation.done", "alarm.raised", "lockdown"),
        ("portal.mode", "locked_down", "automation", "lockdown"),
        ("portal.mode", "locked_down", "automation", "lockdown"),
    ]
    assert house.kept["mode/front"] == ["locked_down", "automation"]


def test_a_rule_never_releases_whatever_it_says() -> None:
    for mode in sorted(portal.MODES):
        rule = Rule("free", {"type": "alarm.raised"}, {}, SetMode(mode, ("front",)))
        house = Watched((rule,))
        house.point("help", True, 1000)
        assert not house.site.portals["front"].unlocked, mode
        assert house.site.portals["front"].mode in automation.MODES


def test_what_a_rule_causes_calls_for_nothing_further() -> None:
    again = Rule(
        "again", {"type": "alarm.raised", "class": "intrusion"}, {}, RaiseAlarm("tamper", "lid")
    )
    loop = Rule("loop", {"type": "alarm.raised", "class": "tamper"}, {}, RaiseAlarm("tamper", None))
    house = Watched((again, loop))
    house.point("window", True, 1000)
    raised = [told[1:] for told in house.told() if told[0] == "alarm.raised"]
    assert raised == [("window", "intrusion"), ("lid", "tamper")]
    assert house.states()["lid/tamper"] == "returned"


def test_no_rule_answers_to_duress() -> None:
    rule = Rule("light", {"type": "alarm.raised"}, {}, SwitchOutput("stairs", 5000))
    house = Watched((rule,))
    house.take(house.site.condition("front-in", alarm.DURESS, True, house.at(1000)))
    assert ("alarm.raised", "front-in", "duress") in house.told()
    assert house.switched == []


def test_an_alarm_that_lasts_is_not_ended_by_a_rule_that_raises_it() -> None:
    rule = Rule("more", {"type": "alarm.raised", "class": "panic"}, {}, RaiseAlarm("tamper", "lid"))
    house = Watched((rule,))
    house.point("lid", True, 1000)
    house.point("help", True, 2000)
    assert house.states()["lid/tamper"] == "unacknowledged"


def test_a_rule_switches_an_output_for_its_time_and_the_longer_time_wins() -> None:
    rule = Rule("light", {"type": "alarm.raised"}, {}, SwitchOutput("stairs", 5000))
    house = Watched((rule,))
    house.point("help", True, 1000)
    assert (house.switched, house.site.deadline_ms) == ([Switch("stairs", True)], 6000)
    house.point("help", True, 4000)
    house.tick(6000)
    assert len(house.switched) == 1
    house.tick(9000)
    assert house.switched[1:] == [Switch("stairs", False)]


def test_a_condition_must_hold_besides() -> None:
    when = {"type": "alarm.raised", "class": "panic"}
    for condition, holds in (
        ({"portal": "front", "mode": "locked"}, True),
        ({"portal": "front", "mode": "unlocked"}, False),
        ({"partition": "flat", "armed": True}, False),
        ({"partition": "flat", "armed": False}, True),
        ({"alarm": "panic"}, True),
        ({"alarm": "fire"}, False),
        ({"schedule": "night"}, False),
        ({"schedule": "day"}, True),
    ):
        rule = Rule("x", when, condition, SwitchOutput("stairs", 5000))
        house = Watched((rule,))
        hours = {
            "day": schedule.parse("daily 08:00-18:00"),
            "night": schedule.parse("sat 22:00-06:00"),
        }
        house.site.rights = Rights({}, hours, [], False, False)
        house.point("help", True, 1000)
        assert bool(house.switched) == holds, condition


def test_a_rule_wants_every_field_that_it_names() -> None:
    rule = Rule(
        "x", {"type": "alarm.raised", "class": "panic", "point": "lobby"}, {}, SwitchOutput("s", 1)
    )
    house = Watched((rule,))
    house.point("help", True, 1000)
    house.point("window", True, 2000)
    assert house.switched == []
