"""Who is on the way out over a restart: a button that cuts the lock's current is not undone by one.

Pure. An opening is pardoned, and a lock that does not follow unjudged, only for a reason: the button's own
time, begun before the restart, still runs; or the lock's own contact has said "not locked" ever since a
start after lost power, so that somebody may have pressed the button while nothing decided. Else it is
judged at once.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.access import credential


class Pardon:
    """One portal's, of a button that cuts its lock's current for `egress_ms`."""

    def __init__(self, egress_ms: int) -> None:
        self._egress_ms = egress_ms
        self._exit_until_ms = 0  # the end of a button's time that began before the start
        self._doubt_until_ms = 0  # until then the lock's contact may show that it was pressed
        self._doubted = False
        self._kept_ms = 0

    def start(self, until_s: object, power_lost: bool, now: "credential.Moment") -> None:
        """Begin: `until_s` is what `keep` had kept; after a `power_lost` a button may just be pressed."""
        self._doubt_until_ms = now.ms + self._egress_ms if power_lost else 0
        if isinstance(until_s, int):
            left_ms = min((until_s - now.utc_s) * 1000, self._egress_ms)
            self._exit_until_ms = now.ms + max(0, left_ms)
            self._kept_ms = 0 if left_ms > 0 else -1  # what is past is kept no longer

    def bond(self, locked: "bool | None") -> None:
        """The lock's own contact says so. Once it is locked, no button cuts its current."""
        self._doubted = locked is False
        if locked is not False:
            self._doubt_until_ms = 0

    def holds(self, at_ms: int) -> bool:
        """Whether an opening at `at_ms` is pardoned."""
        return at_ms < self._exit_until_ms or (self._doubted and at_ms < self._doubt_until_ms)

    def keep(self, until_ms: int, now: "credential.Moment") -> "tuple[int | None] | None":
        """What is to be kept of a button's time that ends at `until_ms` (0: none runs); None: no change."""
        if until_ms == self._kept_ms:
            return None
        self._kept_ms = until_ms
        return (now.utc_s - (now.ms - until_ms) // 1000 if until_ms else None,)
