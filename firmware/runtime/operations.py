"""What a host may ask of the controller: one table, op -> what it does (CONTRACT.md, section 3).

Whoever calls has checked who asks and whether that role may; here only what is asked is checked, strictly:
every argument has a type, a range or a list of known names, and one that is not known is an error. Nothing
here waits: what changes keys, levels or hours is made by the store, which answers later. Whoever asks is told
how it went before it is done, and gives effects that go into the same batch of records: so what is remembered
of a command and what it did are durable together or not at all.
"""

from firmware.access import alarm, portal, record, schedule
from firmware.runtime.arguments import BadArgument, check, flag, integer, one_of, text, utc
from firmware.runtime.key_operations import BAD_COMMAND, FAILED, KeyOperations
from firmware.runtime.operators import ROLES, is_key, is_name
from firmware.runtime.ports import After
from firmware.runtime.ranges import RANGES_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.runtime.controller import Controller
    from firmware.runtime.operators import Operators

    Note = Callable[[bool, Any], list[Any]]

NOT_HERE = "not possible here"  #: this start of the controller was given no way to do it

SPAN_S = 366 * 86400  #: the longest appointment
CONFIG_LIMIT = 131072  #: characters of a board config


class Operations:
    """The ops of one controller."""

    def __init__(self, controller: "Controller") -> None:
        self._controller = controller
        self._site = controller.site
        config = controller.config
        portals = one_of(sorted(config["portals"]))
        partitions = one_of(sorted(config["partitions"]))
        areas = one_of(sorted(config["areas"]))
        kinds = one_of(sorted(alarm.PRIORITY))
        point = text(64)
        #: Operators  who may sign, for `operator.set`; None: nobody can be set
        self.operators: Operators | None = None
        #: callable ()  starts this controller anew; None: it cannot be
        self.restart: Callable[[], None] | None = None
        #: callable (text, done)  puts a board config in place and tells `done` a problem or None, on the
        #: loop's thread; None: it cannot be
        self.apply_config: Callable[[str, Callable[[str | None], None]], None] | None = None
        #: op: (arguments as name -> (check, whether it must be there), what it does)
        self._ops: dict[str, tuple[dict[str, Any], Callable[..., None]]] = {
            "portal.release": ({"portal": (portals, True)}, self._release),
            "portal.mode": (
                {"portal": (portals, True), "mode": (one_of(sorted(portal.MODES)), True)},
                self._mode,
            ),
            "alarm.acknowledge": (
                {"point": (point, False), "class": (kinds, False)},
                self._acknowledge,
            ),
            "alarm.silence": ({}, self._silence),
            "alarm.shelve": (
                {"point": (point, True), "class": (kinds, True), "until": (utc, True)},
                self._shelve,
            ),
            "partition.arm": (
                {
                    "partition": (partitions, True),
                    "from": (_local, False),
                    "to": (_local, False),
                    "keys": (one_of(("ignore", "alarm", "disarm")), False),
                },
                self._arm,
            ),
            "partition.disarm": ({"partition": (partitions, True)}, self._disarm),
            "partition.bypass": (
                {"partition": (partitions, True), "point": (point, True)},
                self._bypass,
            ),
            "passback.forgive": (
                {
                    "area": (areas, False),
                    "holder": (integer(1, 1 << 53), False),
                    "credential": (integer(1, 1 << 53), False),
                },
                self._forgive,
            ),
            "clock.set": ({"utc": (utc, True)}, self._set_clock),
            "operator.set": (
                {
                    "operator": (_operator_name, True),
                    "role": (one_of(ROLES), False),
                    "public_key": (_key, False),
                    "revoked": (flag, False),
                },
                self._operator,
            ),
            "events.replay": (
                {
                    "from_seq": (integer(1, 1 << 53), True),
                    "to_seq": (integer(1, 1 << 53), False),
                },
                self._replay,
            ),
            "system.restart": ({}, self._restart),
            "config.apply": ({"config": (_long_text, True)}, self._config),
        }
        self._ops.update(KeyOperations(controller, self._refuse, self._sender).ops)

    @property
    def ops(self) -> "list[str]":
        """The names of all ops, sorted."""
        return sorted(self._ops)

    def run(
        self,
        op: object,
        args: object,
        by: str,
        note: "Callable[[bool, Any], list[Any]]",
        reply_key: "str | None" = None,
    ) -> None:
        """Do `op` for `by`. `note` is told how it went, once: (True, result) or (False, (code, message)).

        What `note` gives are effects; they are performed before those of the op, in the same batch of
        records. A host that has given `reply_key` may be told numbers.
        """
        once = _Once(note)
        known = self._ops.get(op) if isinstance(op, str) else None
        if known is None:
            text = "op is unknown; expected one of %s" % ", ".join(self.ops)
            self._refuse((BAD_COMMAND, text), once)
            return
        try:
            given = check(args, known[0])
        except BadArgument as error:
            self._refuse((BAD_COMMAND, "%s: %s" % (op, error)), once)
            return
        try:
            known[1](given, by, once)
        except Exception as error:  # noqa: BLE001  its text could hold what no reply may (law 7)
            if once.told:
                raise
            self._refuse((FAILED, "%s: %s" % (op, type(error).__name__)), once)

    # ---- doors -------------------------------------------------------------------------------------

    def _release(self, given: "dict[str, Any]", by: str, note: "Note") -> None:
        self._ask(
            lambda now: self._site.release(given["portal"], record.COMMAND, by, now),
            "released",
            note,
        )

    def _mode(self, given: "dict[str, Any]", by: str, note: "Note") -> None:
        at, mode = given["portal"], given["mode"]
        if self._site.refuses_mode(at, mode):
            self._refuse((FAILED, "interlock"), note)
        else:
            self._tell(lambda now: self._site.set_mode(at, mode, record.COMMAND, by, now), note)

    def _forgive(self, given: "dict[str, Any]", by: str, note: "Note") -> None:
        who = None
        if given["holder"] is not None and given["credential"] is not None:
            text = "passback.forgive: holder and credential; expected one"
            self._refuse((BAD_COMMAND, text), note)
            return
        if given["holder"] is not None:
            who = "h%d" % given["holder"]
        elif given["credential"] is not None:
            who = "c%d" % given["credential"]
        self._tell(lambda now: self._site.forgive(given["area"], who, by, now), note)

    # ---- alarms ------------------------------------------------------------------------------------

    def _acknowledge(self, given: "dict[str, Any]", by: str, note: "Note") -> None:
        point, kind = given["point"], given["class"]
        self._tell(lambda now: self._site.acknowledge_one(point, kind, by, now), note)

    def _silence(self, given: "dict[str, Any]", by: str, note: "Note") -> None:
        self._tell(lambda now: self._site.silence(by, now), note)

    def _shelve(self, given: "dict[str, Any]", by: str, note: "Note") -> None:
        point, kind, until_s = given["point"], given["class"], given["until"] // 1000
        self._ask(lambda now: self._site.shelve(point, kind, until_s, by, now), "shelved", note)

    def _arm(self, given: "dict[str, Any]", by: str, note: "Note") -> None:
        from_s, to_s = given["from"], given["to"]
        problem = ""
        if (from_s is None) != (to_s is None):
            problem = "partition.arm: from without to; expected both or none"
        elif from_s is not None and not 0 < to_s - from_s <= SPAN_S:
            problem = "partition.arm: to is not after from; expected at most a year"
        if problem:
            self._refuse((BAD_COMMAND, problem), note)
            return
        self._ask(
            lambda now: self._site.arm(given["partition"], by, now, from_s, to_s, given["keys"]),
            "armed" if from_s is None else "appointed",
            note,
        )

    def _disarm(self, given: "dict[str, Any]", by: str, note: "Note") -> None:
        self._ask(lambda now: self._site.disarm(given["partition"], by, now), "disarmed", note)

    def _bypass(self, given: "dict[str, Any]", by: str, note: "Note") -> None:
        part, point = given["partition"], given["point"]
        self._ask(lambda now: self._site.bypass(part, point, by, now), "bypassed", note)

    # ---- the controller itself ---------------------------------------------------------------------

    def _set_clock(self, given: "dict[str, Any]", by: str, note: "Note") -> None:
        self._controller.upkeep.set_clock(given["utc"], by, lambda: note(True, {}))

    def _operator(self, given: "dict[str, Any]", by: str, note: "Note") -> None:
        if self.operators is None:
            self._refuse((FAILED, NOT_HERE), note)
            return
        id = given["operator"]
        before = self.operators.find(id)
        problem, kept = self.operators.set(id, given["role"], given["public_key"], given["revoked"])
        if problem is not None:
            self._refuse((FAILED, "operator.set: %s" % problem), note)
            return
        self._controller.enrolment.withdraw(id)
        self._controller.store.withdraw(id)
        change = "added" if before is None else "changed"
        if before is not None and given["revoked"] and not before.revoked:
            change = "revoked"
        fields = {"operator": id, "change": change, "by": by}

        def told(now: "Any") -> "list[Any]":
            return [record.make(record.OPERATOR_CHANGED, now.ms, None, fields)] + kept

        self._tell(told, note)

    def _sender(self, by: str) -> str:
        key = None if self.operators is None else self.operators.key_of(by)
        return "%s %s" % (by, key or "-")

    def _replay(self, given: "dict[str, Any]", by: str, note: "Note") -> None:
        from_seq, to_seq = given["from_seq"], given["to_seq"]
        if to_seq is not None and to_seq < from_seq:
            text = "events.replay: to_seq is below from_seq; expected it above"
            self._refuse((BAD_COMMAND, text), note)
            return
        last = (1 << 53) - 1 if to_seq is None else to_seq
        found = self._controller.publisher.replay(from_seq, last)
        if found is None:
            text = "events.replay: %d ranges are still to be sent; expected fewer" % RANGES_LIMIT
            self._refuse((FAILED, text), note)
            return
        if not found[0]:
            self._refuse((FAILED, "events.replay: none of them is there"), note)
            return
        answer = {"from_seq": found[0], "to_seq": found[1]}
        self._controller.ask(lambda now: (None, []), lambda reason: note(True, answer))

    def _restart(self, given: "dict[str, Any]", by: str, note: "Note") -> None:
        restart = self.restart
        if restart is None:
            self._refuse((FAILED, NOT_HERE), note)
        else:
            self._tell(lambda now: [After(restart)], note)

    def _config(self, given: "dict[str, Any]", by: str, note: "Note") -> None:
        def applied(problem: "str | None") -> None:
            if problem is not None:
                self._refuse((FAILED, "config.apply: %s" % problem), note)
            else:
                self._tell(lambda now: [], note)

        if self.apply_config is None:
            self._refuse((FAILED, NOT_HERE), note)
        else:
            self.apply_config(given["config"], applied)

    # ---- how ---------------------------------------------------------------------------------------

    def _refuse(self, why: "tuple[str, str]", note: "Note") -> None:
        """Do nothing, and have that noted."""
        self._controller.ask(lambda now: (None, []), lambda reason: note(False, why))

    def _ask(
        self,
        verb: "Callable[[Any], tuple[str | None, list[object]]]",
        result: str,
        note: "Note",
    ) -> None:
        """Do what the core may refuse."""

        def noted(reason: "str | None") -> "list[Any]":
            return note(True, {"done": result}) if reason is None else note(False, (FAILED, reason))

        self._controller.ask(verb, noted)

    def _tell(self, verb: "Callable[[Any], list[object]]", note: "Note") -> None:
        """Do what the core does not refuse."""
        self._controller.ask(lambda now: (None, verb(now)), lambda reason: note(True, {}))


class _Once:
    """Tells who asked, once, and remembers that."""

    def __init__(self, note: "Note") -> None:
        self.told = False
        self._note = note

    def __call__(self, ok: bool, answer: "Any") -> "list[Any]":
        if self.told:
            return []
        self.told = True
        return self._note(ok, answer)


def _local(value: object) -> int:
    """A local time of the site, ``YYYY-MM-DDTHH:MM``, as local seconds."""
    try:
        return schedule.local_second(text(16)(value))
    except ValueError:
        raise BadArgument('is no local time; expected such as "2026-02-01T00:00"') from None


def _long_text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= CONFIG_LIMIT:
        raise BadArgument("is no such text; expected 1 to %d characters" % CONFIG_LIMIT)
    return value


def _key(value: object) -> str:
    if not is_key(value):
        raise BadArgument("is no key; expected 32 bytes in base64")
    return str(value)


def _operator_name(value: object) -> str:
    if not is_name(value):
        raise BadArgument("is no name; expected 1 to 32 of a-z, 0-9 and -")
    return str(value)
