"""What a host may ask about keys, levels and hours: the half of `operations` that the store does.

Every op answers when the store has: done and durable, or not at all.
"""

from firmware.runtime.arguments import check, flag, integer, many, name, one_of, table, text
from firmware.runtime.ports import Page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.access.secret import Secret
    from firmware.runtime.controller import Controller

    Note = Callable[[bool, Any], list[Any]]

#: Why an op was not done.
BAD_COMMAND = "bad_command"  #: it cannot be done as it is written
FAILED = "failed"  #: it can, but not now

BATCH_LIMIT = 1000  #: keys in one command
ENROL_S = 30  #: how long a card is waited for
ENROL_MAX_S = 120  #: and at most
PAGES_LIMIT = 1000  #: commands that make one set


class KeyOperations:
    """The ops of one controller's store.

    refuse  callable ((code, text), note)  does nothing, and has that noted
    sender  callable (name) -> str         an operator as `firmware.runtime.ports.Page` names them
    """

    def __init__(
        self,
        controller: "Controller",
        refuse: "Callable[[tuple[str, str], Note], None]",
        sender: "Callable[[str], str]",
    ) -> None:
        self._controller = controller
        self._refuse = refuse
        self._sender = sender
        schedules = name(32)
        #: op: as `firmware.runtime.operations.Operations` has it
        self.ops: dict[str, tuple[dict[str, Any], Callable[..., None]]] = {
            "credential.upsert": ({"credential": (table, True)}, self._upsert),
            "credential.remove": ({"credential": (integer(1, 1 << 53), True)}, self._remove),
            "credential.sync": (
                {
                    "version": (integer(1, 1 << 53), False),
                    "page": (integer(1, PAGES_LIMIT + 1), False),
                    "pages": (integer(1, PAGES_LIMIT + 1), False),
                    "all": (flag, False),
                    "upsert": (many(table, BATCH_LIMIT), False),
                    "remove": (many(integer(1, 1 << 53), BATCH_LIMIT), False),
                },
                self._sync,
            ),
            "credential.enrol": (
                {
                    "access_point": (one_of(sorted(controller.config["access_points"])), True),
                    "timeout_s": (integer(1, ENROL_MAX_S + 1), False),
                    "credential": (table, False),
                },
                self._enrol,
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
        upsert, remove = given["upsert"] or [], given["remove"] or []
        version, number, pages = given["version"], given["page"] or 1, given["pages"] or 1
        problem = ""
        if version is None and (given["page"] or given["pages"] or given["all"]):
            problem = "credential.sync: version is missing; expected it with page, pages and all"
        elif number > pages:
            problem = "credential.sync: page is beyond pages; expected 1 to %d" % pages
        if problem:
            self._refuse((BAD_COMMAND, problem), note)
        elif version is None:
            changes: list[tuple[Any, ...]] = [("remove", id) for id in remove]
            self._store(changes + [("upsert", key) for key in upsert], by, note)
        else:
            whole, sender = bool(given["all"]), self._sender(by)
            self._page(Page(version, number, pages, whole, upsert, remove, sender), by, note)

    def _page(self, page: Page, by: str, note: "Note") -> None:
        def taken(problem: "str | None", synced: "Any") -> "list[Any]":
            if problem is not None:
                return note(False, (FAILED, "credential.sync: %s" % problem))
            answer = {"version": synced.version, "count": self._controller.store.held()[0]}
            if not synced.applied:
                answer["page"] = page.number
            return note(True, answer)

        self._controller.sync_keys(page, by, taken)

    def _enrol(self, given: "dict[str, Any]", by: str, note: "Note") -> None:
        fields = given["credential"]

        def captured(number: "Secret | None") -> None:
            if number is None:
                self._refuse((FAILED, "credential.enrol: no card came"), note)
                return
            answer = {"number": number.reveal()}
            if fields is None:
                self._controller.ask(lambda now: (None, []), lambda reason: note(True, answer))
                return
            key = dict(fields)
            key["cards"] = [number.reveal()]
            self._store([("upsert", key)], by, note, answer)

        timeout_ms = 1000 * (given["timeout_s"] or ENROL_S)
        if fields is not None and "cards" in fields:
            text = "credential.enrol: cards are what is enrolled; expected a credential without"
            self._refuse((BAD_COMMAND, text), note)
        elif not self._controller.enrolment.begin(given["access_point"], timeout_ms, by, captured):
            self._refuse((FAILED, "credential.enrol: another one waits for a card"), note)

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

    def _store(
        self,
        changes: "list[tuple[Any, ...]]",
        by: str,
        note: "Note",
        answer: "dict[str, Any] | None" = None,
    ) -> None:
        def stored(problem: "str | None") -> "list[Any]":
            return note(True, answer or {}) if problem is None else note(False, (FAILED, problem))

        self._controller.change_keys(changes, by, stored)
