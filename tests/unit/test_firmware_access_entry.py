# portable
"""`firmware.access.entry` and access points: the house's rules, in the contract's order, over restarts."""

from test_firmware_access_site import BASE_S, DOOR, KEY, SALT, House, changed

from firmware.access import (
    access_point,
    credential,
    free_access,
    pin,
    portal,
    record,
    schedule,
    signals,
    verification,
    whereabouts,
)
from firmware.access.access_point import Keep
from firmware.access.credential import Right, Rights, Usage
from firmware.access.site import Found, Plan, Site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: The rules of the access points of these tests, by name of the field, in its order.
PLAIN: "dict[str, Any]" = {
    "portal": "front",
    "way": verification.CARD,
    "pin_timeout_ms": 10000,
    "wrong_attempts": 5,
    "wrong_window_ms": 600000,
    "block_ms": 30000,
    "direction": "in",
    "area": "hall",
    "anti_passback": "off",
    "anti_passback_ms": 60000,
    "way_at": (),
    "two_person": "off",
    "second_person_ms": 15000,
    "reader": None,
    "visitors": True,
    "visitor_digits": False,
}
ORDER = (
    ("portal", "way", "pin_timeout_ms", "wrong_attempts", "wrong_window_ms", "block_ms")
    + ("direction", "area", "anti_passback", "anti_passback_ms", "way_at", "two_person")
    + ("second_person_ms", "reader", "visitors", "visitor_digits")
)

RESIDENT = changed(
    KEY,
    {
        "pin_salt": SALT,
        "pin_hash": pin.salted(SALT, "2580"),
        "duress_hash": pin.salted(SALT, "2581"),
    },
)
OTHER = changed(RESIDENT, {"id": 2, "holder": 22})
VISITOR = changed(
    KEY, {"id": 0, "holder": None, "levels": ("@front-in",), "uses": 1, "visit": "v-7"}
)

HOURS = {
    "now": schedule.parse("mon-fri 08:00-12:00"),
    "night": schedule.parse("daily 22:00-06:00"),
    "soon": schedule.parse("daily 09:01-09:02"),
}
LEVELS = {
    "all": [Right(credential.ANYWHERE, None, False)],
    "night": [Right(credential.ANYWHERE, "night", False)],
}


class Hall(House):
    """A house with a hall behind ``front`` (in and out) and a yard with a plain gate."""

    def __init__(
        self,
        rules: "dict[str, Any] | None" = None,
        out: "dict[str, Any] | None" = None,
        plan: "dict[str, Any] | None" = None,
        kept: "dict[str, object] | None" = None,
        open_doors: "tuple[str, ...]" = (),
    ) -> None:
        self._parts = (rules or {}, out or {}, plan or {})
        self.kept = dict(kept or {})
        self.usage = {}
        self.start_s = 0
        self.trusted = True
        self.rights = Rights(LEVELS, HOURS, [], False, False)
        self.begin(0, open_doors)

    def begin(self, now_ms: int, open_doors: "tuple[str, ...]" = ()) -> None:
        """Start, or start again after a power cut, with what was kept."""
        rules, out, plan = self._parts
        points = {"front-in": made(rules), "front-out": made(out, {"direction": "out"})}
        points["yard-in"] = made({}, {"portal": "yard", "area": "yard"})
        doors = {"front": (DOOR, portal.LOCKED), "yard": (DOOR, portal.LOCKED)}
        self.site = Site(
            Plan(
                doors,
                points,
                {},
                "input",
                180000,
                plan.get("areas", {}),
                plan.get("interlocks", {}),
                plan.get("free_access", {}),
                {},
                (),
                0,
                "active",
                {},
                plan.get("credential_wrong_attempts", 5),
                30000,
                {},
                {},
                {},
            )
        )
        self.site.rights = self.rights
        self.records: list[record.Record] = []
        self.take(
            self.site.start(dict(self.kept), Found(open_doors, (), ()), self.at(now_ms)), now_ms
        )

    def show(
        self,
        key: "Any",
        now_ms: int,
        where: str = "front-in",
        kind: str = "card",
        usage: "Usage | None" = None,
    ) -> None:
        """A key is shown and found."""
        used = usage or self.usage.get(0 if key is None else key.id) or credential.UNUSED
        self.site.card(where, "1", self.at(now_ms))
        self.take(self.site.found(where, kind, key, used, self.at(now_ms)), now_ms)

    def keep(self, effect: Keep) -> None:
        if effect.value is None:
            self.kept.pop(effect.key, None)
        else:
            self.kept[effect.key] = effect.value

    def types(self, digits: str, now_ms: int) -> None:
        for one in digits + "#":
            self.take(self.site.key("front-in", one, self.at(now_ms)), now_ms)

    def goes(self, now_ms: int, name: str = "front") -> None:
        """The door opens and shuts."""
        for is_open in (True, False):
            self.take(self.site.contact(name, is_open, now_ms, self.at(now_ms)), now_ms)

    def said(self) -> "list[object]":
        """Grants and denials since the last time, in short."""
        short: list[object] = []
        for one in self.records:
            if one.type == record.ACCESS_DENIED:
                short.append(one.fields["reason"])
            elif one.type == record.ACCESS_GRANTED:
                short.append(one.fields.get("credential", one.fields.get("visit")))
        self.records = []
        return short

    def alarms(self) -> "list[str]":
        return [entry.kind for entry in self.site.alarms.alarms()]


