"""The keys of this controller and what they may: a database of its own, with a verified last good copy.

A look-up is one indexed read, as fast among a million keys as among a hundred, in memory that does not
grow with them; it is made by the executor, so that nothing waits for a disk. The cards that were shown
last need none: they are held until the next change (`recent_keys`). What is found by a PIN or a
code is stored under the controller's key only. `problems` says what had to be mended; the keys go on.
"""

import os
from collections.abc import Callable, Collection, Iterable
from typing import Any

from firmware.access import access_point
from firmware.access.credential import Credential, Rights
from firmware.runtime.ports import Page, Store, Synced
from firmware.services import database
from firmware.services.executor import Executor
from firmware.services.key_changes import ChangeError, number_of
from firmware.services.key_file import KeyFile
from firmware.services.key_tables import Change, Told
from firmware.services.recent_keys import RecentKeys

__all__ = ["ChangeError", "CredentialStore"]


class CredentialStore(Store):
    """A store in one SQLite database.

    path      str       ``keys.db`` in the state folder; its copy is ``keys.good.db``
    executor  Executor  where changes are made, and look-ups; its end closes the store
    key       bytes     the controller's own, see `firmware.services.secrets`
    vfs       str|None  name of a VFS of SQLite; None: the real disk
    random    callable  n -> n random bytes, for the salts of PINs
    finder    Executor  where look-ups are made that no change holds up; None: in order with the changes
    """

    def __init__(
        self,
        path: str,
        executor: Executor,
        key: bytes,
        vfs: str | None = None,
        random: Callable[[int], bytes] = os.urandom,
        finder: Executor | None = None,
    ) -> None:
        #: callable (text: str)  told of each problem that comes up after `open`
        self.on_problem: Callable[[str], None] | None = None
        self._file = KeyFile(path, key, vfs, random)
        self._executor = executor
        self._finder = executor if finder is None else finder
        self._key = key
        self._recent = RecentKeys()
        self._told = 0
        self._failing = False
        executor.on_end(self._file.close)

    @property
    def problems(self) -> list[str]:
        """What went wrong with the files and what was done, one line each."""
        return self._file.problems

    @property
    def version(self) -> int:
        """How often the store was changed."""
        return self._file.version

    def open(self, found: Iterable[str] = ()) -> None:
        """Open the store or begin it; once, before anything else. Never raises: see `problems`.

        found  what was wrong with the controller's secrets, one line each: told after its own
        """
        self._file.open()
        self.problems.extend(found)
        self.problems[:] = dict.fromkeys(self.problems)  # found twice is told once
        self._told = len(self.problems)
        if self._file.copy_unseen:
            self._executor.submit(self._file.see_copy, lambda _, error: self._tell())

    def find(self, kind: str, value: str, done: Callable[[Any], None]) -> None:
        """Find the key of a card (its canonical number), a code (its text) or a PIN (its digits).

        `kind` is one of `firmware.access.access_point`'s; `done` gets a Credential, or None: nobody's.
        """

        number = number_of(self._key, kind, value) if kind == access_point.CARD else ""
        known = self._recent.find(number)
        if known is not None:
            done(known)
            return
        asked = self._recent.asked()

        def work() -> Credential | None:
            return self._file.find(number or number_of(self._key, kind, value))

        def answer(key: Credential | None, error: Exception | None) -> None:
            if number and key is not None:
                self._recent.found(number, key, asked)
            done(key)
            if error is not None and not self._failing:
                self.problems.append(f"{self._file.title}: {database.describe(error)}")
            self._failing = error is not None
            self._tell()

        self._finder.submit(work, answer)

    def stir(self) -> None:
        """Look for nobody: thread, pages and processor are then awake for `find`."""
        self._finder.submit(lambda: self._file.find(""))

    def rights(self) -> Rights:
        """Levels, schedules and holidays in force, from memory."""
        return self._file.rights

    def board_gives(self, levels: Collection[str], schedules: Collection[str]) -> None:
        """Names of levels and schedules in the board config, which keys and levels may name."""
        self._file.board_levels, self._file.board_schedules = levels, schedules

    def apply(
        self,
        changes: Iterable[Change],
        done: Callable[[str | None, list[Told]], None] | None = None,
    ) -> list[Told]:
        """Make changes, all or none, in their order; what they name must exist at the end.

        ("upsert", key), see `firmware.services.key_changes`; ("life", id, verb of
        `firmware.access.life_cycle`, fields of "issue" or {"valid_to_s": the later end} of "extend", else
        {}; a version, or left out: one more); ("remove", id); ("level", name, list of [access point or
        "*", schedule or None, whether it denies], or None: remove it); ("schedule", name, list of hours as
        text, or None); ("holidays", list of dates).

        Without `done` it is made now: (id, change) of each key that became another is returned, and
        `ChangeError` (one line, nothing changed) or `apsw.Error` raised. With `done` the executor makes
        it, and `done` gets that line or None, and that list.
        """
        self._recent.change_begins()
        if done is None:
            try:
                return self._file.apply(changes)
            finally:
                self._recent.change_ended()
        tell = done

        def answer(told: list[Told] | None, error: Exception | None) -> None:
            self._recent.change_ended()
            if isinstance(error, ChangeError):
                tell(str(error), [])
            elif error is not None:
                tell(f"{self._file.title}: {database.describe(error)}", [])
            else:
                tell(None, told or [])
            self._tell()

        self._executor.submit(lambda: self._file.apply(changes), answer)
        return []

    def sync(self, page: Page, done: Callable[[str | None, Synced | None], None]) -> None:
        """Take a page of a set of keys; the executor does it."""

        self._recent.change_begins()

        def answer(synced: Synced | None, error: Exception | None) -> None:
            self._recent.change_ended()
            if isinstance(error, ChangeError):
                done(str(error), None)
            elif error is not None:
                done(f"{self._file.title}: {database.describe(error)}", None)
            else:
                done(None, synced)
            self._tell()

        self._executor.submit(lambda: self._file.sync(page), answer)

    def withdraw(self, operator: str) -> None:
        """See `firmware.runtime.ports.Store.withdraw`; the executor does it.

        A disk that fails keeps the set, which then nobody can go on with: whoever sends must be the same.
        """
        self._recent.change_begins()

        def answer(_: object, error: Exception | None) -> None:
            self._recent.change_ended()
            self._tell()

        self._executor.submit(lambda: self._file.withdraw(operator), answer)

    def held(self) -> tuple[int, int, bool]:
        """See `firmware.runtime.ports.Store.held`."""
        return self._file.count, self._file.synced, not self._failing

    def close(self) -> None:
        """Close the store, its copy up to date; the executor's end does the same."""
        self._file.close()

    def _tell(self) -> None:
        for text in self.problems[self._told :]:
            self._told += 1
            if self.on_problem is not None:
                self.on_problem(text)
