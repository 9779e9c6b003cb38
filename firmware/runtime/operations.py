"""What a host may ask of the controller: one table, op -> what it does (CONTRACT.md, section 3).

Whoever calls has checked who asks and whether that role may; here only what is asked is checked, strictly:
every argument has a type, a range or a list of known names, and one that is not known is an error. Nothing
here raises, and nothing waits: what changes keys, levels or hours is made by the store, which answers later.
"""

from firmware.access import alarm, portal, record, schedule
from firmware.runtime.arguments import BadArgument, check, integer, many, name, one_of, text, utc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.runtime.controller import Controller

    Answer = tuple[bool, Any]

#: Why an op was not done.
BAD_COMMAND = "bad_command"  #: it cannot be done as it is written
FAILED = "failed"  #: it can, but not now

UNDER_WAY = "under_way"  #: instead of a result: `done` is told it

SPAN_S = 366 * 86400  #: the longest appointment
BATCH_LIMIT = 1000  #: keys in one command


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
        schedules = name(32)
        #: op: (arguments as name -> (check, whether it must be there), what it does)
        self._ops: dict[str, tuple[dict[str, Any], Callable[..., Answer]]] = {
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
            "credential.upsert": ({"credential": (_table, True)}, self._upsert),
            "credential.remove": ({"credential": (integer(1, 1 << 53), True)}, self._remove),
            "credential.sync": (
                {
                    "upsert": (many(_table, BATCH_LIMIT), False),
                    "remove": (many(integer(1, 1 << 53), BATCH_LIMIT), False),
                },
                self._sync,
            ),
            "schedule.set": (
                {
                    "schedule": (schedules, False),
                    "hours": (many(text(200), 100), False),
                    "holidays": (many(text(10), 1000), False),
                },
                self._schedule,
            ),
            "level.set": (
                {"level": (text(64), True), "rights": (many(self._right, 1000), False)},
                self._level,
            ),
        }

    @property
    def ops(self) -> "list[str]":
        """The names of all ops, sorted."""
        return sorted(self._ops)

    def run(
        self, op: object, args: object, by: str, done: "Callable[[bool, Any], None] | None" = None
    ) -> "Answer":
        """Do `op` for `by`: (True, result) or (False, (code, message)).

        Where the result is `UNDER_WAY`, `done` is called with such a pair when it has been made durable.
        """
        known = self._ops.get(op) if isinstance(op, str) else None
        if known is None:
            return False, (BAD_COMMAND, "op is unknown; expected one of %s" % ", ".join(self.ops))
        try:
            given = check(args, known[0])
        except BadArgument as error:
            return False, (BAD_COMMAND, "%s: %s" % (op, error))
        try:
            return known[1](given, by, done or _ignore)
        except Exception as error:  # noqa: BLE001  its text could hold what no reply may (law 7)
            return False, (FAILED, "%s: %s" % (op, type(error).__name__))

    # ---- doors -------------------------------------------------------------------------------------

    def _release(self, given: "dict[str, Any]", by: str, done: object) -> "Answer":
        return self._ask(
            lambda now: self._site.release(given["portal"], record.COMMAND, by, now), "released"
        )

    def _mode(self, given: "dict[str, Any]", by: str, done: object) -> "Answer":
        at, mode = given["portal"], given["mode"]
        if self._site.refuses_mode(at, mode):
            return False, (FAILED, "interlock")
        return self._tell(lambda now: self._site.set_mode(at, mode, record.COMMAND, by, now))

    def _forgive(self, given: "dict[str, Any]", by: str, done: object) -> "Answer":
        who = None
        if given["holder"] is not None and given["credential"] is not None:
            return False, (BAD_COMMAND, "passback.forgive: holder and credential; expected one")
        if given["holder"] is not None:
            who = "h%d" % given["holder"]
        elif given["credential"] is not None:
            who = "c%d" % given["credential"]
        return self._tell(lambda now: self._site.forgive(given["area"], who, by, now))

    # ---- alarms ------------------------------------------------------------------------------------

    def _acknowledge(self, given: "dict[str, Any]", by: str, done: object) -> "Answer":
        point, kind = given["point"], given["class"]
        return self._tell(lambda now: self._site.acknowledge_one(point, kind, by, now))

    def _silence(self, given: "dict[str, Any]", by: str, done: object) -> "Answer":
        return self._tell(lambda now: self._site.silence(by, now))

    def _shelve(self, given: "dict[str, Any]", by: str, done: object) -> "Answer":
        point, kind, until_s = given["point"], given["class"], given["until"] // 1000
        return self._ask(lambda now: self._site.shelve(point, kind, until_s, by, now), "shelved")

    def _arm(self, given: "dict[str, Any]", by: str, done: object) -> "Answer":
        from_s, to_s = given["from"], given["to"]
        if (from_s is None) != (to_s is None):
            return False, (BAD_COMMAND, "partition.arm: from without to; expected both or none")
        if from_s is not None and not 0 < to_s - from_s <= SPAN_S:
            return False, (
                BAD_COMMAND,
                "partition.arm: to is not after from; expected at most a year",
            )
        return self._ask(
            lambda now: self._site.arm(given["partition"], by, now, from_s, to_s, given["keys"]),
            "armed" if from_s is None else "appointed",
        )

    def _disarm(self, given: "dict[str, Any]", by: str, done: object) -> "Answer":
        return self._ask(lambda now: self._site.disarm(given["partition"], by, now), "disarmed")

    def _bypass(self, given: "dict[str, Any]", by: str, done: object) -> "Answer":
        part, point = given["partition"], given["point"]
        return self._ask(lambda now: self._site.bypass(part, point, by, now), "bypassed")

    # ---- the clock ---------------------------------------------------------------------------------

    def _set_clock(self, given: "dict[str, Any]", by: str, done: object) -> "Answer":
        self._controller.upkeep.set_clock(given["utc"], by)
        return True, {}

    # ---- keys, levels, hours -----------------------------------------------------------------------

    def _upsert(
        self, given: "dict[str, Any]", by: str, done: "Callable[[bool, Any], None]"
    ) -> "Answer":
        return self._store([("upsert", given["credential"])], by, done)

    def _remove(
        self, given: "dict[str, Any]", by: str, done: "Callable[[bool, Any], None]"
    ) -> "Answer":
        return self._store([("remove", given["credential"])], by, done)

    def _sync(
        self, given: "dict[str, Any]", by: str, done: "Callable[[bool, Any], None]"
    ) -> "Answer":
        changes: list[tuple[Any, ...]] = [("remove", id) for id in given["remove"] or []]
        changes += [("upsert", key) for key in given["upsert"] or []]
        return self._store(changes, by, done)

    def _schedule(
        self, given: "dict[str, Any]", by: str, done: "Callable[[bool, Any], None]"
    ) -> "Answer":
        changes: list[tuple[Any, ...]] = []
        if given["schedule"] is not None:
            changes.append(("schedule", given["schedule"], given["hours"]))
        elif given["hours"] is not None:
            return False, (BAD_COMMAND, "schedule.set: hours without schedule; expected its name")
        if given["holidays"] is not None:
            changes.append(("holidays", given["holidays"]))
        if not changes:
            return False, (
                BAD_COMMAND,
                "schedule.set: nothing to set; expected schedule or holidays",
            )
        return self._store(changes, by, done)

    def _level(
        self, given: "dict[str, Any]", by: str, done: "Callable[[bool, Any], None]"
    ) -> "Answer":
        return self._store([("level", given["level"], given["rights"])], by, done)

    def _right(self, value: object) -> "list[Any]":
        """One right of a level, as the store takes it."""
        points = sorted(self._controller.config["access_points"]) + ["*"]
        fields = {
            "access_point": (one_of(points), True),
            "schedule": (name(32), False),
            "deny": (_flag, False),
        }
        given = check(value, fields)
        return [given["access_point"], given["schedule"], bool(given["deny"])]

    # ---- how ---------------------------------------------------------------------------------------

    def _ask(
        self, verb: "Callable[[Any], tuple[str | None, list[object]]]", result: str
    ) -> "Answer":
        """Do what the core may refuse."""
        reason = self._controller.ask(verb)
        return (True, {"done": result}) if reason is None else (False, (FAILED, reason))

    def _tell(self, verb: "Callable[[Any], list[object]]") -> "Answer":
        """Do what the core does not refuse."""
        self._controller.ask(lambda now: (None, verb(now)))
        return True, {}

    def _store(
        self, changes: "list[tuple[Any, ...]]", by: str, done: "Callable[[bool, Any], None]"
    ) -> "Answer":
        def stored(problem: "str | None") -> None:
            if problem is None:
                done(True, {})
            else:
                done(False, (FAILED, problem))

        self._controller.change_keys(changes, by, stored)
        return True, UNDER_WAY


def _local(value: object) -> int:
    """A local time of the site, ``YYYY-MM-DDTHH:MM``, as local seconds."""
    try:
        return schedule.local_second(text(16)(value))
    except ValueError:
        raise BadArgument('is no local time; expected such as "2026-02-01T00:00"') from None


def _table(value: object) -> "dict[str, Any]":
    if not isinstance(value, dict):
        raise BadArgument("is no table; expected its fields")
    return value


def _flag(value: object) -> bool:
    if value is not True and value is not False:
        raise BadArgument("is neither true nor false; expected one of them")
    return value is True


def _ignore(ok: bool, answer: object) -> None:
    """`done` of a caller who does not ask."""