def made(*changes: "dict[str, Any]") -> access_point.Rules:
    fields = dict(PLAIN)
    for change in changes:
        fields.update(change)
    return access_point.Rules(*[fields[name] for name in ORDER])


HARD = {"anti_passback": "hard"}


# ---- the order of the reasons --------------------------------------------------------------------

#: reason: (what is so for the key, the rules, what was kept, what else)
CAUSES: "list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], str]]" = [
    ("reader_blocked", {}, {}, {}, "tampered"),
    ("credential_suspended", {"state": "suspended"}, {}, {}, ""),
    ("uses_exhausted", {"uses": 0}, {}, {}, ""),
    ("credential_expired", {"valid_to_s": BASE_S}, {}, {}, ""),
    ("no_right", {"levels": ()}, {}, {}, ""),
    ("portal_blocked", {}, {}, {}, "blocked"),
    ("outside_schedule", {"levels": ("night",)}, {}, {}, ""),
    ("credential_blocked", {}, {}, {"wrong/1": [1, BASE_S + 30, 0]}, ""),
    ("wrong_pin", {}, {}, {}, "wrong"),
    ("pin_timeout", {}, {}, {}, "slow"),
    ("second_person_missing", {}, {"two_person": "any"}, {}, ""),
    ("anti_passback", {}, {"anti_passback": "hard"}, {"in/hall/h11": [1, BASE_S]}, ""),
    ("occupancy_full", {}, {}, {"in/hall/h99": [1, BASE_S], "in/hall/h98": [1, BASE_S]}, ""),
    ("interlock", {}, {}, {}, "open"),
]


def first_reason(*causes: "tuple[str, Any, Any, Any, str]") -> "list[object]":
    """What a resident is told for whom all of `causes` hold."""
    key: dict[str, object] = {}
    rules: dict[str, Any] = {"way": verification.CARD_AND_PIN}
    kept: dict[str, object] = {}
    marks = ""
    for _, of_key, of_rules, of_kept, mark in causes:
        key.update(of_key)
        rules.update(of_rules)
        kept.update(of_kept)
        marks += mark + " "
    doors = ("yard",) if "open" in marks else ()
    plan = {
        "areas": {"hall": whereabouts.AreaRules(2, None, None)},
        "interlocks": {"sluice": ("front", "yard")},
    }
    hall = Hall(rules, None, plan, kept, doors)
    if "blocked" in marks.split():
        hall.mode(portal.BLOCKED, 500)
    hall.site.access_points["front-in"].tampered = "tampered" in marks
    hall.show(changed(RESIDENT, key), 1000)
    denied = hall.records != [] and hall.records[-1].type == record.ACCESS_DENIED
    if not denied and "slow" not in marks:
        hall.types("0000" if "wrong" in marks else "2580", 2000)
    hall.run(60000)
    return hall.said()


