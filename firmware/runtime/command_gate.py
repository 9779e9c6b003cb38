"""Decides of one signed message whether it counts: who signed, for whom, how fresh, in order, seen before.

Pure and portable: the caller has read the message, checked its signature against the key that
`firmware.runtime.operators` names, and opened what was sealed; it passes the time, performs what the
verdict says and keeps what it is given, in one batch with the records (law 6; CONTRACT.md, Command).

What has run is remembered over restarts (`SEEN_LIMIT`). An entry goes only for want of room, one of whoever
has most of them. What makes a repeat of it impossible is then its `n`, if it had to have one, else the
horizon of its operator: a command that is fresh by the clock and has no `n` in order must end later than
everything of the same operator that was dropped. So who floods hinders nobody else.

A journal that took the place of one that was lost does not know what has run. What may be from before
then counts only with the nonce, which nobody can have quoted before.
"""

from collections import namedtuple

from firmware.access.record import Keep
from firmware.runtime.arguments import BadArgument, instant, integer
from firmware.runtime.operators import MAY, OPS, is_key
from firmware.runtime.rejections import is_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.runtime.operators import Operators

SEEN_LIMIT = 1024
EARLY_MS = 60000  #: how far our clock may be behind the host's
RELEASE_MS = 60000  #: the longest life of a `portal.release`
LIFE_MS = 86400000  #: and of any other

EXPIRED = "expired"
NOT_YET = "not_yet"
REPLAYED = "replayed"
OUT_OF_ORDER = "out_of_order"
WRONG_CONTROLLER = "wrong_controller"
UNKNOWN_OPERATOR = "unknown_operator"
REVOKED = "revoked"
ROLE = "role"
BAD_SIGNATURE = "bad_signature"
BAD_COMMAND = "bad_command"
FAILED = "failed"

RUN = "run"
REPEAT = "repeat"
REFUSE = "refuse"
DROP = "drop"

#: A message as it was read.
#: fields  dict        the JSON object
#: digest  str         of its bytes
#: key     str | None  the public key (base64) by which its signature verifies
#: args    dict | None its arguments, opened if they were sealed
#: flaw    str         why what was sealed could not be opened
Signed = namedtuple("Signed", ("fields", "digest", "key", "args", "flaw"))

#: What is to be done.
#: what     str   RUN it; REPEAT the reply `text`; REFUSE it for `code`; DROP it: it is under way already
#: code     str   one of the above
#: text     str   the reply, or what was wrong in one line
#: answers  bool  a refusal is told by a reply: the signature is good
Verdict = namedtuple("Verdict", ("what", "code", "text", "answers"))

SEEN = "command/seen/"  #: kept: what has run, and a command's id
_HORIZON = "command/horizon/"  #: and an operator's name
#: kept: what has run is not known; True, then the UTC milliseconds when that was found out
LOST = "command/lost"

_COUNTED = ("schedule.set", "level.set", "config.apply", "operator.set", "portal.mode")
_SEALED = ("operator.set", "config.apply", "intercom.directory")
_ANSWER_SEALED = ("credential.enrol",)

#: what is over once it is done; everything else lasts
_MOMENTARY = (
    "alarm.acknowledge",
    "alarm.silence",
    "clock.set",
    "events.replay",
    "portal.release",
    "system.restart",
)

_any_integer = integer(0, 1 << 53)


def is_counted(op: str) -> bool:
    """Whether `op` changes what stays: its `n` must rise."""
    return op.startswith("credential.") or op in _COUNTED


def lasts(op: str) -> bool:
    """Whether what `op` does is to outlive a power cut: nobody is told that it is done before it does."""
    return op not in _MOMENTARY


def is_sealed(op: str) -> bool:
    """Whether the arguments of `op` must be sealed."""
    return op.startswith("credential.") or op in _SEALED


