"""The keys that were found last: who comes every day waits for no disk.

Nothing is held while the store is being changed, and nothing of before a change is held after it; so what
is found here is what the store would say. Belongs to the loop's thread. No PIN is ever held.
"""

from firmware.access.credential import Credential

MOST = 256  #: of one building's keys, those that are used


class RecentKeys:
    """Of one store."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._found: dict[str, Credential] = {}
        self._changes = 0  # that have begun
        self._under_way = 0

    def find(self, number: str) -> Credential | None:
        """The key that was found by `number`, if nothing was changed since."""
        return self._found.get(number)

    def asked(self) -> int:
        """The store is asked for a key now: what `found` is to be told with its answer."""
        return self._changes

    def found(self, number: str, key: Credential, asked: int) -> None:
        """The store, `asked` then, has found `key`; the oldest gives way."""
        if self._under_way or asked != self._changes:
            return
        if len(self._found) >= self._most:
            del self._found[next(iter(self._found))]
        self._found[number] = key

    def change_begins(self) -> None:
        """From now on the store may say something else."""
        self._changes += 1
        self._under_way += 1
        self._found.clear()

    def change_ended(self) -> None:
        """What the store says now, it says until the next change."""
        self._under_way -= 1