def test_nothing_speaks_against_somebody_for_whom_none_holds() -> None:
    assert first_reason(("", {}, {}, {}, "")) == [1]


def test_each_cause_alone_is_its_reason() -> None:
    for cause in CAUSES:
        assert first_reason(cause) == [cause[0]], cause[0]


def test_of_two_causes_the_contract_s_first_is_told() -> None:
    pairs = 0
    for number, earlier in enumerate(CAUSES):
        for later in CAUSES[number + 1 :]:
            if earlier[0] == "wrong_pin" and later[0] == "pin_timeout":
                continue  # a PIN is typed or it is not
            if [name for name in earlier[1] if name in later[1]]:
                continue  # one field cannot be two things
            assert first_reason(earlier, later) == [earlier[0]], (earlier[0], later[0])
            pairs += 1
    assert pairs == 14 * 13 // 2 - 2


def test_the_reasons_stand_in_the_contract_s_order() -> None:
    places = [credential.REASONS.index(cause[0]) for cause in CAUSES]
    assert places == sorted(places)


# ---- duress ----------------------------------------------------------------------------------------


def duress_of(
    key: "Any", kind: str = "card", digits: "str | None" = None, way: str = "card"
) -> Hall:
    hall = Hall({"way": way})
    hall.show(key, 1000, kind=kind)
    if digits is not None:
        hall.types(digits, 2000)
    return hall


def test_a_card_or_pin_of_duress_opens_as_usual_and_is_told() -> None:
    for kind in ("card", "code", "pin"):
        forced = duress_of(changed(RESIDENT, {"duress": True}), kind, None, "card-or-pin")
        usual = duress_of(RESIDENT, kind, None, "card-or-pin")
        assert forced.alarms() == ["duress"]
        assert [one for one in forced.records if one.type[:5] != "alarm"] == usual.records
        for at in (forced, usual):
            shown = at.site.access_points["front-in"].signals
            assert (shown.light, shown.sound) == (signals.GREEN, True)


def test_a_pin_of_duress_after_the_card_opens_as_usual_and_is_told() -> None:
    forced = duress_of(RESIDENT, "card", "2581", "card+pin")
    usual = duress_of(RESIDENT, "card", "2580", "card+pin")
    assert (forced.alarms(), usual.alarms()) == (["duress"], [])
    assert [one for one in forced.records if one.type[:5] != "alarm"] == usual.records


def test_duress_is_told_even_when_something_earlier_refuses() -> None:
    hall = Hall()
    hall.site.access_points["front-in"].tampered = True
    hall.show(changed(RESIDENT, {"duress": True, "state": "lost"}), 1000)
    assert hall.said() == ["reader_blocked"]
    assert sorted(hall.alarms()) == ["credential_misuse", "duress"]
    hall = Hall({"way": "card+pin", "reader": "front-reader"})
    hall.show(RESIDENT, 1000)
    hall.take(hall.site.condition("front-reader", "tamper", True, hall.at(1500)), 1500)
    hall.types("2581", 2000)
    assert (hall.said(), hall.alarms()) == (["reader_blocked"], ["duress", "tamper"])


# ---- verification ------------------------------------------------------------------------------


def test_the_way_of_the_hour_is_asked_for() -> None:
    hall = Hall({"way": "card", "way_at": (("night", "pin"), ("now", "card+pin"))})
    hall.show(RESIDENT, 1000)
    assert hall.said() == []
    assert hall.site.access_points["front-in"].moment(1000) == signals.PIN_WANTED
    hall.types("2580", 2000)
    assert hall.said() == [1]
    hall.start_s = 4 * 3600  # the afternoon: neither
    hall.show(RESIDENT, 9000)
    assert hall.said() == [1]
    hall.start_s = 14 * 3600
    hall.show(RESIDENT, 19000)
    assert hall.said() == ["no_right"]


