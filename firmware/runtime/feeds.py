"""From a device to the door's inbox: one task a source, woken by its descriptor, its call or its timer."""

from collections import namedtuple

from firmware.runtime import aio
from firmware.runtime.causes import Causes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: Something for the door to handle.
#: kind   str  "reading" (data: a driver's reading of device `name`), "found", "durable"
#: name   str  device or access point
#: data        what the kind says
Input = namedtuple("Input", ("kind", "name", "data"))

READING = "reading"
FOUND = "found"

STIR_MS = 100
LOOK_MS = (
    5000  #: a source is asked this often even if nothing wakes anybody: a lost wake-up mends itself
)
#: A feed that has not gone round for so long hangs. It goes round every LOOK_MS + SAY_MS at least, and a
#: hung one must be back within 10 s: an exit hangs on it.
ALIVE_MS = 8000
SAY_MS = 1000  #: it says no more often that it goes round
POLL_MS = 20  #: for a source that can wake nobody (RPi.GPIO, a pin without interrupts)
INBOX_LIMIT = 256  #: readings that may wait; a card beyond them is dropped, an input never


class Inbox:
    """What waits to be handled. Inputs that may free or fail a door are never dropped."""

    def __init__(self) -> None:
        self._queue = aio.Queue()
        #: int  readings that may wait
        self.limit = INBOX_LIMIT
        #: int  readings dropped because the door was too busy
        self.dropped = 0
        self._asked = False  # the door sleeps

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, item: "Input") -> None:
        """Add `item`."""
        droppable = item.kind == READING and item.data.kind in ("bits", "line")
        if droppable and len(self._queue) >= self.limit:
            self.dropped += 1
            return
        self._queue.put_nowait(item)

    async def get(self, ms: "int | None", loop: aio.Loop) -> "Input | None":
        """The oldest item; None after `ms` without one, or when stirred."""
        self._asked = True
        try:
            item: Input | None = await self._queue.get(ms, loop)
        except aio.TimedOut:
            return None
        finally:
            self._asked = False
        return item

    def stir(self) -> None:
        """Something else than an input may be due sooner than the door thought when it went to sleep."""
        if self._asked and not len(self._queue):
            self._queue.put_nowait(None)

    def get_nowait(self) -> "Input | None":
        """The oldest item, or None."""
        return self._queue.get_nowait() if len(self._queue) else None


async def feed(
    name: str,
    driver: "Any",
    inbox: Inbox,
    loop: aio.Loop,
    stirred: "Callable[[], None] | None" = None,
    alive: "Callable[[], None] | None" = None,
) -> None:
    """Hand over every reading of device `name`, for ever, and a LOST more when it is gone for another cause.

    `stirred` is told when something begins to come, `STIR_MS` after the last time at the earliest: a
    frame takes some 20 ms to arrive, and whoever is asked about it next can be awake by then.
    `alive` is told at least every `LOOK_MS` and `SAY_MS` together.
    """
    told_ms = loop.now_ms() - STIR_MS
    said_ms = loop.now_ms() - SAY_MS
    came = aio.Event()
    causes = Causes()
    source = driver.source
    source.ready = came.set
    watched = -1
    try:
        while True:
            now_ms = loop.now_ms()
            if stirred is not None and came.is_set() and now_ms - told_ms >= STIR_MS:
                told_ms = now_ms
                stirred()
            came.clear()
            for reading in driver.poll(now_ms):
                causes.heard(reading, getattr(driver, "problem", ""))
                inbox.put(Input(READING, name, reading))
            other = causes.changed(getattr(driver, "problem", ""), now_ms)
            if other is not None:
                inbox.put(Input(READING, name, other))
            watched = _watch(loop, source, watched, came)
            if alive is not None and now_ms - said_ms >= SAY_MS:
                said_ms = now_ms
                alive()
            woken = watched >= 0 or getattr(source, "wakes", False)
            wait_ms = LOOK_MS if woken else POLL_MS
            if driver.deadline_ms is not None:
                wait_ms = min(wait_ms, max(0, driver.deadline_ms - loop.now_ms()))
            await came.wait(wait_ms)
    finally:
        source.ready = None
        if watched >= 0:
            loop.waiter.remove_reader(watched)


def _watch(loop: aio.Loop, source: "Any", watched: int, came: aio.Event) -> int:
    """Have the loop wait on the source's descriptor, which changes when a device comes back."""
    fd: int = source.fileno()
    if fd != watched:
        if watched >= 0:
            loop.waiter.remove_reader(watched)
        if fd >= 0:
            loop.waiter.add_reader(fd, came.set)
    return fd
