# portable
"""`firmware.access.credential`: every reason of a denial, and that the first that holds is told."""

from firmware.access import credential, portal, schedule
from firmware.access.credential import (
    ACTIVE,
    CANCELLED,
    CLOCK_UNTRUSTED,
    CREDENTIAL_CANCELLED,
    CREDENTIAL_EXPIRED,
    CREDENTIAL_LOST,
    CREDENTIAL_SUSPENDED,
    LOCKED_DOWN,
    LOST,
    NO_RIGHT,
    NOT_YET_VALID,
    OUTSIDE_SCHEDULE,
    PORTAL_BLOCKED,
    SUSPENDED,
    UNKNOWN_CREDENTIAL,
    UNUSED,
    USES_EXHAUSTED,
    Credential,
    Moment,
    Right,
    Rights,
    Usage,
    refusal,
    spend,
)

NOW_S = schedule.day_number("2026-11-16") * 86400 + 9 * 3600  # a Monday, 09:00
NOW = Moment(1000, NOW_S, NOW_S, True)
DOUBTED = Moment(1000, NOW_S, NOW_S, False)

RIGHTS = Rights(
    {
        "always": [Right("front-in", None, False)],
        "mornings": [Right("front-in", "mornings", False)],
        "nights": [Right("front-in", "nights", False)],
        "yard": [Right("yard-in", None, False)],
        "everywhere": [Right(credential.ANYWHERE, None, False)],
        "unknown-hours": [Right("front-in", "no-such-hours", False)],
    },
    {
        "mornings": schedule.parse("mon-fri 08:00-12:00"),
        "nights": schedule.parse("daily 22:00-06:00"),
    },
    [],
    False,
    False,
)

#: A key that nothing speaks against.
GOOD: "dict[str, object]" = {
    "id": 1,
    "holder": 11,
    "state": ACTIVE,
    "valid_from_s": None,
    "valid_to_s": None,
    "first_use_s": None,
    "uses": None,
    "levels": ("always",),
    "extended": False,
    "override": False,
    "pin_salt": None,
    "pin_hash": None,
    "version": 1,
    "duress_hash": None,
    "flat": None,
    "group": None,
    "acknowledges": False,
    "duress": False,
    "visit": None,
}


def key(changes: "dict[str, object]") -> Credential:
    fields = dict(GOOD)
    for name in changes:
        assert name in fields, name
        fields[name] = changes[name]
    return Credential(**fields)


def reason(
    changes: "dict[str, object]",
    mode: str = portal.LOCKED,
    now: Moment = NOW,
    usage: Usage = UNUSED,
    access_point: str = "front-in",
) -> "str | None":
    return refusal(key(changes), usage, access_point, mode, RIGHTS, now)


# ---- the reasons, one by one -----------------------------------------------------------------------


def test_a_good_key_is_let_in() -> None:
    assert reason({}) is None


def test_an_unknown_key_is_told_first_of_all() -> None:
    for mode in sorted(portal.MODES):
        assert refusal(None, UNUSED, "front-in", mode, RIGHTS, DOUBTED) == UNKNOWN_CREDENTIAL


def test_a_key_in_each_state_but_active_is_refused_for_it() -> None:
    found = {state: reason({"state": state}) for state in credential.STATES}
    assert found == {
        ACTIVE: None,
        LOST: CREDENTIAL_LOST,
        CANCELLED: CREDENTIAL_CANCELLED,
        SUSPENDED: CREDENTIAL_SUSPENDED,
    }


def test_uses_end_with_the_last_one() -> None:
    assert reason({"uses": 2}, usage=Usage(1, NOW_S)) is None
    assert reason({"uses": 2}, usage=Usage(2, NOW_S)) == USES_EXHAUSTED
    assert reason({"uses": 2}, usage=Usage(3, NOW_S)) == USES_EXHAUSTED
    assert reason({"uses": 0}) == USES_EXHAUSTED


def test_validity_begins_with_its_first_second() -> None:
    assert reason({"valid_from_s": NOW_S + 1}) == NOT_YET_VALID
    assert reason({"valid_from_s": NOW_S}) is None


def test_validity_ends_before_its_last_second() -> None:
    assert reason({"valid_to_s": NOW_S + 1}) is None
    assert reason({"valid_to_s": NOW_S}) == CREDENTIAL_EXPIRED


