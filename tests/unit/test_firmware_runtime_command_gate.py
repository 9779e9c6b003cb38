# portable
"""`firmware.runtime.command_gate`: which signed message counts, on either interpreter."""

from firmware.runtime import command_gate as gate
from firmware.runtime.clock import iso
from firmware.runtime.command_gate import Gate, Signed
from firmware.runtime.operators import KEPT, MAY, OPS, Operators

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NOW_MS = 1795248000000
TO = "sunrise/c-01"
KEYS = {
    name: name[:1].upper() * 42 + "A="
    for name in ("owner", "manager", "caretaker", "installer", "host")
}
NONCE = "c0ffee"
ID = "0123456789abcdef0123456789abcdef"


class Desk:
    """A gate, and what a journal would have kept of it."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.made = 0
        self.restart()

    def restart(self) -> None:
        first = {name: (name, KEYS[name]) for name in KEYS}
        self.operators = Operators(first, self.kept)
        self.gate = Gate(TO, self.operators, self.kept)
        self.gate.nonce = NONCE

    def make(self, **fields: "Any") -> Signed:
        """A good release by the owner, but for `fields`; None leaves one out."""
        self.made += 1
        given: dict[str, Any] = {
            "v": 1,
            "id": "%032x" % self.made,
            "to": TO,
            "op": "portal.release",
            "args": {},
            "issued": iso(NOW_MS),
            "expires": iso(NOW_MS + 30000),
            "by": "owner",
        }
        key = fields.pop("key", None)
        digest = fields.pop("digest", "digest-%d" % self.made)
        given.update(fields)
        given = {name: given[name] for name in given if given[name] is not None}
        args = {} if "sealed" in given else given.get("args")
        by = given.get("by")
        known = KEYS.get(by) if isinstance(by, str) else None
        return Signed(given, digest, key or known, args, "")

    def judge(self, message: Signed, utc_ms: "int | None" = NOW_MS) -> "tuple[str, str]":
        verdict = self.gate.judge(message, utc_ms)
        return verdict.what, verdict.code

    def run(self, message: Signed, utc_ms: "int | None" = NOW_MS, done: bool = True) -> str:
        """Judge, and if it counts have it run, `done` or refused; RUN, REPEAT, or the code."""
        verdict = self.gate.judge(message, utc_ms)
        if verdict.what == gate.RUN:
            reply = "reply to %s" % message.fields["id"]
            now_ms = NOW_MS if utc_ms is None else utc_ms
            self.keep(self.gate.finish(message, done, reply, now_ms))
        return str(verdict.code or verdict.what)

    def keep(self, effects: "list[Any]") -> None:
        for effect in effects:
            if effect.value is None:
                del self.kept[effect.key]
            else:
                self.kept[effect.key] = effect.value


def changed(n: "int | None", **fields: "Any") -> "dict[str, Any]":
    """Fields of a command that changes what stays."""
    made: dict[str, Any] = {"op": "credential.remove", "args": None, "sealed": "x", "n": n}
    made["expires"] = iso(NOW_MS + 3600000)
    made.update(fields)
    return made


def test_a_good_command_runs() -> None:
    assert Desk().run(Desk().make()) == gate.RUN


#: what stands in place of a good release's fields, and what then becomes of it
CODES: "list[tuple[dict[str, Any], str]]" = [
    ({"by": "nobody"}, gate.UNKNOWN_OPERATOR),
    ({"by": None}, gate.UNKNOWN_OPERATOR),
    ({"by": ["owner"]}, gate.UNKNOWN_OPERATOR),
    ({"key": KEYS["host"]}, gate.BAD_SIGNATURE),
    ({"id": None}, gate.BAD_COMMAND),
    ({"id": ID[:-1]}, gate.BAD_COMMAND),
    ({"id": ID[:-1] + "F"}, gate.BAD_COMMAND),
    ({"id": 7}, gate.BAD_COMMAND),
    ({"to": "sunrise/c-02"}, gate.WRONG_CONTROLLER),
    ({"to": None}, gate.WRONG_CONTROLLER),
    ({"v": 2}, gate.BAD_COMMAND),
    ({"v": True}, gate.BAD_COMMAND),
    ({"v": None}, gate.BAD_COMMAND),
    ({"op": None}, gate.BAD_COMMAND),
    ({"op": "door.explode"}, gate.BAD_COMMAND),
    ({"op": ["portal.release"]}, gate.BAD_COMMAND),
    ({"issued": None}, gate.BAD_COMMAND),
    ({"issued": "today"}, gate.BAD_COMMAND),
    ({"expires": None}, gate.BAD_COMMAND),
    ({"expires": 5}, gate.BAD_COMMAND),
    ({"expires": iso(NOW_MS - 1)}, gate.BAD_COMMAND),  # before it was issued
    ({"expires": iso(NOW_MS + 60000)}, gate.RUN),
    ({"expires": iso(NOW_MS + 60001)}, gate.BAD_COMMAND),
    ({"op": "alarm.silence", "expires": iso(NOW_MS + 86400000)}, gate.RUN),
    ({"op": "alarm.silence", "expires": iso(NOW_MS + 86400001)}, gate.BAD_COMMAND),
    ({"issued": iso(NOW_MS - 30000), "expires": iso(NOW_MS)}, gate.RUN),
    ({"issued": iso(NOW_MS - 30000), "expires": iso(NOW_MS - 1)}, gate.EXPIRED),
    ({"issued": iso(NOW_MS + 60000), "expires": iso(NOW_MS + 90000)}, gate.RUN),
    ({"issued": iso(NOW_MS + 60001), "expires": iso(NOW_MS + 90000)}, gate.NOT_YET),
    ({"n": -1}, gate.BAD_COMMAND),
    ({"n": "1"}, gate.BAD_COMMAND),
    ({"n": True}, gate.BAD_COMMAND),
    ({"n": 1.5}, gate.BAD_COMMAND),
    ({"n": 0}, gate.RUN),
    ({"nonce": 7}, gate.BAD_COMMAND),
    ({"nonce": "another"}, gate.RUN),  # the clock is enough
    ({"reply_key": "x"}, gate.BAD_COMMAND),
    ({"args": None}, gate.BAD_COMMAND),
    ({"args": [1]}, gate.BAD_COMMAND),
    ({"sealed": "x"}, gate.BAD_COMMAND),  # beside args
    ({"args": None, "sealed": "x"}, gate.BAD_COMMAND),  # what is not to be sealed
    ({"op": "credential.remove", "n": 1}, gate.BAD_COMMAND),  # not sealed
    (changed(1), gate.RUN),
    (changed(None), gate.BAD_COMMAND),
    (changed(1, op="credential.enrol"), gate.BAD_COMMAND),  # no key for its reply
    (changed(1, op="credential.enrol", reply_key="A" * 43 + "="), gate.RUN),
    ({"more": "fields are no harm"}, gate.RUN),
]


def test_every_flaw_has_its_code() -> None:
    for fields, code in CODES:
        desk = Desk()
        message = desk.make(**fields)
        if isinstance(fields.get("args"), list):
            message = Signed(message.fields, message.digest, message.key, None, "")
        assert desk.run(message) == code, (fields, code)


def test_only_a_refusal_of_what_is_signed_has_an_answer() -> None:
    for fields, code in CODES:
        desk = Desk()
        verdict = desk.gate.judge(desk.make(**fields), NOW_MS)
        silent = code in (gate.UNKNOWN_OPERATOR, gate.BAD_SIGNATURE) or "id" in fields
        assert verdict.answers == (not silent), fields
        if verdict.what == gate.REFUSE and verdict.answers:
            assert "; expected" in verdict.text or "is not for the role" in verdict.text, fields


def test_each_role_may_what_the_contract_gives_it_and_no_more() -> None:
    for role in MAY:
        for op in OPS:
            desk = Desk()
            fields: dict[str, Any] = {"op": op, "by": role, "n": 1, "reply_key": "A" * 43 + "="}
            if gate.is_sealed(op):
                fields.update({"args": None, "sealed": "x"})
            expected = gate.RUN if op in MAY[role] else gate.ROLE
            assert desk.run(desk.make(**fields)) == expected, (role, op)


def test_a_host_may_nothing_and_an_owner_everything() -> None:
    assert MAY["host"] == ()
    assert sorted(MAY["owner"]) == sorted(OPS)


def test_nonce_makes_fresh_what_no_clock_would() -> None:
    old = {"issued": "2025-05-01T00:00:00Z", "expires": "2025-05-01T00:00:30Z"}
    for utc_ms in (NOW_MS, None):
        desk = Desk()
        assert desk.run(desk.make(nonce=NONCE, **old), utc_ms) == gate.RUN
        assert desk.run(desk.make(nonce="c0ffef", **old), utc_ms) == gate.EXPIRED
        assert desk.run(desk.make(nonce="", **old), utc_ms) == gate.EXPIRED


def test_however_old_or_far_ahead_a_command_is_it_is_told_so() -> None:
    for year, code in (("1970", gate.EXPIRED), ("2020", gate.EXPIRED), ("2399", gate.NOT_YET)):
        times = {"issued": year + "-01-01T00:00:00Z", "expires": year + "-01-01T00:00:30Z"}
        desk = Desk()
        assert desk.run(desk.make(**times), NOW_MS) == code
        assert desk.run(desk.make(nonce=NONCE, **times), NOW_MS) == gate.RUN


def test_without_a_nonce_no_message_quotes_it() -> None:
    desk = Desk()
    desk.gate.nonce = ""
    assert not desk.gate.quotes(desk.make(nonce=""))
    assert desk.run(desk.make(nonce=""), None) == gate.EXPIRED


def test_while_time_is_untrusted_only_the_nonce_counts() -> None:
    desk = Desk()
    verdict = desk.gate.judge(desk.make(), None)
    assert (verdict.code, "not to be trusted" in verdict.text) == (gate.EXPIRED, True)
    assert desk.run(desk.make(nonce=NONCE), None) == gate.RUN


def test_a_nonce_is_used_up_by_a_signed_message_only() -> None:
    desk = Desk()
    assert desk.gate.quotes(desk.make(nonce=NONCE))
    assert desk.gate.quotes(desk.make(nonce=NONCE, op="nonsense"))
    assert not desk.gate.quotes(desk.make(nonce=NONCE, key=KEYS["host"]))
    assert not desk.gate.quotes(desk.make(nonce=NONCE, by="nobody"))
    assert not desk.gate.quotes(desk.make())


def test_n_rises_for_what_changes_and_stays_out_of_the_way_of_a_release() -> None:
    desk = Desk()
    assert desk.run(desk.make(**changed(5))) == gate.RUN
    assert desk.run(desk.make(**changed(5))) == gate.OUT_OF_ORDER
    assert desk.run(desk.make(**changed(4))) == gate.OUT_OF_ORDER
    assert desk.run(desk.make(n=3)) == gate.RUN
    assert desk.run(desk.make()) == gate.RUN
    assert desk.run(desk.make(**changed(6))) == gate.RUN
    assert desk.run(desk.make(n=9)) == gate.RUN  # any op's n counts
    assert desk.run(desk.make(**changed(8))) == gate.OUT_OF_ORDER
    assert desk.run(desk.make(by="manager", **changed(1))) == gate.RUN  # each counts alone


def test_n_is_remembered_over_restarts_and_over_a_change_of_the_key() -> None:
    desk = Desk()
    desk.run(desk.make(**changed(5)))
    desk.restart()
    assert desk.run(desk.make(**changed(5))) == gate.OUT_OF_ORDER
    desk.keep(desk.operators.set("owner", None, KEYS["host"], None)[1])
    desk.restart()
    assert desk.run(desk.make(key=KEYS["host"], **changed(5))) == gate.OUT_OF_ORDER
    assert desk.run(desk.make(**changed(6))) == gate.BAD_SIGNATURE
    assert desk.run(desk.make(key=KEYS["host"], **changed(6))) == gate.RUN


def test_what_is_refused_does_not_count() -> None:
    desk = Desk()
    assert desk.run(desk.make(**changed(9, args={}))) == gate.BAD_COMMAND
    stale = changed(8, issued=iso(NOW_MS - 9000), expires=iso(NOW_MS - 5000))
    assert desk.run(desk.make(**stale)) == gate.EXPIRED
    assert desk.run(desk.make(**changed(1))) == gate.RUN


def test_a_repeat_gets_its_reply_and_other_content_is_refused() -> None:
    desk = Desk()
    message = desk.make(id=ID)
    assert desk.run(message) == gate.RUN
    for _ in range(2):
        verdict = desk.gate.judge(message, NOW_MS + 86400000 * 400)
        assert (verdict.what, verdict.text) == (gate.REPEAT, "reply to " + ID)
        assert desk.run(desk.make(id=ID)) == gate.REPLAYED
        desk.restart()


def test_a_repeat_of_what_was_refused_is_judged_anew() -> None:
    desk = Desk()
    early = desk.make(issued=iso(NOW_MS + 61000), expires=iso(NOW_MS + 90000))
    assert desk.run(early) == gate.NOT_YET
    assert desk.run(early) == gate.NOT_YET
    assert desk.run(early, NOW_MS + 30000) == gate.RUN
    assert desk.run(early, NOW_MS + 30000) == gate.REPEAT


def test_what_is_under_way_does_not_run_twice() -> None:
    desk = Desk()
    message = desk.make(**changed(1, id=ID))
    assert desk.judge(message) == (gate.RUN, "")
    assert desk.gate.under_way == 1
    assert desk.judge(message) == (gate.DROP, "")
    assert desk.judge(desk.make(**changed(2, id=ID))) == (gate.REFUSE, gate.REPLAYED)
    desk.gate.finish(message, True, "reply", NOW_MS)
    assert desk.gate.under_way == 0
    assert desk.judge(message)[0] == gate.REPEAT


def test_what_is_under_way_counts_for_the_order() -> None:
    desk = Desk()
    first, second = desk.make(**changed(5)), desk.make(**changed(4))
    assert desk.judge(first)[0] == gate.RUN
    assert desk.judge(second) == (gate.REFUSE, gate.OUT_OF_ORDER)


def test_what_was_refused_leaves_its_n_to_the_next_one() -> None:
    desk = Desk()
    wrong = desk.make(**changed(5))
    assert desk.run(wrong, done=False) == gate.RUN
    desk.restart()
    assert desk.run(wrong) == gate.REPEAT
    assert desk.run(desk.make(**changed(5))) == gate.RUN
    assert desk.run(desk.make(**changed(5))) == gate.OUT_OF_ORDER


def test_what_was_refused_and_is_forgotten_does_not_run_later() -> None:
    desk = Desk()
    wrong = desk.make(**changed(5))
    desk.run(wrong, done=False)
    for _ in range(gate.SEEN_LIMIT):
        assert desk.run(desk.make()) == gate.RUN
    desk.restart()
    assert desk.run(wrong) == gate.OUT_OF_ORDER


def test_after_a_loss_what_may_have_run_before_it_counts_only_with_the_nonce() -> None:
    for restarts in (0, 1):
        desk = Desk()
        desk.kept[gate.LOST] = True
        desk.restart()
        desk.gate.nonce = "fresh"
        assert desk.run(desk.make(), NOW_MS) == gate.REPLAYED
        desk.keep(desk.gate.begin(NOW_MS))
        for _ in range(restarts):
            desk.restart()
            desk.gate.nonce = "fresh"
        assert not desk.gate.begin(NOW_MS + 1000), "it was found out once"
        for issued_ms in (NOW_MS - 30000, NOW_MS, NOW_MS + gate.EARLY_MS):
            times = {"issued": iso(issued_ms), "expires": iso(issued_ms + 60000)}
            assert desk.run(desk.make(**times), NOW_MS + 1000) == gate.REPLAYED
            assert desk.run(desk.make(**times, nonce="fresh"), NOW_MS + 1000) == gate.RUN
        later_ms = NOW_MS + gate.EARLY_MS + 1000
        times = {"issued": iso(later_ms), "expires": iso(later_ms + 60000)}
        assert desk.run(desk.make(**times), later_ms) == gate.RUN


def test_one_who_is_revoked_is_told_so_and_one_with_another_key_nothing() -> None:
    desk = Desk()
    done = desk.make(by="manager")
    desk.run(done)
    desk.keep(desk.operators.set("manager", None, None, True)[1])
    for _ in range(2):
        assert desk.run(desk.make(by="manager")) == gate.REVOKED
        assert desk.run(desk.make(by="manager", key=KEYS["owner"])) == gate.BAD_SIGNATURE
        assert desk.run(done) == gate.REPEAT
        desk.restart()


def test_a_clock_that_is_set_back_revives_nothing_that_has_run() -> None:
    desk = Desk()
    message = desk.make()
    desk.run(message)
    for _ in range(gate.SEEN_LIMIT):
        desk.run(desk.make())
    assert desk.run(message, NOW_MS - 5000) == gate.REPLAYED  # dropped, and before the horizon
    desk.restart()
    assert desk.run(message, NOW_MS - 5000) == gate.REPLAYED


def test_what_is_remembered_is_bounded_and_its_limit_outlives_a_restart() -> None:
    desk = Desk()
    for _ in range(gate.SEEN_LIMIT + 50):
        desk.run(desk.make())
    desk.restart()
    for _ in range(50):
        desk.run(desk.make(expires=iso(NOW_MS + 40000)))
    seen = [key for key in desk.kept if key.startswith("command/seen/")]
    assert len(seen) == gate.SEEN_LIMIT
    assert len(desk.gate._seen) == gate.SEEN_LIMIT


def test_room_is_made_by_what_is_over_and_that_hinders_nobody() -> None:
    desk = Desk()
    for _ in range(gate.SEEN_LIMIT):
        desk.run(desk.make())
    later_ms = NOW_MS + 600000
    fresh = desk.make(issued=iso(later_ms), expires=iso(later_ms + 1000))
    assert desk.run(fresh, later_ms) == gate.RUN


def test_room_is_made_by_what_its_n_protects_before_the_horizon_moves() -> None:
    desk = Desk()
    counted = desk.make(**changed(1))
    desk.run(counted)
    for _ in range(gate.SEEN_LIMIT - 1):
        desk.run(desk.make(expires=iso(NOW_MS + 50000)))
    assert desk.run(desk.make(expires=iso(NOW_MS + 10000))) == gate.RUN
    assert desk.run(counted) == gate.OUT_OF_ORDER  # forgotten, and yet it does not run
    assert "command/horizon/owner" not in desk.kept
    assert desk.run(desk.make(expires=iso(NOW_MS + 9000))) == gate.RUN  # drops the one of 10 s
    assert desk.kept["command/horizon/owner"] == NOW_MS + 10000
    assert desk.run(desk.make(expires=iso(NOW_MS + 10000))) == gate.REPLAYED
    assert desk.run(desk.make(expires=iso(NOW_MS + 10000), nonce=NONCE)) == gate.RUN
    assert desk.run(desk.make(expires=iso(NOW_MS + 10001))) == gate.RUN


def silence(desk: Desk) -> Signed:
    """What a caretaker may send and has no n in order, for as long as it may live."""
    return desk.make(by="caretaker", op="alarm.silence", expires=iso(NOW_MS + gate.LIFE_MS))


def test_who_floods_hinders_nobody_else() -> None:
    desk = Desk()
    before = desk.make()
    assert desk.run(before) == gate.RUN
    flood = [silence(desk) for _ in range(1100)]
    for message in flood:
        desk.run(message)
    for n in (1, 2):
        assert desk.run(desk.make()) == gate.RUN
        assert desk.run(desk.make(op="portal.mode", n=n)) == gate.RUN
        assert desk.run(desk.make(by="manager")) == gate.RUN
        assert desk.run(before) == gate.REPEAT
        for message in flood:
            assert desk.judge(message) in ((gate.REPEAT, ""), (gate.REFUSE, gate.REPLAYED))
        assert desk.judge(flood[0]) == (gate.REFUSE, gate.REPLAYED)
        desk.restart()


def test_who_flooded_is_hindered_but_for_what_its_n_protects() -> None:
    desk = Desk()
    for _ in range(1100):
        desk.run(desk.make(op="alarm.silence", expires=iso(NOW_MS + gate.LIFE_MS)))
    assert desk.run(desk.make()) == gate.REPLAYED
    mode = desk.make(op="portal.mode", n=1)
    assert desk.run(mode) == gate.RUN
    assert desk.run(desk.make(nonce=NONCE)) == gate.RUN  # drops the mode: its n protects it
    assert desk.run(mode) == gate.OUT_OF_ORDER


def test_room_is_made_by_who_has_most_however_many_there_are() -> None:
    desk = Desk()
    names = ("owner", "manager", "caretaker")
    for at in range(3 * gate.SEEN_LIMIT):
        desk.run(desk.make(by=names[at % 3], nonce=NONCE))
    whose = [desk.kept[key]["by"] for key in desk.kept if key.startswith("command/seen/")]
    assert len(whose) == len(desk.gate._seen) == gate.SEEN_LIMIT
    assert all(gate.SEEN_LIMIT // 3 <= whose.count(name) <= 342 for name in names)
    assert len([key for key in desk.kept if key.startswith("command/horizon/")]) == 3


def test_what_is_kept_and_broken_is_passed_over() -> None:
    desk = Desk()
    desk.run(desk.make(**changed(5)))
    desk.kept["command/seen/" + ID] = {"digest": 1}
    desk.kept["command/horizon/owner"] = "soon"
    desk.kept[KEPT + "manager"] = [1]
    desk.kept[KEPT + "stranger"] = {"n": 3}
    desk.kept[KEPT + "host"] = {"role": "king", "key": KEYS["host"]}
    desk.restart()
    assert desk.run(desk.make(id=ID)) == gate.RUN
    assert desk.run(desk.make(by="manager")) == gate.RUN
    assert desk.run(desk.make(by="stranger")) == gate.UNKNOWN_OPERATOR


def test_a_sealed_text_that_cannot_be_opened_is_refused_for_that() -> None:
    desk = Desk()
    message = desk.make(**changed(1))
    shut = Signed(
        message.fields, message.digest, message.key, None, "sealed is shut; expected HPKE"
    )
    verdict = desk.gate.judge(shut, NOW_MS)
    assert (verdict.code, verdict.text) == (gate.BAD_COMMAND, "sealed is shut; expected HPKE")
