"""What a host may ask about keys, levels and hours: the half of `operations` that the store does.

Every op answers when the store has: done and durable, or not at all.
"""

from firmware.runtime.arguments import check, flag, integer, many, name, one_of, table, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.runtime.controller import Controller

    Note = Callable[[bool, Any], list[Any]]

#: Why an op was not done.
BAD_COMMAND = "bad_command"  #: it cannot be done as it is written
FAILED = "failed"  #: it can, but not now

BATCH_LIMIT = 1000  #: keys in one command


class KeyOperations:
    """The ops of one controller's store.

    refuse  callable ((code, text), note)  does nothing, and has that noted
    """

    def __init__(
        self, controller: "Controller", refuse: "Callable[[tuple[str, str], Note], None]"
    ) -> None:
        self._controller = controller
        self._refuse = refuse
        schedules = name(32)
        #: op: as `firmware.runtime.operations.Operations` has it
        self.ops: dict[str, tuple[dict[str, Any], Callable[..., None]]] = {
            "credential.upsert": ({"credential": (table, True)}, self._upsert),
            "credential.remove": ({"credential": (integer(1, 1 << 53), True)}, self._remove),
            "credential.sync": (
                {
                    "upsert": (many(table, BATCH_LIMIT), False),
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

    def _upsert(self, given: "dict[str, Any]", by: str, note: "Note") -> None:
        self._store([("upsert", given["credential"])], by, note)

    def _remove(self, given: "dict[str, Any]", by: str, note: "Note") -> None:
        self._store([("remove", given["credential"])], by, note)

    def _sync(self, given: "dict[str, Any]", by: str, note: "Note") -> None:
        changes: list[tuple[Any, ...]] = [("remove", id) for id in given["remove"] or []]
        changes += [("upsert", key) for key in given["upsert"] or []]
        self._store(changes, by, note)

    def _schedule(self, given: "dict[str, Any]", by: str, note: "Note") -> None:
        changes: list[tuple[Any, ...]] = []
        problem = ""
        if given["schedule"] is not None:
            changes.append(("schedule", given["schedule"], given["hours"]))
        elif given["hours"] is not None:
            problem = "schedule.set: hours without schedule; expected its name"
        if given["holidays"] is not None:
            changes.append(("holidays", given["holidays"]))
        if not changes and not problem:
            problem = "schedule.set: nothing to set; expected schedule or holidays"
        if problem:
            self._refuse((BAD_COMMAND, problem), note)
        else:
            self._store(changes, by, note)

    def _level(self, given: "dict[str, Any]", by: str, note: "Note") -> None:
        self._store([("level", given["level"], given["rights"])], by, note)

    def _right(self, value: object) -> "list[Any]":
        """One right of a level, as the store takes it."""
        points = sorted(self._controller.config["access_points"]) + ["*"]
        fields = {
            "access_point": (one_of(points), True),
            "schedule": (name(32), False),
            "deny": (flag, False),
        }
        given = check(value, fields)
        return [given["access_point"], given["schedule"], bool(given["deny"])]

    def _store(self, changes: "list[tuple[Any, ...]]", by: str, note: "Note") -> None:
        def stored(problem: "str | None") -> "list[Any]":
            return note(True, {}) if problem is None else note(False, (FAILED, problem))

        self._controller.change_keys(changes, by, stored)
