# portable
"""`firmware.access.site`: whole sequences, from a card to its records, through a restart as well."""

from firmware.access import (
    access_point,
    alarm,
    credential,
    fire,
    opening,
    passage,
    pin,
    portal,
    record,
    schedule,
    signals,
    verification,
)
from firmware.access.access_point import Keep, Lookup
from firmware.access.credential import UNUSED, Credential, Moment, Right, Rights, Usage
from firmware.access.site import KEY_SWITCH, Found, Plan, Point, Site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BASE_S = schedule.day_number("2026-11-16") * 86400 + 9 * 3600  # a Monday, 09:00

DOOR = portal.Rules(
    egress_cuts_power=False,
    egress_ms=30000,
    fire_releases=True,
    release_ms=5000,
    extended_release_ms=15000,
    open_ms=30000,
    extended_open_ms=60000,
    pre_alarm_ms=5000,
    settle_ms=200,
    travel_ms=60,
    relock_on_close=False,
)

#: direction, area, anti_passback, anti_passback_ms, way_at, two_person, second_person_ms, reader,
#: visitors, visitor_digits
PLAIN: "tuple[Any, ...]" = ("in", "front", "off", 0, (), "off", 0, None, True, False)

#: areas, interlocks, free_access, partitions, automation, repeat_ms, tamper_blocks, fault_after_ms,
#: credential_wrong_attempts, credential_block_ms, locks, contacts
REST: "tuple[Any, ...]" = ({}, {}, {}, {}, (), 0, "active", {}, 5, 30000, {}, {}, {})

#: duress_hash, flat, group, acknowledges, duress, visit
MORE = (None, None, None, False, False, None)
KEY = Credential(
    1, 11, "active", None, None, None, None, ("all",), False, False, None, None, 1, *MORE
)
SALT = b"salt"


def changed(one: Credential, changes: "dict[str, object]") -> Credential:
    fields = [changes.get(name, getattr(one, name)) for name in FIELDS]
    return Credential(*fields)


FIELDS = (
    "id",
    "holder",
    "state",
    "valid_from_s",
    "valid_to_s",
    "first_use_s",
    "uses",
    "levels",
    "extended",
    "override",
    "pin_salt",
    "pin_hash",
    "version",
    "duress_hash",
    "flat",
    "group",
    "acknowledges",
    "duress",
    "visit",
)

KEYS = {
    ("card", "resident"): KEY,
    ("pin", "4711"): KEY,
    ("code", "visitor"): changed(KEY, {"id": 2, "holder": 22, "uses": 1}),
    ("card", "lost"): changed(KEY, {"id": 3, "holder": 33, "state": "lost"}),
    ("card", "cancelled"): changed(KEY, {"id": 4, "holder": None, "state": "cancelled"}),
    ("card", "manager"): changed(KEY, {"id": 5, "override": True, "extended": True}),
    ("card", "expired"): changed(KEY, {"id": 6, "valid_to_s": BASE_S}),
    ("card", "with-pin"): changed(
        KEY, {"id": 7, "pin_salt": SALT, "pin_hash": pin.salted(SALT, "1234")}
    ),
    ("card", "duress"): changed(
        KEY,
        {
            "id": 9,
            "pin_salt": SALT,
            "pin_hash": pin.salted(SALT, "1234"),
            "duress_hash": pin.salted(SALT, "4321"),
        },
    ),
    ("card", "forced-lost"): changed(
        KEY,
        {"id": 10, "state": "lost", "pin_salt": SALT, "duress_hash": pin.salted(SALT, "4321")},
    ),
    ("card", "no-right"): changed(KEY, {"id": 8, "levels": ()}),
}