def test_the_strictest_way_is_asked_for_while_nobody_knows_the_time() -> None:
    hall = Hall({"way": "card-or-pin", "way_at": (("night", "card+pin"), ("now", "pin"))})
    hall.trusted = False
    hall.show(RESIDENT, 1000)
    hall.types("2580", 2000)
    assert hall.records[-2].fields["verification"] == "card+pin"


def test_a_person_s_code_asks_for_its_pin_like_a_card() -> None:
    hall = Hall({"way": "card+pin"})
    hall.show(RESIDENT, 1000, kind="code")
    assert hall.said() == []
    hall.types("2580", 2000)
    assert hall.said() == [1]


def test_a_visitor_s_code_opens_by_itself_and_is_told_by_its_visit() -> None:
    hall = Hall({"way": "card+pin"})
    hall.show(VISITOR, 1000, kind="code")
    granted = hall.records[0]
    assert granted.fields == {
        "portal": "front",
        "access_point": "front-in",
        "visit": "v-7",
        "verification": "qr",
    }
    assert hall.kept["visit/v-7"] == [1, None]
    hall.said()
    hall.show(VISITOR, 9000, kind="code", usage=Usage(1, None))
    hall.show(VISITOR, 10000, "yard-in", "code")
    assert hall.said() == ["uses_exhausted", "uses_exhausted"]
    hall.show(changed(VISITOR, {"visit": "v-8"}), 11000, "yard-in", "code")
    assert hall.said() == ["no_right"]


def test_where_visitors_are_not_taken_their_codes_have_no_right() -> None:
    hall = Hall({"visitors": False})
    hall.show(VISITOR, 1000, kind="code")
    assert hall.said() == ["no_right"]


def test_a_visitor_may_type_a_code_where_nobody_else_may() -> None:
    hall = Hall({"visitor_digits": True})
    effects: list[object] = []
    for one in "12345678#":
        effects += hall.site.key("front-in", one, hall.at(1000))
    assert [one.kind for one in effects if isinstance(one, access_point.Lookup)] == ["pin"]
    hall.take(hall.site.found("front-in", "pin", VISITOR, credential.UNUSED, hall.at(1000)), 1000)
    hall.take(hall.site.found("front-in", "pin", RESIDENT, credential.UNUSED, hall.at(2000)), 2000)
    assert hall.said() == ["v-7", "no_right"]


def test_a_used_up_visit_is_forgotten_after_its_end() -> None:
    hall = Hall()
    hall.show(changed(VISITOR, {"valid_to_s": BASE_S + 3000}), 1000)
    assert hall.kept["visit/v-7"] == [1, BASE_S + 3000]
    hall.begin(10000)
    hall.run(2999000)
    assert "visit/v-7" in hall.kept
    hall.run(7300000)
    assert "visit/v-7" not in hall.kept


def test_a_use_that_is_spent_elsewhere_while_a_pin_is_typed_is_gone() -> None:
    hall = Hall({"way": "card+pin"})
    once = changed(RESIDENT, {"uses": 1})
    hall.show(once, 1000)
    hall.show(once, 1500, "yard-in")
    assert hall.said() == [1]
    hall.types("2580", 2000)
    assert hall.said() == ["uses_exhausted"]


def test_a_grant_of_a_key_forgets_the_wrong_pins_typed_with_it() -> None:
    hall = Hall({"way": "card+pin"})
    hall.show(RESIDENT, 1000)
    hall.types("0000", 2000)
    assert hall.kept["wrong/1"] == [0, 0, 1]
    hall.show(RESIDENT, 3000)
    hall.types("2580", 4000)
    assert "wrong/1" not in hall.kept


def test_a_pin_that_comes_too_late_is_refused_for_what_came_before_it() -> None:
    hall = Hall({"way": "card+pin"})
    hall.show(RESIDENT, 1000)
    hall.mode(portal.LOCKED_DOWN, 2000)
    hall.run(20000)
    assert hall.said() == ["locked_down"]


# ---- who is where ------------------------------------------------------------------------------


