"""How long the host has been silent, and whether that narrows what the keys may (``narrow_after_h``).

Pure. Heard of is an acknowledgement: the broker's where ``host_ack = false``, else the host's own. What is
kept over a restart is written at most once an hour, so a silence is known to an hour.
"""

from firmware.access.access_point import Keep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.access.credential import Moment

HEARD = "host/heard"  #: kept: UTC second of the last word
KEEP_S = 3600


class HostSilence:
    """One host's silence. `start` comes first; `look` whenever time has passed.

    narrow_after_h  int or None   hours; None: never
    kept_s          int or None   what was kept under `HEARD`
    """

    def __init__(self, narrow_after_h: "int | None", kept_s: "int | None") -> None:
        #: bool  silent for so long that only keys that are valid for long work
        self.narrowed = False
        self._limit_ms = None if narrow_after_h is None else narrow_after_h * 3600000
        self._kept_s = kept_s
        self._heard_s = kept_s
        self._heard_ms = 0

    def start(self, now: "Moment") -> "list[object]":
        """Begin to count; a controller that never heard of a host counts from its first start."""
        self._heard_ms = now.ms
        if self._kept_s is not None or self._limit_ms is None:
            return []
        return self.heard(now)

    def heard(self, now: "Moment") -> "list[object]":
        """The host was heard of; what is to be kept."""
        self._heard_ms = now.ms
        self._heard_s = now.utc_s
        if self._kept_s is not None and abs(now.utc_s - self._kept_s) < KEEP_S:
            return []
        self._kept_s = now.utc_s
        return [Keep(HEARD, now.utc_s)]

    def silent_ms(self, now: "Moment") -> int:
        """For how long it was silent; the time without power counts where the clock tells of it."""
        silent_ms: int = now.ms - self._heard_ms
        if now.trusted and self._heard_s is not None:
            silent_ms = max(silent_ms, (now.utc_s - self._heard_s) * 1000)
        return silent_ms

    def look(self, now: "Moment") -> bool:
        """Whether ``narrowed`` has changed."""
        narrowed = self._limit_ms is not None and self.silent_ms(now) >= self._limit_ms
        if narrowed == self.narrowed:
            return False
        self.narrowed = narrowed
        return True
