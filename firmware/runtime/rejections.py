"""Which refusals of commands are recorded one by one, and which as a number (CONTRACT.md, Command). Portable.

The first `SINGLY` of a minute have a record each, the rest one together: when none came for `QUIET_MS`, or at
its end. Until then their number is kept, so that whoever is killed tells it after the next start: one by one
for `EXACT` of a minute, then `AHEAD` at a time before they come, for the sake of the disk. It is never too
small. Of what no known key has signed nothing is repeated but what can only be a name.
"""

from firmware.access import record
from firmware.access.record import Keep
from firmware.runtime.operators import OPS, is_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MINUTE_MS = 60000
SINGLY = 20
QUIET_MS = 5000  #: so long after the last one the rest is recorded, the minute over or not
EXACT = 200  #: of those without a record of their own: so many a minute are kept as they come
AHEAD = 64  #: and of the others so many at once, most of them before they have come
KEPT = "command/refused"  #: kept: {count, op, by, reason} of those that no record tells yet
STORED = "stored"  #: the `op` of a host's acknowledgement

_HEX = "0123456789abcdef"


class Rejections:
    """The refusals of one controller. What it gives is to be written in one batch, and before the broker
    may forget the message.

    kept    dict  what the journal has kept; what was not told before the start is told soon after it
    now_ms  int
    """

    def __init__(self, kept: "dict[str, Any]", now_ms: int) -> None:
        self._since_ms: int | None = None
        self._last_ms = now_ms
        self._count = 0
        self._shared: dict[str, Any] = {}  # what those without a record of their own have in common
        self._over = 0
        self._kept = 0  # so many of them are told, whatever happens
        left = kept.get(KEPT)
        if isinstance(left, dict) and isinstance(left.get("count"), int) and left["count"] > 0:
            self._since_ms = now_ms
            self._over = self._kept = left["count"]
            self._shared = {key: left.get(key) for key in ("command", "op", "by", "reason")}

    @property
    def deadline_ms(self) -> "int | None":
        """Tick no later than this; None: no minute runs."""
        if self._since_ms is None:
            return None
        ends_ms = self._since_ms + MINUTE_MS
        return min(ends_ms, self._last_ms + QUIET_MS) if self._over else ends_ms

    def add(
        self, now_ms: int, reason: str, command: object, op: object, by: object
    ) -> "list[object]":
        """Something was refused; its record, or what is kept of it where there were too many."""
        made = self.tick(now_ms)
        if self._since_ms is None:
            self._since_ms = now_ms
        fields: dict[str, Any] = {
            "command": command if is_id(command) else None,
            "op": op if op in OPS or op == STORED else None,
            "by": by if is_name(by) else None,
            "reason": reason,
        }
        self._last_ms = now_ms
        self._count += 1
        if self._count <= SINGLY:
            return made + [record.make(record.COMMAND_REJECTED, now_ms, None, fields)]
        fields["command"] = None
        before = self._shared
        self._shared = fields if not self._over else _shared(before, fields)
        self._over += 1
        if self._over <= self._kept and self._shared == before:
            return made
        if self._over > self._kept:
            exact = self._count <= SINGLY + EXACT
            self._kept = self._over if exact else self._over + AHEAD - 1
        left = {key: self._shared[key] for key in ("op", "by", "reason")}
        left["count"] = self._kept
        return made + [Keep(KEPT, left)]

    def tick(self, now_ms: int) -> "list[object]":
        """The minute may be over, or those that came too many."""
        if self._since_ms is None:
            return []
        if now_ms >= self._since_ms + MINUTE_MS:
            return self.flush(now_ms)
        return self._rest(now_ms) if now_ms >= self._last_ms + QUIET_MS else []

    def flush(self, now_ms: int) -> "list[object]":
        """The minute is over, or the controller stops."""
        self._since_ms = None
        self._count = 0
        return self._rest(now_ms)

    def _rest(self, now_ms: int) -> "list[object]":
        over, fields = self._over, dict(self._shared)
        self._over = self._kept = 0
        if not over:
            return []
        fields["count"] = over
        return [record.make(record.COMMAND_REJECTED, now_ms, None, fields), Keep(KEPT, None)]


def is_id(value: object) -> bool:
    """Whether `value` is the id of a command: 32 lower-case hex digits."""
    if not isinstance(value, str) or len(value) != 32:
        return False
    return not [character for character in value if character not in _HEX]


def _shared(one: "dict[str, Any]", other: "dict[str, Any]") -> "dict[str, Any]":
    return {key: one[key] if one[key] == other[key] else None for key in one}
