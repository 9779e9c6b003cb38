"""What a controller keeps in order about itself: its time, its rights, its host, and what is wrong with it.

The controller calls `look` at least once a second; everything else is called when it happens. Effects go
through ``perform``, the controller's own.
"""

from firmware.access import alarm, record
from firmware.access.access_point import Keep
from firmware.runtime.clock import LEAP_MS, SiteTime
from firmware.runtime.host_silence import HEARD, HostSilence
from firmware.runtime.wiring import CONTROLLER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.access.credential import Moment
    from firmware.access.site import Site
    from firmware.runtime.wiring import Wiring

LEAPT = "clock/leapt"  #: how far, milliseconds; kept while the clock stands ahead by more than is believed
FLOOR = "clock/floor"  #: what is kept of a trusted time that later records are behind

CHECKPOINT_MS = 3_600_000  #: from one checkpoint of the journal to the next, while it runs

CROWD_MS = 5000  #: so long without another reading dropped, and all is well again

_SILENT = "silent for too long; only keys that are valid for long work"


class Upkeep:
    """One controller's.

    wall, clock, journal, store  the ports
    perform   callable (effects, now)
    fault     callable (part, ok, text)  tells it, with a record
    """

    def __init__(
        self,
        config: "dict[str, Any]",
        site: "Site",
        wiring: "Wiring",
        wall: "Any",
        loop: "Any",
        journal: "Any",
        store: "Any",
        perform: "Callable[[list[Any], Moment], None]",
        fault: "Callable[[str, bool, str], None]",
    ) -> None:
        floor_ms = max(_whole(journal.kept.get(FLOOR)), journal.trusted_ms)
        self.time = SiteTime(wall, loop.clock, floor_ms, _lead_ms(journal.kept.get(LEAPT)))
        self.time.on_step = self._clock_stepped
        heard_s = journal.kept.get(HEARD)
        self._host = HostSilence(
            config["controller"]["narrow_after_h"], heard_s if isinstance(heard_s, int) else None
        )
        self._config = config
        self._site = site
        self._wiring = wiring
        self._loop = loop
        self._store = store
        self._signs = bool(journal.signs)
        self._checkpoint_ms = loop.now_ms() + CHECKPOINT_MS  # each start writes one by itself
        self._perform = perform
        self._fault = fault
        self._told: dict[str, bool] = {}
        self._dropped = self._first = 0  # readings: as far as is known, and before this crowd
        self._crowded_ms: int | None = None  # since when none was dropped; None: that was told

    def now(self) -> "Moment":
        """This instant, for a decision."""
        return self.time.moment(self._loop.now_ms())

    def start(self, now: "Moment") -> None:
        """The controller has started."""
        self._perform(self._host.start(now), now)

    def look(self, now: "Moment", up: bool, dropped: int = 0) -> None:
        """Time has passed; `up`: the broker is there, `dropped`: readings that found no room until now."""
        self._crowd(now, dropped)
        self.condition(alarm.CLOCK_FAULT, not now.trusted)
        self.condition(alarm.LINK_FAULT, self._config["link"]["enabled"] and not up)
        if self._signs and now.ms >= self._checkpoint_ms:
            self._checkpoint_ms = now.ms + CHECKPOINT_MS
            self._perform([record.make(record.CHECKPOINT, now.ms, None, None)], now)
        if self._host.look(now):
            self.take_rights()
            narrowed = self._host.narrowed
            self._fault("host", not narrowed, _SILENT if narrowed else "heard again")

    def _crowd(self, now: "Moment", dropped: int) -> None:
        """Readings were dropped: told with the first of them, and how many when no more are."""
        if dropped != self._dropped:
            if self._crowded_ms is None:
                self._first = self._dropped
                self._fault("inbox", False, "too many readings at once; some are dropped")
            self._dropped, self._crowded_ms = dropped, now.ms
        elif self._crowded_ms is not None and now.ms - self._crowded_ms >= CROWD_MS:
            self._crowded_ms = None
            self._fault("inbox", True, "%d readings were dropped" % (dropped - self._first))

    def take_rights(self) -> None:
        """Bring what decisions need of levels and hours up to what the store holds now."""
        self._site.rights = self._wiring.rights(self._store.rights(), self._host.narrowed)

    def host_heard(self) -> None:
        """The host, or where it keeps no count the broker, has acknowledged something."""
        now = self.now()
        kept = self._host.heard(now)
        if kept:
            self._perform(kept, now)

    def condition(self, kind: str, active: bool) -> None:
        """Something of the controller itself (an alarm class) is wrong, or right again."""
        if self._told.get(kind) != active:
            self._told[kind] = active
            now = self.now()
            self._perform(self._site.condition(CONTROLLER, kind, active, now), now)

    def set_clock(
        self, utc_ms: int, by: "str | None", first: "Callable[[], list[Any]] | None" = None
    ) -> None:
        """The owner says what time it is: believed against every other source and what was recorded.

        What `first` gives, once that is so, comes first in the same batch.
        """
        delta_ms = self.time.confirm(utc_ms)
        now = self.time.moment(self.time.read_at_ms)  # the very instant, which alone is trusted
        fields: dict[str, object] = {"delta_ms": delta_ms, "quality": self.time.quality(), "by": by}
        changed = record.make(record.CLOCK_CHANGED, now.ms, None, fields)
        before = first() if first is not None else []
        self._perform(before + [changed, Keep(LEAPT, None), Keep(FLOOR, None)], now)

    def floor(self, kept: "dict[str, Any]") -> "dict[str, object]":
        """What of the floor is to be kept with the next records, beside what is `kept` already."""
        if self.time.behind and kept.get(FLOOR) != self.time.floor_ms:
            return {FLOOR: self.time.floor_ms}
        return {}

    def _clock_stepped(self, delta_ms: int, quality: str) -> None:
        def tell() -> None:
            now = self.now()
            fields: dict[str, object] = {"delta_ms": delta_ms, "quality": quality}
            changed = record.make(record.CLOCK_CHANGED, now.ms, None, fields)
            self._perform([changed, Keep(LEAPT, self.time.lead_ms or None)], now)

        self._loop.call_at(self._loop.now_ms(), tell)


def _whole(kept: object) -> int:
    return kept if isinstance(kept, int) else 0


def _lead_ms(kept: object) -> int:
    """How far the clock had leapt before this start; older journals say only that it had."""
    return 2 * LEAP_MS if kept is True else max(0, _whole(kept))
