"""Whose is what was shown: the store's keys first, then visitors' codes, which are checked right here.

Portable. A text that begins as a visitor's code is never looked for in the store, where access points
look at visitors' codes at all. A PIN is the store's, and only eight digits that are nobody's may be a
visitor's. So that those cannot be tried through, `visitor.TRIES_A_DAY` wrong ones at an access point end
them there till midnight; a start does not forget how many they were.
"""

from firmware.access import access_point, credential, schedule, visitor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MOST_VISITS = (
    4096  #: used codes that are remembered; then a new one is refused until one of them ends
)
TRIES = "visit-tries/"  #: kept for an access point: [local day, wrong tries on it]
VISIT = "visit/"  #: kept for a used code


class LookUp:
    """What finds keys for one controller.

    store        Store     the keys that were given
    key          bytes     the visitor key
    config       dict      validated; of its access points ``visitors`` and ``visitor_digits``
    offset_s     callable  UTC seconds -> seconds to add for local time
    now          callable  () -> credential.Moment
    """

    def __init__(
        self,
        store: "Any",
        key: bytes,
        config: "dict[str, Any]",
        offset_s: "Callable[[int], int]",
        now: "Callable[[], credential.Moment]",
    ) -> None:
        #: callable (dict)  told what is to be kept, as `Batch.kept`
        self.on_keep: Callable[[dict[str, Any]], None] | None = None
        self._store = store
        self._key = key
        self._access_points = config["access_points"]
        self._offset_s = offset_s
        self._now = now
        self._tries: dict[str, tuple[int, int]] = {}
        self._visits: set[str] = set()

    def heed(self, key: str, value: "Any") -> None:
        """Something is kept (or with None not any more): at the start, and from then on."""
        if key.startswith(TRIES):
            self._tries[key[len(TRIES) :]] = (value[0], value[1])
        elif key.startswith(VISIT):
            if value is None:
                self._visits.discard(key[len(VISIT) :])
            else:
                self._visits.add(key[len(VISIT) :])

    def find(self, lookup: "access_point.Lookup", done: "Callable[[Any], None]") -> None:
        """Have `done` told the Credential that belongs to what was shown, or None: nobody's."""
        name, kind, shown = lookup.access_point, lookup.kind, lookup.value.reveal()
        at = self._access_points[name]
        if kind == access_point.CODE and at["visitors"] and shown.startswith(visitor.PREFIX):
            done(self._admit(visitor.read_qr(self._key, shown)))
            return
        if not (kind == access_point.PIN and at["visitors"] and at["visitor_digits"]):
            self._store.find(kind, shown, done)
            return

        def found(key: "credential.Credential | None") -> None:
            none = key is None and len(shown) == visitor.DIGITS
            done(self._of_digits(name, shown) if none else key)

        self._store.find(kind, shown, found)

    def _of_digits(self, name: str, digits: str) -> "credential.Credential | None":
        """The visitor whose `digits` these are at access point `name` today."""
        day = self._now().local_s // schedule.DAY_S
        tried_day, tries = self._tries.get(name, (day, 0))
        # A clock that is set back does not give the tries back; one that was far ahead takes none.
        if not day <= tried_day <= day + 1:
            tried_day, tries = day, 0
        if tries >= visitor.TRIES_A_DAY:
            return None
        begins_s, ends_s = self._midnight_s(day), self._midnight_s(day + 1)
        found = visitor.find_digits(self._key, name, day, digits, begins_s, ends_s)
        if found is None:
            self._keep({TRIES + name: [tried_day, tries + 1]})
        return self._admit(found)

    def _admit(self, key: "credential.Credential | None") -> "credential.Credential | None":
        """A code that could not be remembered once it is used has no use."""
        if key is None or key.visit in self._visits or len(self._visits) < MOST_VISITS:
            return key
        values = list(key)
        values[_USES] = 0
        return credential.Credential(*values)

    def _keep(self, kept: "dict[str, Any]") -> None:
        for key in kept:
            self.heed(key, kept[key])
        if self.on_keep is not None:
            self.on_keep(kept)

    def _midnight_s(self, day: int) -> int:
        """The UTC second at which local `day` begins."""
        local_s = day * schedule.DAY_S
        return local_s - self._offset_s(local_s - self._offset_s(local_s))


_USES = 6  # of a Credential; its record has no `_fields` everywhere