class House:
    """A site with its store and its journal, as the runtime would serve it."""

    def __init__(
        self,
        way: str = verification.CARD_OR_PIN,
        reset: str = fire.INPUT,
        kept: "dict[str, object] | None" = None,
        found: Found = Found((), (), ()),  # noqa: B008  a value that nothing changes
        mode: str = portal.LOCKED,
        start_s: int = 0,
    ) -> None:
        rules = access_point.Rules("front", way, 10000, 5, 600000, 30000, *PLAIN)
        yard = access_point.Rules("yard", verification.CARD, 10000, 5, 600000, 30000, *PLAIN)
        self.site = Site(
            Plan(
                {"front": (DOOR, mode), "yard": (DOOR, portal.LOCKED)},
                {"front-in": rules, "yard-in": yard},
                {
                    "enclosure": Point(alarm.TAMPER, 2),
                    "lobby-panic": Point(alarm.PANIC, 1),
                    "fire": Point(alarm.FIRE, 1),
                },
                reset,
                180000,
                *REST,
            )
        )
        self.site.rights = Rights(
            {"all": [Right(credential.ANYWHERE, None, False)]}, {}, [], False, False
        )
        self.kept: dict[str, object] = dict(kept or {})
        self.usage: dict[int, Usage] = {}
        self.start_s = start_s
        self.trusted = True
        self.records: list[record.Record] = []
        self.take(self.site.start(dict(self.kept), found, self.at(0)), 0)

    def at(self, now_ms: int) -> Moment:
        utc_s = BASE_S + self.start_s + now_ms // 1000
        return Moment(now_ms, utc_s, utc_s, self.trusted)

    def take(self, effects: "list[object]", now_ms: int) -> None:
        """Write, keep and look up, as the runtime would."""
        self._overlooks_no_deadline()
        for effect in effects:
            if isinstance(effect, record.Record):
                self.records.append(effect)
            elif isinstance(effect, Keep):
                self.keep(effect)
            elif isinstance(effect, Lookup):
                key = KEYS.get((effect.kind, effect.value.reveal()))
                usage = UNUSED if key is None else self.usage.get(key.id, UNUSED)
                answer = self.site.found(
                    effect.access_point, effect.kind, key, usage, self.at(now_ms)
                )
                self.take(answer, now_ms)
            else:
                raise AssertionError("not an effect: %s" % effect)

    def _overlooks_no_deadline(self) -> None:
        """What the site holds for its next deadline is no later than what its machines say."""
        held_ms = self.site.deadline_ms
        self.site._due_known = False
        true_ms = self.site.deadline_ms
        assert true_ms is None or (held_ms is not None and held_ms <= true_ms)
        self.site._due_ms, self.site._due_known = held_ms, True

    def keep(self, effect: Keep) -> None:
        if effect.value is None:
            self.kept.pop(effect.key, None)
        else:
            self.kept[effect.key] = effect.value
        if effect.key.startswith("use/"):
            value: Any = effect.value
            self.usage[int(effect.key[4:])] = Usage(value[0], value[1])

    def card(self, number: str, now_ms: int, where: str = "front-in") -> None:
        self.take(self.site.card(where, number, self.at(now_ms)), now_ms)

    def code(self, text: str, now_ms: int) -> None:
        self.take(self.site.code("front-in", text, self.at(now_ms)), now_ms)

    def keys(self, keys: str, now_ms: int) -> None:
        for key in keys:
            self.take(self.site.key("front-in", key, self.at(now_ms)), now_ms)

    def contact(self, is_open: bool, now_ms: int) -> None:
        self.take(self.site.contact("front", is_open, now_ms, self.at(now_ms)), now_ms)

    def point(self, name: str, active: bool, now_ms: int) -> None:
        self.take(self.site.point(name, active, now_ms, self.at(now_ms)), now_ms)

    def acknowledge(self, now_ms: int) -> None:
        self.take(self.site.acknowledge(KEY_SWITCH, self.at(now_ms)), now_ms)

    def mode(self, mode: str, now_ms: int) -> None:
        effects = self.site.set_mode("front", mode, record.COMMAND, "op-ling", self.at(now_ms))
        self.take(effects, now_ms)

    def run(self, until_ms: int) -> None:
        """Tick at each deadline, as a punctual loop would, up to `until_ms`."""
        while True:
            due_ms = self.site.deadline_ms
            if due_ms is None or due_ms > until_ms:
                break
            self.take(self.site.tick(self.at(due_ms)), due_ms)
            after_ms = self.site.deadline_ms
            assert after_ms is None or after_ms > due_ms
        self.take(self.site.tick(self.at(until_ms)), until_ms)

    def told(self) -> "list[tuple[object, ...]]":
        """What was recorded since the last time, in short: type, time, and what tells it apart."""
        short: list[tuple[object, ...]] = []
        for one in self.records:
            said: list[object] = [one.type, one.at_ms]
            for name in ("cause", "mode", "reason", "class", "verification", "credential"):
                if name in one.fields:
                    said.append(one.fields[name])
            short.append(tuple(said))
        self.records = []
        return short


# ---- from a card to its records --------------------------------------------------------------------


def test_a_resident_goes_in() -> None:
    house = House()
    assert house.told() == []
    house.card("resident", 1000)
    assert house.site.portals["front"].unlocked
    assert not house.site.portals["yard"].unlocked
    assert house.told() == [
        ("access.granted", 1000, "card", 1),
        ("portal.released", 1000, "credential"),
    ]
    house.contact(True, 2000)
    assert not house.site.portals["front"].unlocked
    house.contact(False, 6000)
    house.run(60000)
    assert house.told() == [
        ("portal.opened", 2000),
        ("access.taken", 2000, 1),
        ("portal.secured", 2000),
        ("portal.closed", 6000),
    ]
    assert house.kept == {}


def test_a_record_of_a_grant_says_where_and_whose_and_no_number() -> None:
    house = House()
    house.card("resident", 1000)
    assert house.records[0].fields == {
        "portal": "front",
        "access_point": "front-in",
        "credential": 1,
        "holder": 11,
        "verification": "card",
    }
    assert house.records[1].fields == {"portal": "front", "cause": "credential"}


def test_a_look_up_is_asked_for_and_nothing_decided_before_its_answer() -> None:
    house = House()
    effects = house.site.card("front-in", "resident", house.at(1000))
    assert effects == [Lookup("front-in", "card", "resident")]
    assert not house.site.portals["front"].unlocked


def test_a_person_who_does_not_open_is_recorded_as_such() -> None:
    house = House()
    house.card("resident", 1000)
    house.told()
    house.run(60000)
    assert house.told() == [("portal.secured", 6000), ("access.not_taken", 6200, 1)]


def test_a_pin_that_opens_alone() -> None:
    house = House()
    house.keys("4711#", 1000)
    assert house.told() == [
        ("access.granted", 1000, "pin", 1),
        ("portal.released", 1000, "credential"),
    ]


def test_a_visitors_code_opens_once_also_after_a_restart() -> None:
    house = House()
    house.code("visitor", 1000)
    assert house.told()[0] == ("access.granted", 1000, "qr", 2)
    assert house.kept["use/2"] == [1, BASE_S + 1]
    house.contact(True, 2000)
    house.contact(False, 4000)
    house.code("visitor", 10000)
    assert house.told()[-1] == ("access.denied", 10000, "uses_exhausted", 2)