def test_who_was_let_in_and_did_not_open_has_not_passed() -> None:
    hall = Hall(HARD, HARD)
    hall.show(RESIDENT, 1000)
    hall.run(10000)
    hall.show(RESIDENT, 11000, "front-out")
    hall.show(RESIDENT, 12000)
    hall.goes(13000)
    hall.show(RESIDENT, 20000)
    hall.show(RESIDENT, 21000, "front-out")
    assert hall.said() == [1, "anti_passback", 1, "anti_passback", 1]
    assert hall.kept["in/hall/h11"] == [1, BASE_S + 13]


def test_everybody_let_in_within_one_release_has_passed_when_it_opens() -> None:
    hall = Hall(HARD)
    hall.show(RESIDENT, 1000)
    hall.show(OTHER, 2000)
    hall.goes(3000)
    hall.show(RESIDENT, 10000)
    hall.show(OTHER, 11000)
    assert hall.said() == [1, 2, "anti_passback", "anti_passback"]


def test_a_way_out_by_the_handle_changes_nobody_s_whereabouts() -> None:
    hall = Hall(HARD, HARD)
    hall.show(RESIDENT, 1000)
    hall.run(10000)
    hall.take(hall.site.rex("front", 11000, hall.at(11000)), 11000)
    hall.goes(12000)
    assert "in/hall/h11" not in hall.kept


def test_soft_lets_in_and_says_so() -> None:
    hall = Hall({"anti_passback": "soft"})
    for now_ms in (1000, 10000):
        hall.show(RESIDENT, now_ms)
        hall.goes(now_ms + 1000)
    told = [one.fields.get("passback") for one in hall.records if one.type == "access.granted"]
    assert told == [None, "violated"]


def test_who_is_forgiven_by_command_may_come_in_again_after_a_restart_too() -> None:
    hall = Hall(HARD)
    hall.show(RESIDENT, 1000)
    hall.goes(2000)
    hall.take(hall.site.forgive("hall", "h11", "op-ling", hall.at(3000)), 3000)
    hall.begin(4000)
    hall.show(RESIDENT, 5000)
    assert hall.said() == [1]


def test_an_area_without_a_rule_is_not_tracked() -> None:
    hall = Hall()
    hall.show(RESIDENT, 1000)
    hall.goes(2000)
    assert hall.kept == {}


def test_a_place_is_taken_by_whoever_was_let_in_until_it_is_known_that_they_did_not_come() -> None:
    hall = Hall(None, None, {"areas": {"hall": whereabouts.AreaRules(1, None, None)}})
    hall.show(RESIDENT, 1000)
    hall.show(OTHER, 2000)
    hall.run(10000)
    hall.show(OTHER, 11000)
    hall.goes(12000)
    hall.show(RESIDENT, 20000)
    hall.show(VISITOR, 21000)
    hall.show(OTHER, 22000)
    assert hall.said() == [1, "occupancy_full", 2, "occupancy_full", "occupancy_full", 2]


def test_nobody_is_kept_in_by_a_full_area() -> None:
    kept: dict[str, object] = {"in/hall/h99": [1, BASE_S]}
    hall = Hall(None, None, {"areas": {"hall": whereabouts.AreaRules(1, None, None)}}, kept)
    hall.show(RESIDENT, 1000, "front-out")
    assert hall.said() == [1]


# ---- two people --------------------------------------------------------------------------------


def test_two_people_spend_both_and_are_released_once_for_the_second() -> None:
    hall = Hall({"two_person": "any"})
    hall.show(changed(RESIDENT, {"uses": 3}), 1000)
    assert hall.site.access_points["front-in"].moment(1000) == signals.PIN_WANTED
    hall.show(changed(OTHER, {"uses": 3, "extended": True}), 2000)
    assert [one.type for one in hall.records] == [
        "access.granted",
        "access.granted",
        "portal.released",
    ]
    assert (hall.kept["use/1"][0], hall.kept["use/2"][0]) == (1, 1)  # type: ignore[index]
    assert hall.site.portals["front"].awaited == {
        "access_point": "front-in",
        "credential": 2,
        "holder": 22,
    }
    assert hall.site.portals["front"].until_ms == 17000