def test_a_first_use_period_begins_with_the_first_use() -> None:
    limits: dict[str, object] = {"first_use_s": 600}
    assert reason(limits) is None
    assert reason(limits, usage=Usage(1, NOW_S - 599)) is None
    assert reason(limits, usage=Usage(1, NOW_S - 600)) == CREDENTIAL_EXPIRED


def test_the_earlier_of_validity_and_first_use_period_ends_a_key() -> None:
    used = Usage(1, NOW_S - 600)
    assert reason({"first_use_s": 600, "valid_to_s": NOW_S + 999}, usage=used) == CREDENTIAL_EXPIRED
    assert reason({"first_use_s": 999, "valid_to_s": NOW_S}, usage=used) == CREDENTIAL_EXPIRED
    assert reason({"first_use_s": 999, "valid_to_s": NOW_S + 1}, usage=used) is None


def test_a_clock_that_nobody_believes_refuses_every_key_with_an_end() -> None:
    for limits in ({"valid_from_s": 0}, {"valid_to_s": NOW_S + 99999}, {"first_use_s": 600}):
        assert reason(dict(limits), now=DOUBTED) == CLOCK_UNTRUSTED, limits


def test_a_key_without_limits_needs_no_clock() -> None:
    assert reason({}, now=DOUBTED) is None
    assert reason({"uses": 5}, now=DOUBTED) is None


def test_hours_cannot_be_checked_by_a_clock_that_nobody_believes() -> None:
    assert reason({"levels": ("mornings",)}, now=DOUBTED) == CLOCK_UNTRUSTED
    assert reason({"levels": ("mornings", "always")}, now=DOUBTED) is None


def test_a_key_opens_only_where_it_has_a_right() -> None:
    assert reason({"levels": ("yard",)}) == NO_RIGHT
    assert reason({"levels": ("yard",)}, access_point="yard-in") is None
    assert reason({"levels": ()}) == NO_RIGHT
    assert reason({"levels": ("no-such-level",)}) == NO_RIGHT
    assert reason({"levels": ("everywhere",)}, access_point="anywhere-at-all") is None


def test_a_right_holds_in_its_hours() -> None:
    assert reason({"levels": ("mornings",)}) is None
    assert reason({"levels": ("nights",)}) == OUTSIDE_SCHEDULE
    assert reason({"levels": ("nights", "mornings")}) is None
    assert reason({"levels": ("unknown-hours",)}) == OUTSIDE_SCHEDULE


def test_hours_are_those_of_the_sites_own_time() -> None:
    noon_there = Moment(1000, NOW_S, NOW_S + 3 * 3600, True)
    assert reason({"levels": ("mornings",)}, now=noon_there) == OUTSIDE_SCHEDULE