def test_the_managers_card_gets_the_extended_time() -> None:
    house = House()
    house.card("manager", 1000)
    assert house.site.portals["front"].until_ms == 16000


def test_a_card_and_its_pin_open_together() -> None:
    house = House(way=verification.CARD_AND_PIN)
    house.card("with-pin", 1000)
    assert house.told() == []
    assert not house.site.portals["front"].unlocked
    house.keys("1234#", 2000)
    assert house.told() == [
        ("access.granted", 2000, "card+pin", 7),
        ("portal.released", 2000, "credential"),
    ]


def test_a_card_with_a_wrong_pin_a_late_one_or_none_of_its_own_is_refused() -> None:
    house = House(way=verification.CARD_AND_PIN)
    house.card("with-pin", 1000)
    house.keys("1235#", 2000)
    house.card("with-pin", 3000)
    house.run(20000)
    house.card("resident", 21000)
    house.keys("1234#", 22000)
    house.keys("1234#", 23000)  # no card, no question
    assert house.told() == [
        ("access.denied", 2000, "wrong_pin", 7),
        ("access.denied", 13000, "pin_timeout", 7),
        ("access.denied", 22000, "wrong_pin", 1),
    ]


def test_a_card_displaced_while_its_pin_is_awaited_is_recorded_and_the_newcomer_sees_no_refusal() -> (
    None
):
    for what in ("with-pin", "duress"):
        house = House(way=verification.CARD_AND_PIN)
        house.card("with-pin", 1000)
        house.card(what, 2000)
        at = house.site.access_points["front-in"].signals
        assert (at.light, at.sound) == (signals.AMBER, False)
        assert house.told() == [("access.denied", 2000, "pin_timeout", 7)]
        house.keys("1234#", 3000)
        assert house.told()[0][:1] == ("access.granted",)
    house = House(way=verification.CARD_AND_PIN)
    house.card("with-pin", 1000)
    house.mode(portal.BLOCKED, 1500)
    house.told()
    house.code("nobody", 2000)
    assert house.told() == [
        ("access.denied", 2000, "portal_blocked", 7),
        ("access.denied", 2000, "unknown_credential"),
    ]


def test_a_card_whose_key_is_changed_while_its_pin_is_awaited_is_recorded() -> None:
    house = House(way=verification.CARD_AND_PIN)
    house.card("with-pin", 1000)
    house.take(house.site.recall({8}, house.at(1500)), 1500)
    assert house.told() == []
    house.take(house.site.recall({7}, house.at(2000)), 2000)
    assert house.told() == [("access.denied", 2000, "pin_timeout", 7)]
    house.keys("1234#", 3000)
    assert house.told() == []


def test_the_duress_pin_after_a_card_that_was_refused_is_told_and_nothing_else() -> None:
    def refused(keys: str, card: str, at_ms: int) -> House:
        house = House(way=verification.CARD_AND_PIN)
        house.mode(portal.BLOCKED, 100)
        house.card("duress", 1000)
        if card:
            house.card(card, 1500)
        house.told()
        house.run(1900)
        house.keys(keys, at_ms)
        return house

    alarm_told = [("alarm.raised", 2000, "duress")]
    assert refused("4321#4321#", "", 2000).told() == alarm_told
    assert refused("99*4321#", "", 2000).told() == alarm_told
    for keys, card, at_ms in (
        ("1234#", "", 2000),  # the PIN that opens
        ("4321", "", 2000),
        ("1234#4321#", "", 2000),  # only the first one is heard
        ("4321#", "with-pin", 2000),
        ("4321#", "stranger", 2000),
        ("4321#", "", 11000),  # too late
    ):
        assert refused(keys, card, at_ms).told() == []
    forced, free = refused("4321#", "", 2000), refused("1234#", "", 2000)
    for house in (forced, free):
        house.run(2100)
        at = house.site.access_points["front-in"].signals
        assert (at.light, at.sound) == (signals.RED, False)
    late = refused("4321", "", 2000)
    late.run(11000)  # the digits are forgotten
    late.keys("#", 11000)
    assert late.told() == []


def test_the_duress_pin_is_heard_at_a_blocked_reader_and_after_a_lost_card() -> None:
    house = House(way=verification.CARD_AND_PIN)
    house.card("forced-lost", 500)
    house.told()
    house.keys("4321#", 600)
    assert house.told() == [("alarm.raised", 600, "duress")]
    for n in range(5):
        house.card("stranger", 1000 + n)
    house.card("duress", 2000)
    assert house.told()[-1] == ("access.denied", 2000, "reader_blocked", 9)
    house.keys("4321#", 3000)
    assert house.told() == [("alarm.raised", 3000, "duress")]


def test_a_key_pressed_after_the_time_of_an_awaited_pin_begins_nothing() -> None:
    house = House(verification.CARD_AND_PIN)
    house.card("with-pin", 1000)
    house.keys("1", 11000)  # the loop is late: nobody ticked at 11000
    house.run(60000)
    assert house.told() == [("access.denied", 11000, "pin_timeout", 7)]


def test_a_card_is_refused_for_what_began_while_its_pin_was_keyed() -> None:
    house = House(way=verification.CARD_AND_PIN)
    house.card("with-pin", 1000)
    house.mode(portal.LOCKED_DOWN, 1500)
    house.told()
    house.keys("1234#", 2000)
    assert house.told() == [("access.denied", 2000, "locked_down", 7)]


def test_a_card_is_refused_by_new_rights_while_its_pin_is_keyed() -> None:
    house = House(way=verification.CARD_AND_PIN)
    house.card("with-pin", 1000)
    house.site.rights = Rights({}, {}, [], False, False)
    house.keys("1234#", 2000)
    assert house.told() == [("access.denied", 2000, "no_right", 7)]


