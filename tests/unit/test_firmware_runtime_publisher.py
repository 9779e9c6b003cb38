"""`firmware.runtime.publisher`: what it says of the controller's health, and when it says that anew."""

from types import SimpleNamespace
from typing import Any

from firmware.access import alarm
from firmware.runtime.publisher import HEALTH_MS, Publisher

CONFIG: dict[str, Any] = {
    "controller": {"site": "s", "name": "c"},
    "link": {"host_ack": True},
    "access_points": {"front-in": {"reader": "front-reader"}},
    "portals": {},
    "devices": {},
    "alarms": {"points": {}},
    "cameras": {},
}


class Rig:
    """A publisher of a site without doors, and the healths that it said."""

    def __init__(self) -> None:
        self.site: Any = SimpleNamespace(portals={}, alarms=alarm.Register(1000, 0))
        self.quality = "trusted"
        self.journal = SimpleNamespace(
            waiting=lambda: 3, count=lambda: 40, on_written=None, name="", boot=0
        )
        transport = SimpleNamespace(up=False, on_up=None, on_down=None, publish=lambda *_: None)
        self.publisher = Publisher(CONFIG, self.journal, transport, SimpleNamespace())
        self.publisher.measure = lambda: {"disk": {"free_mb": 900, "ok": True}}
        self.said: list[dict[str, Any]] = []
        self.statuses: list[tuple[int, str, str]] = []
        self.publisher._retain = self._heard  # type: ignore[method-assign]

    def _heard(self, topic: str, body: dict[str, Any]) -> None:
        if topic == "health":
            self.said.append(body)
        if topic == "status":
            self.statuses.append((body["boot"], body["journal"], body["since"]))

    def look(self, now_ms: int) -> list[dict[str, Any]]:
        self.said.clear()
        time: Any = SimpleNamespace(quality=lambda: self.quality)
        self.publisher.conditions(self.site, time, now_ms)
        return list(self.said)


def test_health_names_every_part_with_ok() -> None:
    assert Rig().look(0) == [
        {
            "records": {"waiting": 3, "ok": True},
            "journal": {"count": 40, "ok": True},
            "clock": {"quality": "trusted", "ok": True},
            "readers": {"front-reader": {"ok": True}},
            "power": {"ok": True, "mains": True, "battery": True},
            "disk": {"free_mb": 900, "ok": True},
        }
    ]


def test_health_is_said_each_minute_and_at_once_when_an_ok_turns() -> None:
    rig = Rig()
    assert len(rig.look(0)) == 1
    assert rig.look(10) == []
    rig.site.alarms.raise_("mains", alarm.POWER_FAULT, 20, 50)
    assert [one["power"] for one in rig.look(20)] == [
        {"ok": False, "mains": False, "battery": True}
    ]
    rig.site.alarms.raise_("battery", alarm.BATTERY_LOW, 25, 50)
    rig.site.alarms.over("mains", alarm.POWER_FAULT, 30, 50)
    assert rig.look(30)[0]["power"] == {"ok": False, "mains": True, "battery": False}
    rig.site.alarms.over("battery", alarm.BATTERY_LOW, 40, 50)
    assert [one["power"]["ok"] for one in rig.look(40)] == [True]
    assert rig.look(39 + HEALTH_MS) == []
    assert len(rig.look(40 + HEALTH_MS)) == 1


def test_a_reader_the_clock_and_the_disk_are_told_apart() -> None:
    for point, kind, quality, part in (
        ("front-reader", alarm.READER_FAULT, "trusted", "readers"),
        ("controller", alarm.STORAGE_FAULT, "trusted", "journal"),
        ("controller", alarm.LINK_FAULT, "untrusted", "clock"),
    ):
        rig = Rig()
        rig.look(0)
        rig.quality = quality
        rig.site.alarms.raise_(point, kind, 10, 50)
        (health,) = rig.look(10)
        readers_ok = health["readers"]["front-reader"]["ok"]
        oks = {"readers": readers_ok, **{name: health[name]["ok"] for name in ("journal", "clock")}}
        assert [name for name in oks if not oks[name]] == [part]


def test_another_set_of_keys_and_a_store_that_fails_are_said_at_once_and_a_count_is_not() -> None:
    rig = Rig()
    rig.publisher.held = lambda: (7, 2, True)
    (health,) = rig.look(0)
    assert health["credentials"] == {"count": 7, "version": 2, "ok": True}
    rig.publisher.held = lambda: (8, 2, True)
    assert rig.look(10) == []
    rig.publisher.held = lambda: (9, 3, True)
    assert [one["credentials"] for one in rig.look(20)] == [{"count": 9, "version": 3, "ok": True}]
    assert rig.look(30) == []
    rig.publisher.held = lambda: (9, 3, False)
    assert [one["credentials"]["ok"] for one in rig.look(40)] == [False]
    assert rig.look(39 + HEALTH_MS) == []
    assert len(rig.look(40 + HEALTH_MS)) == 1


def test_a_journal_that_is_opened_late_or_begun_anew_is_in_the_status_at_once() -> None:
    rig = Rig()
    rig.look(0)
    assert rig.statuses == [], "nothing is said before the start"
    since = "2026-11-21T08:00:00.000Z"
    rig.publisher.start(since)
    rig.look(10)
    assert rig.statuses == [(0, "", since)]
    for boot, name in ((2, "0f696c60"), (2, "1a2b3c4d")):
        rig.journal.boot, rig.journal.name = boot, name
        rig.look(20)
        rig.look(30)
        assert rig.statuses[1:] == [(boot, name, since)]
        del rig.statuses[1:]
