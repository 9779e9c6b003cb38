"""`firmware.runtime.effects`: what is done first of what the core answers, and that nothing of it is lost."""

from typing import Any

import pytest

from firmware.access import access_point, record
from firmware.access.credential import Moment
from firmware.access.secret import Secret
from firmware.runtime import aio, feeds
from firmware.runtime.effects import BUSY_MS, SOON_MS, Effects

NOW = Moment(1000, 1795248000, 1795276800, True)
RELEASED = record.make(record.PORTAL_RELEASED, 1000, "front", {"cause": record.REX})


class Parts:
    """Whatever effects are done with; each says what it was asked, in order."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.waits = False
        self.broken = False
        self.kept: dict[str, Any] = {}
        self.on_kept: tuple[Any, ...] = ()
        self.on_keep: Any = None
        self.clock = aio.VirtualClock(1000)
        self.loop = aio.Loop(self.clock, aio.JumpWaiter(self.clock))
        self.inbox = feeds.Inbox()
        some: Any = self
        self.time = some
        self.effects = Effects(some, some, some, some, some, some, self.inbox, self.loop)
        self.effects.on_record = lambda made: self.said.append(f"made {made.type}")

    def let_out(self, site: object, now_ms: int) -> None:
        self.said.append("let out")
        if self.broken:
            raise RuntimeError("a driver with a fault in it")

    def apply(self, site: object, batch: object, now_ms: int) -> None:
        self.said.append("apply")

    def append(self, batch: Any, done: Any) -> None:
        self.said.append(f"write {len(batch.events)}")

    def find(self, lookup: Any, done: Any) -> None:
        self.said.append("look up")
        done(None)

    def conditions(self, site: object, time: object, now_ms: int) -> None:
        self.said.append(f"tell at {now_ms}")

    def floor(self, kept: object) -> dict[str, object]:
        return {}

    def heed(self, key: str, value: object) -> None:
        self.said.append(f"heed {key}")

    def quality(self) -> str:
        return "trusted"

    def utc_ms_at(self, at_ms: int) -> int:
        return 1795248000000 + at_ms

    def run(self, ms: int) -> None:
        self.loop.run(aio.sleep_ms(ms))


def test_a_lock_that_waits_for_nothing_is_driven_before_anything_is_written() -> None:
    parts = Parts()
    parts.effects.perform([RELEASED], NOW)
    assert parts.said == ["made portal.released", "let out", "write 1", "apply"]


def test_a_driver_with_a_fault_in_it_costs_no_record() -> None:
    parts = Parts()
    parts.broken = True
    with pytest.raises(RuntimeError):
        parts.effects.perform([RELEASED], NOW)
    assert parts.said == ["made portal.released", "let out", "write 1"]


def test_a_look_up_alone_leaves_at_once_and_changes_nothing() -> None:
    parts = Parts()
    asked = access_point.Lookup("front-in", access_point.CARD, Secret("w26:001:00002"))
    parts.effects.perform([asked], NOW)
    parts.run(1000)
    assert parts.said == ["look up"]
    assert parts.inbox.get_nowait() == feeds.Input(
        feeds.FOUND, "front-in", (access_point.CARD, None)
    )


def test_the_broker_is_told_soon_but_not_while_a_door_waits_for_its_record() -> None:
    parts = Parts()
    parts.waits = True
    parts.effects.perform([RELEASED], NOW)
    parts.run(SOON_MS + 2 * BUSY_MS - 1)
    assert [word for word in parts.said if word.startswith("tell")] == []
    parts.waits = False
    parts.run(BUSY_MS)
    assert [word for word in parts.said if word.startswith("tell")] == [
        f"tell at {1000 + SOON_MS + 2 * BUSY_MS}"
    ]


def test_what_is_kept_without_a_record_is_written_and_heeded() -> None:
    parts = Parts()
    parts.effects.perform([access_point.Keep("mode/front", ["locked", "command"])], NOW)
    assert parts.said == ["let out", "heed mode/front", "write 0", "apply"]
    assert parts.effects.kept == {"mode/front": ["locked", "command"]}