def test_a_pin_only_reader_takes_no_card_and_no_code() -> None:
    house = House(way=verification.PIN)
    house.card("resident", 1000)
    house.code("visitor", 2000)
    house.keys("4711#", 3000)
    assert [told[:3] for told in house.told()] == [
        ("access.denied", 1000, "no_right"),
        ("access.denied", 2000, "no_right"),
        ("access.granted", 3000, "pin"),
        ("portal.released", 3000, "credential"),
    ]


def test_digits_that_are_given_up_are_a_pin_timeout() -> None:
    house = House()
    house.keys("47", 1000)
    house.run(20000)
    assert house.told() == [("access.denied", 11000, "pin_timeout")]


def test_a_card_drops_the_digits_that_were_begun() -> None:
    house = House()
    house.keys("47", 1000)
    house.card("stranger", 2000)
    house.keys("11#", 3000)
    assert [told[2] for told in house.told()] == ["unknown_credential", "wrong_pin"]


def test_the_light_is_green_in_the_millisecond_of_the_grant() -> None:
    house = House(way=verification.CARD_AND_PIN)
    house.card("with-pin", 1000)
    house.keys("1234#", 2000)
    house.run(2100)  # the key's wink is over
    at = house.site.access_points["front-in"].signals
    assert (at.light, at.sound, at.deadline_ms) == (signals.GREEN, True, 2200)


def test_without_rights_nobody_comes_in() -> None:
    house = House()
    house.site = Site(house.site._plan)
    house.take(house.site.start({}, Found((), (), ()), house.at(0)), 0)
    house.card("resident", 1000)
    assert house.told() == [("access.denied", 1000, "no_right", 1)]


def test_a_denial_names_the_credential_only_where_it_is_known() -> None:
    house = House()
    house.card("stranger", 1000)
    house.card("expired", 2000)
    fields = [one.fields for one in house.records]
    assert fields == [
        {"portal": "front", "access_point": "front-in", "reason": "unknown_credential"},
        {
            "portal": "front",
            "access_point": "front-in",
            "reason": "credential_expired",
            "credential": 6,
            "holder": 11,
        },
    ]


# ---- bad reads, wrong attempts, misuse -------------------------------------------------------------


def test_noise_is_recorded_once_a_second_and_blocks_nobody() -> None:
    house = House()
    for i in range(25):
        now_ms = 1000 + i * 100
        house.take(house.site.bad_read("front-in", house.at(now_ms)), now_ms)
    assert house.told() == [
        ("access.denied", 1000, "bad_read"),
        ("access.denied", 2000, "bad_read"),
        ("access.denied", 3000, "bad_read"),
    ]
    house.card("resident", 4000)
    assert house.site.portals["front"].unlocked


def block(house: House, from_ms: int = 1000) -> None:
    for i in range(5):
        if i % 2:
            house.keys("0000#", from_ms + i * 100)
        else:
            house.card("stranger", from_ms + i * 100)


def test_five_wrong_cards_or_pins_block_the_reader_with_its_alarm() -> None:
    house = House()
    block(house)
    assert house.told() == [
        ("access.denied", 1000, "unknown_credential"),
        ("access.denied", 1100, "wrong_pin"),
        ("access.denied", 1200, "unknown_credential"),
        ("access.denied", 1300, "wrong_pin"),
        ("access.denied", 1400, "unknown_credential"),
        ("alarm.raised", 1400, "wrong_attempts"),
    ]
    reader = house.site.access_points["front-in"].signals
    house.run(1999)
    assert reader.sound
    house.run(2000)  # the one long beep of a pause
    assert not reader.sound
    house.card("resident", 31399)
    house.card("resident", 31400)
    assert [told[2] for told in house.told()] == ["reader_blocked", "card", "credential"]


def test_a_block_is_of_one_reader() -> None:
    house = House()
    block(house)
    house.told()
    house.card("resident", 2000, "yard-in")
    assert house.told()[0][:1] == ("access.granted",)


def test_attempts_at_a_blocked_reader_do_not_lengthen_the_block() -> None:
    house = House()
    block(house)
    block(house, 20000)
    assert house.site.access_points["front-in"].attempts.blocked_until_ms == 31400


def test_keys_that_are_known_but_refused_are_no_wrong_attempts() -> None:
    house = House()
    for i in range(6):
        house.card("expired", 1000 + i * 1000)
        house.card("lost", 1500 + i * 1000)
    assert not house.site.access_points["front-in"].attempts.blocked(7000)


def test_a_grant_between_wrong_attempts_starts_the_count_anew() -> None:
    house = House()
    for i in range(4):
        house.card("stranger", 1000 + i * 100)
    house.card("resident", 2000)
    for i in range(4):
        house.card("stranger", 3000 + i * 100)
    assert not house.site.access_points["front-in"].attempts.blocked(4000)
    house.card("stranger", 4000)
    assert house.site.access_points["front-in"].attempts.blocked(4000)


def test_a_card_whose_pin_is_keyed_meets_a_block_that_began_meanwhile() -> None:
    house = House(way=verification.CARD_AND_PIN)
    house.card("with-pin", 1000)
    house.site.access_points["front-in"].attempts.block(1500, 30000)
    house.keys("1234#", 2000)
    assert house.told() == [("access.denied", 2000, "reader_blocked", 7)]