def test_a_first_person_whose_key_is_changed_has_to_show_it_again() -> None:
    hall = Hall({"two_person": "any"})
    hall.show(RESIDENT, 1000)
    hall.take(hall.site.recall({1}, hall.at(1500)), 1500)
    hall.show(OTHER, 2000)
    assert [(one.type, one.fields["reason"]) for one in hall.records] == [
        ("access.denied", "second_person_missing")
    ]
    hall.show(changed(RESIDENT, {"state": "cancelled"}), 3000)
    assert hall.said() == ["second_person_missing", "credential_cancelled"]


def test_a_first_person_who_may_not_go_in_is_told_and_the_second_waits() -> None:
    hall = Hall(
        {"two_person": "any", "anti_passback": "hard"}, None, None, {"in/hall/h11": [1, BASE_S]}
    )
    hall.show(RESIDENT, 1000)
    assert hall.said() == []
    hall.show(OTHER, 2000)
    assert hall.said() == ["anti_passback"]
    hall.run(17000)
    assert hall.said() == ["second_person_missing"]


def test_two_people_need_two_places() -> None:
    hall = Hall(
        {"two_person": "any"}, None, {"areas": {"hall": whereabouts.AreaRules(1, None, None)}}
    )
    hall.show(RESIDENT, 1000)
    hall.show(OTHER, 2000)
    assert hall.said() == ["occupancy_full"]
    hall.run(17000)
    assert hall.said() == ["second_person_missing"]


def test_a_first_person_whom_the_mode_refuses_meanwhile_is_refused() -> None:
    hall = Hall({"two_person": "any"})
    hall.show(RESIDENT, 1000)
    hall.mode(portal.LOCKED_DOWN, 2000)
    hall.run(16000)
    assert hall.said() == ["locked_down"]


def test_a_first_person_whose_last_use_is_spent_elsewhere_is_refused() -> None:
    hall = Hall({"two_person": "any"})
    once = changed(RESIDENT, {"uses": 1})
    hall.show(once, 1000)
    hall.show(once, 2000, "yard-in")
    hall.show(OTHER, 3000)
    assert hall.said() == [1, "uses_exhausted"]


# ---- interlock, releases from afar ---------------------------------------------------------------

SLUICE = {"interlocks": {"sluice": ("front", "yard")}}


def test_a_release_from_afar_is_refused_by_what_refuses_every_key() -> None:
    hall = Hall(None, None, SLUICE)
    hall.take(hall.site.contact("yard", True, 1000, hall.at(1000)), 1000)
    assert hall.site.release("front", record.COMMAND, "op-ling", hall.at(2000))[0] == "interlock"
    assert not hall.site.portals["front"].unlocked
    hall.take(hall.site.contact("yard", False, 3000, hall.at(3000)), 3000)
    hall.mode(portal.LOCKED_DOWN, 3500)
    assert hall.site.release("front", record.COMMAND, "op-ling", hall.at(4000))[0] == "locked_down"
    hall.mode(portal.BLOCKED, 4500)
    assert hall.site.release("front", record.CALL, "302", hall.at(5000))[0] == "portal_blocked"
    hall.mode(portal.LOCKED, 5500)
    reason, effects = hall.site.release("front", record.COMMAND, "op-ling", hall.at(6000))
    assert (reason, hall.site.portals["front"].unlocked) == (None, True)
    assert effects[0] == record.Record(
        "portal.released", 6000, {"portal": "front", "cause": "command", "by": "op-ling"}
    )


def test_no_mode_holds_a_door_free_while_another_of_its_group_is_open() -> None:
    hall = Hall(None, None, SLUICE)
    hall.show(RESIDENT, 1000)
    assert hall.site.refuses_mode("yard", portal.UNLOCKED)
    assert not hall.site.refuses_mode("yard", portal.BLOCKED)
    effects = hall.site.set_mode("yard", portal.UNLOCKED, record.COMMAND, None, hall.at(2000))
    assert effects == []
    assert not hall.site.portals["yard"].unlocked