class Gate:
    """One controller's.

    to         str        site/controller
    operators  Operators
    kept       dict       what the journal has kept
    """

    def __init__(self, to: str, operators: "Operators", kept: "dict[str, Any]") -> None:
        #: str  what `status` says now: a command that quotes it is fresh; the caller sets it
        self.nonce = ""
        self._to = to
        self._operators = operators
        self._seen: dict[str, dict[str, Any]] = {}
        self._under_way: dict[str, Signed] = {}
        self._horizon_ms: dict[str, int] = {}  # of an operator, of whom something was dropped
        self._lost_ms: int | None = None  # None: nothing is lost, or it is not known since when
        self._lost = kept.get(LOST) is not None
        if type(kept.get(LOST)) is int:
            self._lost_ms = kept[LOST]
        for name in sorted(kept):
            if name.startswith(_HORIZON) and isinstance(kept[name], int):
                self._horizon_ms[name[len(_HORIZON) :]] = kept[name]
            if name.startswith(SEEN) and _is_entry(kept[name]):
                self._seen[name[len(SEEN) :]] = kept[name]

    @property
    def under_way(self) -> int:
        """How many run and have no answer yet."""
        return len(self._under_way)

    def begin(self, utc_ms: int) -> "list[object]":
        """Time is trusted, and is `utc_ms`: as soon as it is, and before `judge`. What is to be kept."""
        if not self._lost or self._lost_ms is not None:
            return []
        self._lost_ms = utc_ms
        return [Keep(LOST, utc_ms)]

    def quotes(self, message: Signed) -> bool:
        """Whether a known key signed the newest nonce: it has then to be replaced."""
        return bool(self.nonce) and self._verified(message) and self._quoted(message)

    def judge(self, message: Signed, utc_ms: "int | None") -> Verdict:
        """What is to be done with `message`; `utc_ms` is now, None while time is untrusted.

        After RUN the caller calls `finish`.
        """
        fields = message.fields
        operator = self._operators.find(fields.get("by"))
        if operator is None:
            return Verdict(REFUSE, UNKNOWN_OPERATOR, "", False)
        if not self._verified(message):
            return Verdict(REFUSE, BAD_SIGNATURE, "", False)
        id = fields.get("id")
        if not is_id(id):
            return Verdict(REFUSE, BAD_COMMAND, "", False)
        if fields.get("to") != self._to:
            return _refuse(WRONG_CONTROLLER, "to is another's; expected %s" % self._to)
        if id in self._under_way:
            if self._under_way[id].digest == message.digest:
                return Verdict(DROP, "", "", False)
            return _refuse(REPLAYED, "id was seen with other content; expected a new one")
        seen = self._seen.get(id)
        if seen is not None:
            if seen["digest"] == message.digest:
                return Verdict(REPEAT, "", seen["reply"], True)
            return _refuse(REPLAYED, "id was seen with other content; expected a new one")
        if operator.revoked:
            return _refuse(REVOKED, "operator is revoked; expected one who is not")
        return self._judge_new(message, operator.role, operator.n, utc_ms)

    def _judge_new(
        self, message: Signed, role: str, last: "int | None", utc_ms: "int | None"
    ) -> Verdict:
        fields = message.fields
        problem = _shape(fields)
        if problem:
            return _refuse(BAD_COMMAND, problem)
        op = fields["op"]
        if op in OPS and op not in MAY[role]:
            return _refuse(ROLE, "%s is not for the role %s" % (op, role))
        late = self._stale(message, utc_ms)
        if late is not None:
            return late
        if op not in OPS:
            return _refuse(BAD_COMMAND, "op is unknown; expected one of %s" % ", ".join(OPS))
        if is_counted(op):
            if "n" not in fields:
                return _refuse(BAD_COMMAND, "n is missing; expected one above the last")
            last = self._last(fields["by"], last)
            if last is not None and fields["n"] <= last:
                return _refuse(OUT_OF_ORDER, "n is not above the last; expected above %d" % last)
        if op in _ANSWER_SEALED and "reply_key" not in fields:
            return _refuse(BAD_COMMAND, "reply_key is missing; expected an X25519 key")
        if is_sealed(op) != ("sealed" in fields):
            expected = "sealed" if is_sealed(op) else "args"
            return _refuse(BAD_COMMAND, "%s is missing; expected it for %s" % (expected, op))
        if message.args is None:
            return _refuse(BAD_COMMAND, message.flaw or "args are no table; expected one")
        self._under_way[fields["id"]] = message
        return Verdict(RUN, "", "", True)

    def finish(self, message: Signed, done: bool, reply: str, utc_ms: int) -> "list[object]":
        """A command has run, `done` or not; what of it is to be kept with the records of its effects."""
        fields = message.fields
        id, op = fields["id"], fields["op"]
        self._under_way.pop(id, None)
        effects: list[object] = []
        if done and "n" in fields:
            effects += self._count(fields["by"], fields["n"])
        entry: dict[str, Any] = {
            "by": fields["by"],
            "digest": message.digest,
            "expires_ms": instant(fields["expires"]),
            "reply": reply,
        }
        if is_counted(op):
            entry["counted"] = True
            if not done:
                entry["n"] = fields["n"]  # free for another command until this one is forgotten
        if len(self._seen) >= SEEN_LIMIT:
            effects += self._drop_one(fields["by"], utc_ms)
        self._seen[id] = entry
        effects.append(Keep(SEEN + id, entry))
        return effects

    # ---- how ---------------------------------------------------------------------------------------

    def _verified(self, message: Signed) -> bool:
        key = self._operators.key_of(message.fields.get("by"))
        return key is not None and message.key == key

    def _quoted(self, message: Signed) -> bool:
        return bool(self.nonce) and message.fields.get("nonce") == self.nonce

    def _stale(self, message: Signed, utc_ms: "int | None") -> "Verdict | None":
        """Why a command of the right shape is not fresh, or None."""
        fields = message.fields
        issued_ms, expires_ms = instant(fields["issued"]), instant(fields["expires"])
        most_ms = RELEASE_MS if fields["op"] == "portal.release" else LIFE_MS
        if not 0 <= expires_ms - issued_ms <= most_ms:
            return _refuse(
                BAD_COMMAND, "expires is no time for it; expected at most %d s" % (most_ms // 1000)
            )
        if self._quoted(message):
            return None
        if utc_ms is None:
            return _refuse(EXPIRED, "time is not to be trusted here; expected the nonce of status")
        if utc_ms > expires_ms:
            return _refuse(EXPIRED, "is too old; expected expires to come, or the nonce of status")
        if utc_ms < issued_ms - EARLY_MS:
            return _refuse(NOT_YET, "is too early; expected issued within 60 s, or the nonce")
        if self._lost and (self._lost_ms is None or issued_ms <= self._lost_ms + EARLY_MS):
            return _refuse(REPLAYED, "may have been seen; expected a later one, or the nonce")
        if not is_counted(fields["op"]) and expires_ms <= self._horizon_ms.get(fields["by"], 0):
            return _refuse(REPLAYED, "may have been seen; expected a later end, or the nonce")
        return None

    def _last(self, by: str, accepted: "int | None") -> "int | None":
        """The highest `n` of `by` that was accepted, or is under way."""
        last = accepted
        for id in self._under_way:
            fields = self._under_way[id].fields
            n = fields.get("n")
            if fields["by"] == by and n is not None and (last is None or n > last):
                last = n
        return last

    def _count(self, by: str, n: int) -> "list[object]":
        self._operators.count(by, n)
        return [self._operators.keep(by)]

    def _most(self, by: str) -> str:
        """The operator of whom most is remembered, with one more of `by`."""
        counts: dict[str, int] = {}
        for id in self._seen:
            whose = self._seen[id]["by"]
            counts[whose] = counts.get(whose, 0) + 1
        if by in counts:
            counts[by] += 1
        return max(sorted(counts), key=lambda whose: counts[whose])

    def _drop_one(self, by: str, utc_ms: int) -> "list[object]":
        """Make room for one of `by`: what is over first, then what has its n, then what ends soonest."""
        soonest = counted = None
        most = self._most(by)
        for id in sorted(self._seen):
            entry = self._seen[id]
            if entry["by"] != most:
                continue
            if soonest is None or entry["expires_ms"] < self._seen[soonest]["expires_ms"]:
                soonest = id
            if entry.get("counted") and (
                counted is None or entry["expires_ms"] < self._seen[counted]["expires_ms"]
            ):
                counted = id
        assert soonest is not None
        over = self._seen[soonest]["expires_ms"] < utc_ms
        dropped = soonest if over or counted is None else counted
        entry = self._seen.pop(dropped)
        effects: list[object] = [Keep(SEEN + dropped, None)]
        if type(entry.get("n")) is int:
            effects += self._count(most, entry["n"])
        if not entry.get("counted") and entry["expires_ms"] > self._horizon_ms.get(most, 0):
            self._horizon_ms[most] = entry["expires_ms"]
            effects.append(Keep(_HORIZON + most, entry["expires_ms"]))
        return effects


def _refuse(code: str, text: str) -> Verdict:
    return Verdict(REFUSE, code, text, True)


def _shape(fields: "dict[str, Any]") -> str:
    """What is wrong with the fields of a command that is signed; "": nothing."""
    if fields.get("v") != 1 or fields.get("v") is True:
        return "v is unknown; expected 1"
    if not isinstance(fields.get("op"), str):
        return "op is missing; expected its name"
    for key in ("issued", "expires"):
        try:
            instant(fields.get(key))
        except BadArgument as error:
            return "%s %s" % (key, error)
    if "n" in fields:
        try:
            _any_integer(fields["n"])
        except BadArgument as error:
            return "n %s" % error
    if "nonce" in fields and not isinstance(fields["nonce"], str):
        return "nonce is no text; expected that of status"
    if "reply_key" in fields and not is_key(fields["reply_key"]):
        return "reply_key is no key; expected 32 bytes in base64"
    if "args" in fields and "sealed" in fields:
        return "args and sealed; expected one of them"
    return ""


def _is_entry(value: object) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("by"), str)
        and isinstance(value.get("digest"), str)
        and isinstance(value.get("reply"), str)
        and isinstance(value.get("expires_ms"), int)
    )