def test_a_lost_or_cancelled_key_raises_misuse_also_at_a_blocked_reader() -> None:
    house = House()
    house.card("lost", 1000)
    assert house.told() == [
        ("alarm.raised", 1000, "credential_misuse"),
        ("access.denied", 1000, "credential_lost", 3),
    ]
    block(house, 2000)
    house.told()
    house.card("cancelled", 3000)
    assert house.told() == [
        ("alarm.raised", 3000, "credential_misuse"),
        ("access.denied", 3000, "reader_blocked", 4),
    ]


def test_the_alarms_of_a_reader_are_at_its_access_point() -> None:
    house = House()
    house.card("lost", 1000)
    block(house, 2000)
    found = [(one.point, one.kind, one.state) for one in house.site.alarms.alarms()]
    assert sorted(found) == [
        ("front-in", "credential_misuse", "returned"),
        ("front-in", "wrong_attempts", "returned"),
    ]


def test_every_reason_looks_and_sounds_the_same() -> None:
    def shown(house: House, from_ms: int) -> "list[tuple[int, object, bool]]":
        at = house.site.access_points["front-in"].signals
        seen = []
        for after_ms in range(0, 900, 10):
            house.run(from_ms + after_ms)
            seen.append((after_ms, at.light, at.sound))
        return seen

    seen = []
    for number in ("stranger", "lost", "cancelled", "expired", "no-right"):
        house = House()
        house.card(number, 1000)
        seen.append(shown(house, 1000))
    house = House()
    house.keys("0000#", 1000)
    seen.append(shown(house, 1000))
    house = House(mode=portal.LOCKED_DOWN)
    house.card("resident", 1000)
    seen.append(shown(house, 1000))
    house = House()
    block(house)
    house.run(5000)
    house.card("resident", 6000)
    seen.append(shown(house, 6000))
    house = House()
    house.take(house.site.bad_read("front-in", house.at(1000)), 1000)
    seen.append(shown(house, 1000))
    for one in seen[1:]:
        assert one == seen[0]


def test_every_key_looks_and_sounds_the_same() -> None:
    seen = []
    for key in "0123456789*":
        house = House()
        house.keys("9", 1000)
        house.run(2000)
        house.keys(key, 2000)
        one = house.site.access_points["front-in"].signals
        if key != "*":  # which also ends what was begun
            seen.append((one.light, one.sound, one.deadline_ms))
        assert (one.light, one.sound) == (signals.OFF, True)
    assert len(set(seen)) == 1


# ---- the order across machines ---------------------------------------------------------------------


def test_a_blocked_reader_is_told_before_everything_about_the_key() -> None:
    for number in ("stranger", "lost", "expired", "no-right", "resident"):
        house = House(mode=portal.LOCKED_DOWN)
        house.site.access_points["front-in"].attempts.block(0, 30000)
        house.card(number, 1000)
        denied = [told for told in house.told() if told[0] == "access.denied"]
        assert [told[2] for told in denied] == ["reader_blocked"], number


def test_a_wrong_pin_is_told_after_everything_about_the_card() -> None:
    house = House(way=verification.CARD_AND_PIN)
    house.card("expired", 1000)
    house.keys("0000#", 2000)
    assert house.told() == [("access.denied", 1000, "credential_expired", 6)]


def test_a_pin_that_fits_nobody_is_a_wrong_pin_whatever_the_mode() -> None:
    for mode in sorted(portal.MODES):
        house = House(mode=mode)
        house.told()
        house.keys("9999#", 1000)
        assert house.told() == [("access.denied", 1000, "wrong_pin")], mode


def test_an_override_in_lockdown_is_recorded_as_one() -> None:
    house = House()
    house.mode(portal.LOCKED_DOWN, 500)
    house.told()
    house.card("resident", 1000)
    house.card("manager", 2000)
    assert house.told() == [
        ("access.denied", 1000, "locked_down", 1),
        ("access.granted", 2000, "card", 5),
        ("portal.released", 2000, "override"),
    ]


# ---- doors and alarms ------------------------------------------------------------------------------


def test_a_forced_door_sounds_until_it_was_seen_and_shows_until_it_is_closed() -> None:
    house = House()
    house.contact(True, 1000)
    house.run(1200)
    assert house.told() == [("portal.opened", 1000), ("alarm.raised", 1200, "door_forced")]
    assert (house.site.alarms.siren(1200), house.site.alarms.beacon) == (True, True)
    house.acknowledge(5000)
    assert (house.site.alarms.siren(5000), house.site.alarms.beacon) == (False, True)
    house.contact(False, 9000)
    assert not house.site.alarms.beacon
    assert house.told() == [
        ("alarm.acknowledged", 5000, "door_forced"),
        ("portal.closed", 9000),
        ("alarm.cleared", 9000, "door_forced"),
    ]
    assert house.kept == {}


def test_a_held_door_warns_then_alarms_without_the_siren() -> None:
    house = House()
    house.card("resident", 1000)
    house.contact(True, 2000)
    house.told()
    house.run(27000)
    assert house.site.access_points["front-in"].signals.sound
    house.run(32000)
    assert house.told() == [("alarm.raised", 32000, "door_held")]
    assert (house.site.alarms.siren(32000), house.site.alarms.beacon) == (False, True)
    house.contact(False, 40000)
    house.acknowledge(50000)
    assert house.told() == [
        ("portal.closed", 40000),
        ("alarm.acknowledged", 50000, "door_held"),
        ("alarm.cleared", 50000, "door_held"),
    ]