def test_the_way_out_and_a_fire_ask_no_interlock() -> None:
    hall = Hall(None, None, SLUICE)
    hall.show(RESIDENT, 1000)
    hall.take(hall.site.rex("yard", 2000, hall.at(2000)), 2000)
    assert hall.site.portals["yard"].unlocked


# ---- free access -------------------------------------------------------------------------------


def visits(first_card: bool = False, level: "str | None" = None) -> "dict[str, Any]":
    return {"free_access": {"front": free_access.Rules("soon", first_card, 3600000, level)}}


def modes(hall: Hall) -> "list[object]":
    told = [one for one in hall.records if one.type == record.PORTAL_MODE]
    hall.records = []
    return [(one.at_ms, one.fields["mode"], one.fields["cause"]) for one in told]


def test_a_door_stands_free_in_its_hours_to_the_second() -> None:
    hall = Hall(None, None, visits())
    hall.run(200000)
    assert modes(hall) == [(60000, "unlocked", "schedule"), (120000, "locked", "schedule")]
    assert hall.kept == {"mode/front": ["locked", "schedule"]}


def test_a_time_that_is_no_longer_trusted_locks_it() -> None:
    hall = Hall(None, None, visits())
    hall.run(70000)
    hall.trusted = False
    hall.run(71000)
    assert [mode[1] for mode in modes(hall)] == ["unlocked", "locked"]  # type: ignore[index]


def test_a_mode_set_by_hand_is_not_touched_before_the_next_hours() -> None:
    for mode in (portal.UNLOCKED, portal.LOCKED_DOWN, portal.LOCKED, portal.BLOCKED):
        hall = Hall(None, None, visits())
        hall.run(70000)
        hall.mode(mode, 80000)
        hall.run(110000)
        hall.begin(110000)
        hall.run(200000)
        assert hall.site.portals["front"].mode == mode
        hall.mode(portal.LOCKED, 200000)
        hall.run(86400000 + 61000)
        assert hall.site.portals["front"].mode == portal.UNLOCKED


def test_hours_take_no_lockdown_away_that_began_before_them() -> None:
    hall = Hall(None, None, visits())
    hall.mode(portal.LOCKED_DOWN, 30000)
    hall.run(200000)
    assert hall.site.portals["front"].mode == portal.LOCKED_DOWN


def test_hours_that_began_or_ended_without_power_are_caught_up_with() -> None:
    hall = Hall(None, None, visits())
    hall.begin(70000)
    assert modes(hall) == [(70000, "unlocked", "schedule")]
    hall.begin(130000)
    assert "portal.released" not in [one.type for one in hall.records]
    assert modes(hall) == [(130000, "locked", "schedule")]


def test_a_plan_without_free_access_any_more_locks_what_it_had_unlocked() -> None:
    hall = Hall(None, None, visits())
    hall.run(70000)
    hall._parts = ({}, {}, {})
    hall.begin(71000)
    assert modes(hall) == [(71000, "locked", "schedule")]
    assert hall.kept == {"mode/front": ["locked", "schedule"]}


def test_free_access_waits_for_the_other_door_after_a_restart_too() -> None:
    plan = visits()
    plan.update(SLUICE)
    hall = Hall(None, None, plan)
    hall.run(70000)
    hall.begin(75000, ("yard",))
    assert not hall.site.portals["front"].unlocked
    hall.take(hall.site.contact("yard", False, 80000, hall.at(80000)), 80000)
    assert hall.site.portals["front"].unlocked


def test_the_first_one_who_counts_begins_it() -> None:
    for level, begins in ((None, True), ("all", True), ("staff", False)):
        hall = Hall(None, None, visits(True, level))
        hall.run(70000)
        hall.show(RESIDENT, 71000)
        assert modes(hall) == []
        hall.goes(72000)
        expected = [(72000, "unlocked", "schedule")] if begins else []
        assert modes(hall) == expected, level


def test_who_goes_out_or_does_not_open_is_nobody_who_came() -> None:
    hall = Hall(None, None, visits(True))
    hall.run(70000)
    hall.show(RESIDENT, 71000, "front-out")
    hall.goes(72000)
    hall.show(RESIDENT, 80000)
    hall.run(90000)
    assert modes(hall) == []


