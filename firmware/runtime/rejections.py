"""Which refusals of commands are recorded one by one, and which as a number (CONTRACT.md, Command). Portable.

The first `SINGLY` of a minute have a record each, the rest one together: when none came for `QUIET_MS`, so
that a power cut soon after loses none, or at its end. Of what no known key
has signed nothing is repeated but what can only be a name.
"""

from firmware.access import record
from firmware.runtime.operators import OPS, is_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MINUTE_MS = 60000
SINGLY = 20
QUIET_MS = 5000  #: so long after the last one the rest is recorded, the minute over or not
STORED = "stored"  #: the `op` of a host's acknowledgement

_HEX = "0123456789abcdef"


class Rejections:
    """The refusals of one controller."""

    def __init__(self) -> None:
        self._since_ms: int | None = None
        self._last_ms = 0
        self._count = 0
        self._shared: dict[str, Any] = {}  # what those without a record of their own have in common
        self._over = 0

    @property
    def deadline_ms(self) -> "int | None":
        """Tick no later than this; None: no minute runs."""
        if self._since_ms is None:
            return None
        ends_ms = self._since_ms + MINUTE_MS
        return min(ends_ms, self._last_ms + QUIET_MS) if self._over else ends_ms

    def add(
        self, now_ms: int, reason: str, command: object, op: object, by: object
    ) -> "list[record.Record]":
        """Something was refused; its record, or none where there were too many."""
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
        self._shared = fields if not self._over else _shared(self._shared, fields)
        self._over += 1
        return made

    def tick(self, now_ms: int) -> "list[record.Record]":
        """The minute may be over, or those that came too many."""
        if self._since_ms is None:
            return []
        if now_ms >= self._since_ms + MINUTE_MS:
            return self.flush(now_ms)
        return self._rest(now_ms) if now_ms >= self._last_ms + QUIET_MS else []

    def flush(self, now_ms: int) -> "list[record.Record]":
        """The minute is over, or the controller stops."""
        self._since_ms = None
        self._count = 0
        return self._rest(now_ms)

    def _rest(self, now_ms: int) -> "list[record.Record]":
        over, fields = self._over, dict(self._shared)
        self._over = 0
        if not over:
            return []
        fields["command"] = None
        fields["count"] = over
        return [record.make(record.COMMAND_REJECTED, now_ms, None, fields)]


def is_id(value: object) -> bool:
    """Whether `value` is the id of a command: 32 lower-case hex digits."""
    if not isinstance(value, str) or len(value) != 32:
        return False
    return not [character for character in value if character not in _HEX]


def _shared(one: "dict[str, Any]", other: "dict[str, Any]") -> "dict[str, Any]":
    return {key: one[key] if one[key] == other[key] else None for key in one}