def test_a_lid_that_is_off_alarms_until_it_is_on_and_was_seen() -> None:
    house = House()
    house.point("enclosure", True, 1000)
    house.acknowledge(2000)
    house.point("enclosure", False, 3000)
    assert house.told() == [
        ("alarm.raised", 1000, "tamper"),
        ("alarm.acknowledged", 2000, "tamper"),
        ("alarm.cleared", 3000, "tamper"),
    ]


def test_panic_sounds_at_once_and_its_button_let_go_changes_nothing() -> None:
    house = House()
    house.point("lobby-panic", True, 1000)
    assert house.site.alarms.siren(1000)
    house.point("lobby-panic", False, 1500)
    house.acknowledge(5000)
    assert not house.site.alarms.siren(5000)
    assert house.told() == [
        ("alarm.raised", 1000, "panic"),
        ("alarm.acknowledged", 5000, "panic"),
        ("alarm.cleared", 5000, "panic"),
    ]


def test_a_device_that_fails_and_recovers_raises_its_class() -> None:
    house = House()
    house.take(house.site.condition("front_reader", "reader_fault", True, house.at(1000)), 1000)
    house.take(house.site.condition("front_reader", "reader_fault", False, house.at(2000)), 2000)
    house.acknowledge(3000)
    assert [told[0] for told in house.told()] == [
        "alarm.raised",
        "alarm.acknowledged",
        "alarm.cleared",
    ]


def test_fire_frees_every_door_and_is_over_a_second_after_the_loop_is_whole() -> None:
    house = House()
    house.mode(portal.LOCKED_DOWN, 500)
    house.told()
    house.point("fire", True, 1000)
    assert house.site.burning
    assert [house.site.portals[name].unlocked for name in ("front", "yard")] == [True, True]
    assert house.told() == [
        ("portal.released", 1000, "fire"),
        ("portal.released", 1000, "fire"),
        ("alarm.raised", 1000, "fire"),
    ]
    house.point("fire", False, 5000)
    house.run(5999)
    assert house.site.burning
    house.run(6000)
    assert house.told() == [("portal.secured", 6000), ("portal.secured", 6000)]
    assert house.site.portals["front"].mode == portal.LOCKED_DOWN
    house.acknowledge(7000)
    assert [told[0] for told in house.told()] == ["alarm.acknowledged", "alarm.cleared"]
    assert house.kept == {"mode/front": ["locked_down", "command"]}


def test_a_fire_that_is_reset_by_hand_ends_with_the_key_switch() -> None:
    house = House(reset=fire.MANUAL)
    house.point("fire", True, 1000)
    house.acknowledge(2000)  # the loop is still open
    assert house.site.burning
    house.point("fire", False, 5000)
    house.run(60000)
    assert house.site.burning
    house.told()
    house.acknowledge(70000)
    assert not house.site.burning
    assert house.told() == [
        ("portal.secured", 70000),
        ("portal.secured", 70000),
        ("alarm.cleared", 70000, "fire"),
    ]


def test_a_supervised_loop_that_opens_again_is_fire_again_whatever_the_key_switch_says() -> None:
    for state in ("active", "cut"):
        house = House(reset=fire.MANUAL)
        for second, said in enumerate(("cut", "normal", state)):
            now_ms = 1000 * second
            effects = house.site.point_state("fire", said, now_ms, house.at(now_ms))
            house.take(effects, now_ms)
        house.acknowledge(5000)
        assert house.site.burning
        house.take(house.site.point_state("fire", "normal", 6000, house.at(6000)), 6000)
        house.acknowledge(7000)
        assert not house.site.burning


def test_a_rex_is_recorded_and_its_opening_is_nobodys() -> None:
    house = House()
    house.take(house.site.rex("front", 990, house.at(1000)), 1000)
    house.contact(True, 2000)
    house.contact(False, 3000)
    house.run(60000)
    assert house.told() == [
        ("portal.released", 990, "rex"),
        ("portal.opened", 2000),
        ("portal.secured", 2000),
        ("portal.closed", 3000),
    ]


def test_a_change_of_mode_is_recorded_and_kept() -> None:
    house = House()
    house.mode(portal.UNLOCKED, 1000)
    house.mode(portal.UNLOCKED, 2000)
    assert house.told() == [
        ("portal.mode", 1000, "command", "unlocked"),
        ("portal.released", 1000, "command"),
    ]
    assert house.kept == {"mode/front": ["unlocked", "command"]}


def test_a_device_that_recovers_after_it_was_seen_clears_its_alarm() -> None:
    house = House()
    house.take(house.site.condition("front_reader", "reader_fault", True, house.at(1000)), 1000)
    house.acknowledge(2000)
    house.told()
    house.take(house.site.condition("front_reader", "reader_fault", False, house.at(3000)), 3000)
    assert house.told() == [("alarm.cleared", 3000, "reader_fault")]


# ---- the reader's light ----------------------------------------------------------------------------


def test_the_light_follows_the_door() -> None:
    house = House()
    at = house.site.access_points["front-in"]
    assert at.moment(0) == signals.READY
    house.card("resident", 1000)
    assert (at.moment(1000), at.signals.light) == (signals.LET_IN, signals.GREEN)
    house.contact(True, 2000)
    assert at.moment(2000) == signals.READY
    house.contact(False, 3000)
    house.keys("4", 4000)
    assert at.moment(4000) == signals.PIN_WANTED
    house.run(20000)
    house.mode(portal.UNLOCKED, 21000)
    assert at.moment(21000) == signals.FREE
    house.mode(portal.LOCKED_DOWN, 22000)
    assert at.moment(22000) == signals.SHUT_OUT
    block(house, 23000)
    assert at.moment(23400) == signals.PAUSED
    house.point("fire", True, 24000)
    assert at.moment(24000) == signals.FIRE