# ---- what survives a restart -----------------------------------------------------------------------


def test_wrong_attempts_short_of_a_block_survive_a_restart() -> None:
    hall = Hall()
    for now_ms in (1000, 2000, 3000, 4000):
        hall.show(None, now_ms)
    assert hall.kept["attempts/front-in"] == [BASE_S + 1, BASE_S + 2, BASE_S + 3, BASE_S + 4]
    hall.begin(5000)
    hall.show(None, 6000)
    hall.show(RESIDENT, 7000)
    assert hall.said() == ["unknown_credential", "reader_blocked"]
    assert sorted(hall.kept) == ["alarm/front-in/wrong_attempts", "block/front-in"]


def test_a_grant_forgets_the_wrong_attempts_for_good() -> None:
    hall = Hall()
    hall.show(None, 1000)
    hall.show(RESIDENT, 2000)
    assert [key for key in sorted(hall.kept) if key[:5] != "await"] == []


# ---- visitors who are inside -----------------------------------------------------------------------


def guest(visit: str, ends_s: int) -> "Any":
    return changed(VISITOR, {"visit": visit, "valid_to_s": BASE_S + ends_s, "levels": ("@*",)})


def two_places() -> "dict[str, Any]":
    return {"areas": {"hall": whereabouts.AreaRules(2, None, None)}}


def go(hall: Hall, key: "Any", now_ms: int, where: str = "front-in") -> None:
    hall.show(key, now_ms, where, "code" if key.visit else "card")
    hall.contact(True, now_ms + 500)
    hall.contact(False, now_ms + 1000)


def test_visitors_count_as_inside_until_their_codes_end() -> None:
    hall = Hall(None, None, two_places())
    go(hall, guest("1", 60), 1000)
    go(hall, guest("a/2/3", 90), 3000)
    assert hall.kept["in/hall/va/2/3"] == [1, BASE_S + 3]
    hall.said()
    hall.show(RESIDENT, 10000)
    hall.show(guest("4", 900), 12000, "front-in", "code")
    assert hall.said() == ["occupancy_full", "occupancy_full"]
    hall.begin(20000)
    hall.show(RESIDENT, 59999)
    assert hall.said() == ["occupancy_full"]
    hall.run(60000)
    assert sorted(key for key in hall.kept if key[:3] == "in/") == ["in/hall/va/2/3"]
    go(hall, RESIDENT, 60000)
    hall.said()
    hall.show(OTHER, 70000)
    assert hall.said() == ["occupancy_full"]
    hall.run(90000)
    assert [key for key in hall.kept if key[:9] == "in/hall/v"] == []
    go(hall, OTHER, 91000)
    assert "in/hall/h22" in hall.kept


def test_a_visitor_who_is_shown_out_gives_up_the_place_and_is_never_passed_back() -> None:
    both = {"anti_passback": "hard"}
    hall = Hall(both, both, two_places())
    many = changed(guest("1", 900), {"uses": 9})
    for at_s in (1, 4):
        go(hall, many, at_s * 1000)
    go(hall, RESIDENT, 7000)
    hall.said()
    hall.show(OTHER, 10000)
    assert hall.said() == ["occupancy_full"]
    go(hall, many, 12000, "front-out")
    go(hall, many, 15000, "front-out")
    hall.said()
    go(hall, OTHER, 20000)
    assert hall.kept["in/hall/h22"] == [1, BASE_S + 20]


def test_two_visitors_who_were_let_in_and_have_not_passed_have_two_places() -> None:
    hall = Hall(None, None, two_places())
    hall.show(guest("1", 900), 1000, "front-in", "code")
    hall.show(guest("2", 900), 1500, "front-in", "code")
    hall.said()
    hall.show(RESIDENT, 2000)
    assert hall.said() == ["occupancy_full"]


def test_a_visitor_in_a_house_that_counts_nobody_leaves_no_trace() -> None:
    hall = Hall({"anti_passback": "hard"})
    go(hall, guest("1", 900), 1000)
    assert [key for key in hall.kept if key[:3] == "in/"] == []
