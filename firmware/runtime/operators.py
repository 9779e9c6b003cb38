"""Who may command this controller, what each role may, and how far each has counted. Portable.

The first operators come from the state folder; what `operator.set` changes is kept in the journal and
stands over them. Nobody is ever forgotten, only revoked: whoever came back would count from the start.
"""

import binascii

from firmware.access.record import Keep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OWNER = "owner"
HOST = "host"

_CARETAKER = ("portal.release", "alarm.acknowledge", "alarm.silence")
_MANAGER = _CARETAKER + (
    "portal.mode",
    "credential.upsert",
    "credential.remove",
    "credential.sync",
    "credential.enrol",
    "schedule.set",
    "level.set",
    "partition.arm",
    "partition.disarm",
    "partition.bypass",
    "passback.forgive",
    "alarm.shelve",
    "media.fetch",
    "media.hold",
    "clip.record",
    "events.replay",
    "intercom.directory",
)
_INSTALLER = ("config.apply", "update.apply", "system.restart", "events.replay")

#: Every op that the contract names, this version serves it or not.
OPS = tuple(sorted(set(_MANAGER + _INSTALLER + ("operator.set", "clock.set"))))

#: role: what it may (CONTRACT.md, section 3). A host only says what it has stored.
MAY = {
    "caretaker": _CARETAKER,
    "manager": _MANAGER,
    "installer": _INSTALLER,
    OWNER: OPS,
    HOST: (),
}
ROLES = tuple(sorted(MAY))

KEPT = "operator/"  #: kept of each: {role, key, revoked, n}, or only {n} of one that nobody has set
LIMIT = 500  #: operators and hosts, revoked ones included
NAME_LIMIT = 32

_NAME = "abcdefghijklmnopqrstuvwxyz0123456789-"


class Operator:
    """One who signs. The key is a public one.

    role     str       one of `ROLES`
    key      str       Ed25519, base64
    revoked  bool
    n        int|None  the last that was accepted
    is_set   bool      by a command: it is kept whole
    """

    def __init__(
        self, role: str, key: str, revoked: bool, n: "int | None", is_set: bool = False
    ) -> None:
        self.role = role
        self.key = key
        self.revoked = revoked
        self.n = n
        self.is_set = is_set


class Operators:
    """All who may sign, from `first` (id -> (role, key)) and what the journal has kept."""

    def __init__(self, first: "dict[str, tuple[str, str]]", kept: "dict[str, Any]") -> None:
        self._all: dict[str, Operator] = {}
        for id in first:
            role, key = first[id]
            self._all[id] = Operator(role, key, False, None)
        for name in kept:
            if name.startswith(KEPT) and isinstance(kept[name], dict):
                self._restore(name[len(KEPT) :], kept[name])

    def __len__(self) -> int:
        return len(self._all)

    def find(self, id: object) -> "Operator | None":
        """The one of that name, revoked or not."""
        return self._all.get(id) if isinstance(id, str) else None

    def key_of(self, id: object) -> "str | None":
        """The public key of one; may be asked by another thread."""
        found = self.find(id)
        return None if found is None else found.key

    def count(self, id: str, n: "int | None") -> None:
        """One was heard with `n`: from now on only higher ones are in order."""
        found = self._all[id]
        if n is not None and (found.n is None or n > found.n):
            found.n = n

    def keep(self, id: str) -> "Keep":
        """What is to be kept of one."""
        one = self._all[id]
        if not one.is_set:
            return Keep(KEPT + id, {"n": one.n})
        return Keep(
            KEPT + id, {"role": one.role, "key": one.key, "revoked": one.revoked, "n": one.n}
        )

    def set(
        self,
        id: str,
        role: "str | None",
        key: "str | None",
        revoked: "bool | None",
    ) -> "tuple[str | None, list[object]]":
        """Add, change or revoke one; why not, or None, and what is to be kept. What is None stays."""
        found = self._all.get(id)
        if found is None:
            if role is None or key is None:
                return "operator is unknown; expected role and public_key for a new one", []
            if len(self._all) >= LIMIT:
                return "there are %d operators; expected at most that" % LIMIT, []
            found = Operator(role, key, False, None)
        after = Operator(
            found.role if role is None else role,
            found.key if key is None else key,
            found.revoked if revoked is None else revoked,
            found.n,
            True,
        )
        if _commands(found) and not _commands(after) and not self._another_owner(id):
            return "this is the last owner; expected another one first", []
        self._all[id] = after
        return None, [self.keep(id)]

    def _another_owner(self, id: str) -> bool:
        return any(other != id and _commands(self._all[other]) for other in self._all)

    def _restore(self, id: str, kept: "dict[str, Any]") -> None:
        n = kept.get("n")
        n = n if isinstance(n, int) else None
        if kept.get("role") in MAY and is_key(kept.get("key")):
            revoked = kept.get("revoked") is not False
            self._all[id] = Operator(kept["role"], kept["key"], revoked, n, True)
        elif id in self._all:
            self._all[id].n = n


def is_name(value: object) -> bool:
    """Whether `value` can be the name of an operator."""
    if not isinstance(value, str) or not 0 < len(value) <= NAME_LIMIT:
        return False
    return not [character for character in value if character not in _NAME]


def is_key(value: object) -> bool:
    """Whether `value` is 32 bytes in base64, as they are written."""
    if not isinstance(value, str) or len(value) != 44:
        return False
    try:
        raw = binascii.a2b_base64(value)
    except ValueError:
        return False
    return len(raw) == 32 and binascii.b2a_base64(raw).decode().strip() == value


def _commands(one: Operator) -> bool:
    return one.role == OWNER and not one.revoked