def test_hours_hold_on_no_holiday_unless_they_say_so() -> None:
    rights = Rights(RIGHTS.levels, RIGHTS.schedules, [NOW_S // 86400], False, False)
    found = refusal(key({"levels": ("mornings",)}), UNUSED, "front-in", portal.LOCKED, rights, NOW)
    assert found == OUTSIDE_SCHEDULE


def test_each_mode_lets_in_or_says_why_not() -> None:
    found = {mode: reason({}, mode=mode) for mode in portal.MODES}
    assert found == {
        portal.LOCKED: None,
        portal.UNLOCKED: None,
        portal.LOCKED_OPEN: None,
        portal.BLOCKED: PORTAL_BLOCKED,
        portal.LOCKED_DOWN: LOCKED_DOWN,
    }


def test_an_override_right_opens_in_lockdown_and_in_no_blocked_door() -> None:
    assert reason({"override": True}, mode=portal.LOCKED_DOWN) is None
    assert reason({"override": True}, mode=portal.BLOCKED) == PORTAL_BLOCKED


def test_an_override_right_excuses_nothing_else() -> None:
    mode = portal.LOCKED_DOWN
    assert reason({"override": True, "state": LOST}, mode=mode) == CREDENTIAL_LOST
    assert reason({"override": True, "valid_to_s": NOW_S}, mode=mode) == CREDENTIAL_EXPIRED
    assert reason({"override": True, "levels": ("nights",)}, mode=mode) == OUTSIDE_SCHEDULE


# ---- the order -------------------------------------------------------------------------------------

#: The contract's order, from what a key itself is to where and when it is shown.
ORDER = (
    CREDENTIAL_LOST,
    CREDENTIAL_CANCELLED,
    CREDENTIAL_SUSPENDED,
    USES_EXHAUSTED,
    CLOCK_UNTRUSTED,
    NOT_YET_VALID,
    CREDENTIAL_EXPIRED,
    NO_RIGHT,
    PORTAL_BLOCKED,
    LOCKED_DOWN,
    OUTSIDE_SCHEDULE,
)

#: reason: what makes it hold; ``mode`` and ``trusted`` are not the key's.
CAUSES: "dict[str, dict[str, object]]" = {
    CREDENTIAL_LOST: {"state": LOST},
    CREDENTIAL_CANCELLED: {"state": CANCELLED},
    CREDENTIAL_SUSPENDED: {"state": SUSPENDED},
    USES_EXHAUSTED: {"uses": 0},
    CLOCK_UNTRUSTED: {"first_use_s": 600, "trusted": False},
    NOT_YET_VALID: {"valid_from_s": NOW_S + 1},
    CREDENTIAL_EXPIRED: {"valid_to_s": NOW_S},
    NO_RIGHT: {"levels": ("yard",)},
    PORTAL_BLOCKED: {"mode": portal.BLOCKED},
    LOCKED_DOWN: {"mode": portal.LOCKED_DOWN},
    OUTSIDE_SCHEDULE: {"levels": ("nights",)},
}


def told(causes: "dict[str, object]") -> "str | None":
    changes = dict(causes)
    mode = str(changes.pop("mode", portal.LOCKED))
    trusted = bool(changes.pop("trusted", True))
    return reason(changes, mode=mode, now=Moment(1000, NOW_S, NOW_S, trusted))


def test_each_cause_alone_is_its_reason() -> None:
    for one in ORDER:
        assert told(CAUSES[one]) == one


def test_of_two_reasons_that_hold_the_earlier_is_told() -> None:
    pairs = 0
    for i, earlier in enumerate(ORDER):
        for later in ORDER[i + 1 :]:
            if [name for name in CAUSES[earlier] if name in CAUSES[later]]:
                continue  # one field cannot be two things
            both = dict(CAUSES[later])
            both.update(CAUSES[earlier])
            assert told(both) == earlier, (earlier, later)
            pairs += 1
    assert pairs == 11 * 10 // 2 - 3 - 1 - 1  # the states, the modes, the levels


def test_of_all_reasons_that_hold_the_first_is_told() -> None:
    for i in range(len(ORDER)):
        all_of_them: dict[str, object] = {}
        for one in reversed(ORDER[i:]):
            all_of_them.update(CAUSES[one])
        assert told(all_of_them) == ORDER[i]


# ---- denials, access points as rights, doubted time, a silent host --------------------------------


def rights_of(
    levels: "dict[str, list[Right]]", lenient: bool = False, narrowed: bool = False
) -> Rights:
    return Rights(levels, RIGHTS.schedules, [], lenient, narrowed)


def refused(rights: Rights, changes: "dict[str, object]", now: Moment = NOW) -> "str | None":
    return refusal(key(changes), UNUSED, "front-in", portal.LOCKED, rights, now)


def test_a_denial_beats_every_grant() -> None:
    always, mornings, nights, other = (
        rights_of({"always": RIGHTS.levels["always"], "barred": [denial]})
        for denial in (
            Right(credential.ANYWHERE, None, True),
            Right("front-in", "mornings", True),
            Right("front-in", "nights", True),
            Right("yard-in", None, True),
        )
    )
    for levels in (("always", "barred"), ("barred", "always"), ("@front-in", "barred")):
        assert refused(always, {"levels": levels}) == NO_RIGHT
        assert refused(mornings, {"levels": levels}) == OUTSIDE_SCHEDULE
        assert refused(nights, {"levels": levels}) is None
        assert refused(other, {"levels": levels}) is None
        assert refused(nights, {"levels": levels}, DOUBTED) == CLOCK_UNTRUSTED
        assert refused(always, {"levels": levels}, DOUBTED) == NO_RIGHT
    assert refused(nights, {"levels": ("barred",)}) == NO_RIGHT


def test_a_denial_in_hours_that_are_not_known_holds_always() -> None:
    rights = rights_of({"always": RIGHTS.levels["always"], "barred": [Right("*", "gone", True)]})
    assert refused(rights, {"levels": ("always", "barred")}) == OUTSIDE_SCHEDULE


def test_a_level_may_be_one_access_point() -> None:
    assert reason({"levels": ("@front-in",)}) is None
    assert reason({"levels": ("@front-in",)}, now=DOUBTED) is None
    assert reason({"levels": ("@yard-in",)}) == NO_RIGHT
    assert reason({"levels": ("@yard-in", "always")}) is None


def test_a_level_may_be_every_access_point() -> None:
    assert reason({"levels": ("@*",)}) is None
    assert reason({"levels": ("@*",)}, now=DOUBTED) is None
    barred = rights_of({"barred": [Right("front-in", None, True)]})
    assert refused(barred, {"levels": ("@*", "barred")}) == NO_RIGHT


def test_with_lenience_doubted_time_decides_by_the_last_time_known() -> None:
    barred = dict(RIGHTS.levels)
    barred["barred"] = [Right("front-in", "mornings", True)]
    barred["spared"] = [Right("front-in", "nights", True)]
    rights = rights_of(barred, lenient=True)
    for now in (NOW, DOUBTED):
        assert refused(rights, {"valid_to_s": NOW_S + 1}, now) is None
        assert refused(rights, {"valid_to_s": NOW_S}, now) == CREDENTIAL_EXPIRED
        assert refused(rights, {"valid_from_s": NOW_S}, now) is None
        assert refused(rights, {"valid_from_s": NOW_S + 1}, now) == NOT_YET_VALID
        assert refused(rights, {"levels": ("mornings",)}, now) is None
        assert refused(rights, {"levels": ("nights",)}, now) == OUTSIDE_SCHEDULE
        assert refused(rights, {"levels": ("always", "barred")}, now) == OUTSIDE_SCHEDULE
        assert refused(rights, {"levels": ("always", "spared")}, now) is None


def test_a_controller_that_hears_nothing_lets_in_whoever_is_there_to_stay() -> None:
    rights = rights_of(RIGHTS.levels, narrowed=True)
    month_s = 30 * 86400
    assert refused(rights, {}) is None
    assert refused(rights, {"valid_from_s": NOW_S, "valid_to_s": NOW_S + month_s}) is None
    assert refused(rights, {"valid_to_s": NOW_S + month_s}) is None
    assert refused(rights, {"valid_from_s": NOW_S}) is None
    assert refused(rights, {"valid_from_s": NOW_S - month_s, "valid_to_s": NOW_S + 1}) is None
    for short in (
        {"valid_from_s": NOW_S, "valid_to_s": NOW_S + month_s - 1},
        {"valid_to_s": NOW_S + month_s - 1},
        {"uses": 5},
        {"first_use_s": 86400},
    ):
        assert refused(rights, dict(short)) == NO_RIGHT
        assert refused(RIGHTS, dict(short)) is None


def test_what_is_not_taken_at_an_access_point_has_no_right_there() -> None:
    for mode in sorted(portal.MODES):
        assert refusal(key({}), UNUSED, "front-in", mode, RIGHTS, NOW, False) == NO_RIGHT


def test_whose_key_it_is() -> None:
    assert credential.person(key({})) == "h11"
    assert credential.person(key({"holder": None})) == "c1"
    assert credential.person(key({"visit": "v-7"})) is None


def test_what_is_used_of_a_visitor_s_code_is_kept_by_its_visit_with_its_end() -> None:
    visitor = key({"visit": "v-7", "valid_to_s": 99, "uses": 2})
    assert credential.usage_key(visitor) == "visit/v-7"
    assert credential.usage_key(key({})) == "use/1"
    for one, kept in ((visitor, [1, 99]), (key({"uses": 2}), [1, 50])):
        assert credential.usage_kept(one, Usage(1, 50)) == kept
    assert credential.usage_of(visitor, [1, 99]) == Usage(1, None)
    assert credential.usage_of(key({}), [1, 50]) == Usage(1, 50)
    assert credential.usage_of(key({}), None) == UNUSED


# ---- what is used up -------------------------------------------------------------------------------


def test_nothing_is_counted_where_nothing_is_limited() -> None:
    assert spend(key({}), UNUSED, NOW) is None


def test_a_grant_spends_one_use_and_begins_the_first_use_period_once() -> None:
    for limits in ({"uses": 3}, {"first_use_s": 600}):
        one = key(dict(limits))
        first = spend(one, UNUSED, NOW)
        assert first == Usage(1, NOW_S)
        assert spend(one, first, Moment(9000, NOW_S + 60, NOW_S + 60, True)) == Usage(2, NOW_S)