def test_a_free_door_shows_its_green_flashes_and_no_steady_light() -> None:
    house = House(mode=portal.UNLOCKED)
    at = house.site.access_points["front-in"].signals
    seen = []
    for now_ms in (50, 150, 1050, 1150):
        house.run(now_ms)
        seen.append(at.light)
    assert seen == [signals.GREEN, signals.OFF, signals.GREEN, signals.OFF]


# ---- deadlines -------------------------------------------------------------------------------------


def test_a_quiet_site_has_nothing_to_wait_for() -> None:
    house = House()
    house.run(1)
    assert house.site.deadline_ms is None
    house.card("resident", 1000)
    house.contact(True, 2000)
    house.contact(False, 3000)
    house.run(600000)
    assert house.site.deadline_ms is None


def test_a_tick_before_the_deadline_looks_at_nothing_and_one_at_it_at_all() -> None:
    house = House()
    house.card("resident", 1000)
    due_ms = house.site.deadline_ms
    assert due_ms is not None
    looked = []
    catch_up = house.site._catch_up

    def counted(now: "Moment") -> "list[object]":
        looked.append(now.ms)
        return catch_up(now)

    setattr(house.site, "_catch_up", counted)  # noqa: B010  a method, for this once
    assert house.site.tick(house.at(due_ms - 1)) == []
    assert looked == []
    house.site.tick(house.at(due_ms))
    assert looked == [due_ms]


def test_the_end_of_a_block_is_waited_for_because_the_reader_shows_it() -> None:
    house = House(mode=portal.LOCKED_OPEN)
    for second in range(5):
        house.card("stranger", second * 1000)
    house.run(4000 + 29999)
    shown = house.site.access_points["front-in"].signals
    assert shown.light == signals.RED
    assert house.site.deadline_ms == 4000 + 30000
    house.run(4000 + 30000)
    assert shown.light == signals.GREEN  # free: it flashes again


def test_the_deadline_is_the_earliest_of_all() -> None:
    house = House()
    house.run(1)
    house.card("resident", 1000)
    assert house.site.deadline_ms == 1200  # the beep ends
    house.run(1200)
    assert house.site.deadline_ms == 6000  # the lock closes
    house.point("fire", True, 1300)
    house.point("fire", False, 1400)
    assert house.site.deadline_ms == 2400  # the fire is over
    house.run(6200)
    assert house.site.deadline_ms == 1300 + 180000  # the siren falls silent
    house.run(1300 + 180000)
    assert [house.site.deadline_ms, house.site.alarms.siren(181300)] == [None, False]


def test_a_late_loop_records_what_was_due_before_what_happens_now() -> None:
    house = House()
    house.card("resident", 1000)
    house.told()
    house.card("stranger", 10000)
    assert [told[0] for told in house.told()] == [
        "portal.secured",
        "access.not_taken",
        "access.denied",
    ]


def test_a_late_loop_lets_the_key_switch_see_what_was_due_before() -> None:
    house = House()
    house.contact(True, 1000)
    house.acknowledge(5000)
    assert [told[0] for told in house.told()] == [
        "portal.opened",
        "alarm.raised",
        "alarm.acknowledged",
    ]


def test_a_late_loop_times_a_door_from_the_end_of_the_fire() -> None:
    house = House()
    house.point("fire", True, 1000)
    house.point("fire", False, 2000)
    house.contact(True, 10000)  # the fire was over at 3000
    house.acknowledge(11000)
    house.told()
    house.run(40000)
    assert house.told() == [("alarm.raised", 40000, "door_held")]


# ---- restarts --------------------------------------------------------------------------------------


def restart(house: House, found: Found = Found((), (), ()), start_s: int = 60) -> House:  # noqa: B008
    house.told()
    return House(kept=house.kept, found=found, start_s=start_s)


def test_a_first_start_says_nothing_and_keeps_nothing() -> None:
    house = House()
    assert (house.told(), house.kept) == ([], {})


def test_a_mode_survives_a_restart_with_its_cause() -> None:
    house = House()
    house.mode(portal.UNLOCKED, 1000)
    after = restart(house)
    assert after.site.portals["front"].mode == portal.UNLOCKED
    assert after.site.portals["yard"].mode == portal.LOCKED
    assert after.told() == [("portal.released", 0, "command")]


def test_a_configured_mode_is_the_first_one_only() -> None:
    house = House(mode=portal.UNLOCKED)
    assert house.told() == [("portal.released", 0, "schedule")]
    house.mode(portal.LOCKED, 1000)
    after = House(kept=house.kept, mode=portal.UNLOCKED)
    assert after.site.portals["front"].mode == portal.LOCKED


def test_a_block_survives_a_restart_for_what_is_left_of_it() -> None:
    house = House()
    block(house)  # until 31.4 s, kept as the second after
    after = restart(house, start_s=10)
    at = after.site.access_points["front-in"].attempts
    assert 21000 <= at.blocked_until_ms <= 22000
    assert not restart(house, start_s=60).site.access_points["front-in"].attempts.blocked(0)


def test_a_block_lasts_no_longer_because_the_clock_fell_back() -> None:
    house = House()
    block(house)
    after = restart(house, start_s=-86400)
    assert after.site.access_points["front-in"].attempts.blocked_until_ms == 30000


