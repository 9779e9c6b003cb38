# portable
"""`firmware.runtime.look_up`: the store's keys first, and visitors' codes that are checked right here."""

from firmware.access import access_point, visitor
from firmware.access.credential import Credential, Moment
from firmware.access.secret import Secret
from firmware.runtime.look_up import MOST_VISITS, LookUp

KEY = bytes(range(32))
ZONE_S = 8 * 3600
DAY = 20_777
MIDNIGHT_S = DAY * 86400 - ZONE_S
OWNER = Credential(
    7,
    None,
    "active",
    None,
    None,
    None,
    None,
    ("all",),
    False,
    False,
    None,
    None,
    1,
    None,
    None,
    None,
    False,
    False,
    None,
)


class Rig:
    """A look-up over a store that knows one PIN and one code; a start again keeps what was kept."""

    def __init__(self) -> None:
        self.at_s = MIDNIGHT_S + 3600
        self.kept: dict[str, object] = {}
        self.asked: list[tuple[str, str]] = []
        self.start()

    def start(self) -> None:
        config = {
            "access_points": {
                "front-in": {"visitors": True, "visitor_digits": True},
                "yard-in": {"visitors": True, "visitor_digits": False},
                "back-in": {"visitors": False, "visitor_digits": True},
            }
        }
        self.look = LookUp(self, KEY, config, lambda utc_s: ZONE_S, self._now)
        self.look.on_keep = self.kept.update
        for key in sorted(self.kept):
            self.look.heed(key, self.kept[key])

    def _now(self) -> Moment:
        return Moment(0, self.at_s, self.at_s + ZONE_S, True)

    def find(self, kind: str, value: str, done: "object") -> None:
        """As a store."""
        self.asked.append((kind, value))
        known = {(access_point.PIN, "12345678"), (access_point.CODE, "VISIT")}
        done(OWNER if (kind, value) in known else None)  # type: ignore[operator]

    def shown(self, kind: str, value: str, at: str = "front-in") -> "Credential | None":
        found: list[Credential | None] = []
        self.look.find(access_point.Lookup(at, kind, Secret(value)), found.append)
        assert len(found) == 1
        return found[0]

    def digits(self, value: str, at: str = "front-in") -> "str | None":
        found = self.shown(access_point.PIN, value, at)
        return None if found is None else found.visit or "the store's"


def _code(serial: int = 5) -> str:
    return visitor.make_qr(KEY, serial, MIDNIGHT_S, MIDNIGHT_S + 86400, 2, None)


def _wrong(many: int) -> "list[str]":
    right = [visitor.make_digits(KEY, "front-in", DAY, index) for index in range(32)]
    return [digits for digits in ["%08d" % n for n in range(many + 32)] if digits not in right][
        :many
    ]


def test_a_visitors_code_is_found_without_the_store() -> None:
    rig = Rig()
    found = rig.shown(access_point.CODE, _code())
    assert found is not None
    assert (found.visit, found.uses) == ("5", 2)
    assert rig.shown(access_point.CODE, _code()[:-1] + "A") is None
    assert rig.shown(access_point.CODE, "DW1:") is None
    assert rig.asked == []
    assert rig.shown(access_point.CODE, "VISIT") is OWNER


def test_where_visitors_are_not_looked_at_their_codes_are_nobodys() -> None:
    rig = Rig()
    assert rig.shown(access_point.CODE, _code(), "back-in") is None
    assert rig.digits(visitor.make_digits(KEY, "back-in", DAY, 0), "back-in") is None
    assert rig.digits(visitor.make_digits(KEY, "yard-in", DAY, 0), "yard-in") is None
    assert rig.kept == {}


def test_digits_that_are_somebodys_pin_are_never_a_visitors() -> None:
    rig = Rig()
    assert rig.digits("12345678") == "the store's"
    assert rig.digits(visitor.make_digits(KEY, "front-in", DAY, 31)) == "front-in/%d/31" % DAY
    assert rig.kept == {}


def test_digits_are_good_from_midnight_to_midnight_of_the_site() -> None:
    rig = Rig()
    digits = visitor.make_digits(KEY, "front-in", DAY, 3)
    for at_s, good in (
        (MIDNIGHT_S - 1, False),
        (MIDNIGHT_S, True),
        (MIDNIGHT_S + 86399, True),
        (MIDNIGHT_S + 86400, False),
    ):
        rig.at_s = at_s
        assert (rig.digits(digits) is not None) == good
    rig.at_s = MIDNIGHT_S
    found = rig.shown(access_point.PIN, digits)
    assert found is not None
    assert (found.valid_from_s, found.valid_to_s) == (MIDNIGHT_S, MIDNIGHT_S + 86400)


def test_a_hundred_wrong_tries_end_digits_till_midnight_and_a_start_forgets_none() -> None:
    rig = Rig()
    right = visitor.make_digits(KEY, "front-in", DAY, 0)
    for number, digits in enumerate(_wrong(99)):
        assert rig.digits(digits) is None
        if number % 10 == 0:
            rig.start()
    assert rig.kept == {"visit-tries/front-in": [DAY, 99]}
    assert rig.digits(right) is not None
    assert rig.digits(_wrong(1)[0]) is None
    rig.start()
    assert rig.digits(right) is None
    assert rig.kept == {"visit-tries/front-in": [DAY, 100]}
    assert rig.digits("12345678") == "the store's"
    assert rig.shown(access_point.CODE, _code()) is not None
    rig.at_s = MIDNIGHT_S - 1  # the clock is set back: no new tries
    assert rig.digits(visitor.make_digits(KEY, "front-in", DAY - 1, 0)) is None
    rig.at_s = MIDNIGHT_S + 86400
    assert rig.digits(visitor.make_digits(KEY, "front-in", DAY + 1, 0)) is not None


def test_tries_of_a_day_that_was_never_today_do_not_count() -> None:
    rig = Rig()
    rig.kept["visit-tries/front-in"] = [DAY + 300, 100]
    rig.start()
    assert rig.digits(visitor.make_digits(KEY, "front-in", DAY, 0)) is not None


def test_shorter_and_longer_pins_are_no_tries() -> None:
    rig = Rig()
    for digits in ("1234567", "123456789", "1234"):
        assert rig.digits(digits) is None
    assert rig.kept == {}


def test_when_no_more_codes_can_be_remembered_new_ones_have_no_use() -> None:
    rig = Rig()
    for serial in range(MOST_VISITS):
        rig.look.heed("visit/%d" % serial, [1, MIDNIGHT_S])
    known = rig.shown(access_point.CODE, _code(MOST_VISITS - 1))
    assert known is not None
    assert known.uses == 2
    new = rig.shown(access_point.CODE, _code(MOST_VISITS))
    assert new is not None
    assert (new.uses, new.visit) == (0, "%d" % MOST_VISITS)
    rig.look.heed("visit/17", None)  # one has ended
    new = rig.shown(access_point.CODE, _code(MOST_VISITS))
    assert new is not None
    assert new.uses == 2