def test_an_alarm_survives_a_restart() -> None:
    house = House()
    house.point("enclosure", True, 1000)
    house.card("lost", 2000)
    after = restart(house, Found((), ("enclosure",), ()))
    assert after.told() == []
    assert (after.site.alarms.siren(0), after.site.alarms.beacon) == (False, True)
    found = [(one.point, one.state) for one in after.site.alarms.alarms()]
    assert found == [("enclosure", "unacknowledged"), ("front-in", "returned")]
    after.acknowledge(1000)
    after.point("enclosure", False, 2000)
    assert after.kept == {}


def test_an_acknowledged_alarm_that_is_over_at_the_start_is_cleared() -> None:
    house = House()
    house.point("enclosure", True, 1000)
    house.acknowledge(2000)
    after = restart(house)
    assert after.told() == [("alarm.cleared", 0, "tamper")]
    assert after.kept == {}


def test_a_lid_found_off_at_the_start_is_an_alarm() -> None:
    house = House(found=Found((), ("enclosure",), ()))
    assert house.told() == [("alarm.raised", 0, "tamper")]


def test_a_held_panic_button_is_not_raised_again_by_a_restart() -> None:
    house = House()
    house.point("lobby-panic", True, 1000)
    after = restart(house)
    assert after.told() == []
    after.acknowledge(1000)
    assert [told[0] for told in after.told()] == ["alarm.acknowledged", "alarm.cleared"]


def test_a_forced_door_is_neither_forced_nor_forgotten_after_a_restart() -> None:
    house = House()
    house.contact(True, 1000)
    house.run(1200)
    after = restart(house, Found(("front",), (), ()))
    assert after.site.portals["front"].alarm == portal.NORMAL
    assert [(one.kind, one.state) for one in after.site.alarms.alarms()] == [
        ("door_forced", "returned")
    ]
    after.run(30000)
    assert after.told() == [("alarm.raised", 30000, "door_held")]


def test_a_door_alarm_that_was_seen_is_cleared_by_a_restart() -> None:
    for until_ms, kind in ((1200, "door_forced"), (40000, "door_held")):
        house = House(found=Found(("front",) if kind == "door_held" else (), (), ()))
        house.contact(True, 1000)
        house.run(until_ms)
        house.acknowledge(50000)
        assert [one.kind for one in house.site.alarms.alarms()] == [kind]
        after = restart(house, Found(("front",), (), ()))
        assert after.told() == [("alarm.cleared", 0, kind)]
        assert after.kept == {}


def test_lost_power_is_recorded_for_the_locks_that_let_go() -> None:
    house = House(found=Found((), (), ("yard",)))
    assert house.told() == [("portal.released", 0, "power"), ("portal.secured", 0)]
    house = House(found=Found((), (), ("yard",)))
    assert {one.fields["portal"] for one in house.records} == {"yard"}


def test_a_fire_found_at_the_start_frees_the_doors_first() -> None:
    house = House(found=Found((), ("fire",), ()))
    assert house.told() == [
        ("portal.released", 0, "fire"),
        ("portal.released", 0, "fire"),
        ("alarm.raised", 0, "fire"),
    ]
    assert house.kept["fire"] is True


def test_a_fire_that_waits_for_its_key_goes_on_waiting_after_a_restart() -> None:
    house = House(reset=fire.MANUAL)
    house.point("fire", True, 1000)
    house.point("fire", False, 2000)
    after = House(reset=fire.MANUAL, kept=house.kept)
    assert after.site.burning
    assert [told[0] for told in after.told()] == ["portal.released", "portal.released"]
    after.acknowledge(1000)
    assert not after.site.burning
    assert after.kept == {}


def test_a_fire_that_is_over_at_the_start_leaves_its_alarm_to_be_seen() -> None:
    house = House()
    house.point("fire", True, 1000)
    after = restart(house)
    assert not after.site.burning
    assert [(one.kind, one.state) for one in after.site.alarms.alarms()] == [("fire", "returned")]
    assert "fire" not in after.kept


def test_a_points_own_priority_survives_a_restart() -> None:
    house = House()
    house.site._plan.points["enclosure"] = Point(alarm.TAMPER, 4)
    house.point("enclosure", True, 1000)
    kept = dict(house.kept)
    other = House()
    other.site._plan.points["enclosure"] = Point(alarm.TAMPER, 4)
    other.site.start(kept, Found((), ("enclosure",), ()), other.at(0))
    assert [one.priority for one in other.site.alarms.alarms()] == [4]


def test_kept_values_that_make_no_sense_are_passed_over() -> None:
    rubbish: dict[str, object] = {
        "mode/front": ["wide_open", "command"],
        "mode/yard": "locked",
        "mode/nowhere": ["locked", "command"],
        "block/front-in": "soon",
        "block/nowhere": BASE_S + 10,
        "alarm/front/no_such_class": ["unacknowledged", 1, None],
        "alarm/front/door_held": ["no_such_state", 1, None],
        "alarm/front": ["unacknowledged", 1, None],
        "alarm/front/tamper": [],
        "fire": "yes",
        "": 1,
    }
    house = House(kept=rubbish)
    assert house.told() == []
    assert house.site.portals["front"].mode == portal.LOCKED
    assert house.site.alarms.alarms() == []


def test_the_reports_of_a_door_are_never_records() -> None:
    house = House()
    house.contact(True, 1000)
    house.run(2000)
    house.contact(False, 3000)
    reports = (
        opening.FORCED_RAISED,
        opening.FORCED_OVER,
        opening.HELD_RAISED,
        opening.HELD_OVER,
        passage.TAKEN,
    )
    assert not [told for told in house.told() if told[0] in reports]
