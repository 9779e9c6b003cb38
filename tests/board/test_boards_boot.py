"""Every shipped board boots in the simulator, in virtual time and for real; a card opens each portal.

The simulator stands in for pins, serial lines, network and broker: a config's own broker, TLS and
certificates are not used there.
"""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import hal.board
from firmware.runtime import aio
from sim import person
from sim.virtual import Building

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "board_configs").glob("*.toml"))
START_MS = 1_795_248_000_000  # 2026-11-21T08:00:00Z
PATIENCE_S = 60
PINS = {"resident": "2580"}

each_board = pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])


def _way_in(config: dict[str, Any], portal: str) -> str:
    """An access point of `portal`."""
    points = config["access_points"]
    return next(str(name) for name in sorted(points) if points[name]["portal"] == portal)


def _people(config: dict[str, Any], access_point: str) -> list[str]:
    """Who has to show a card there for its portal to open: two, where two are asked for."""
    two = config["access_points"][access_point]["two_person"] != "off"
    return ["resident", "manager"] if two else ["resident"]


# ---- in virtual time -------------------------------------------------------------------------------


class _Told:
    """One building that has booted, and what it recorded."""

    def __init__(self, path: Path) -> None:
        self.config = hal.board.load(str(path))
        self.people = person.people(self.config, START_MS, [])
        self.house = Building(self.config, self.people, START_MS, 1)
        self.events: list[dict[str, Any]] = []
        self.house.machine.on_events = lambda events, at_ms: self.events.extend(events)
        self.house.start()

    def run(self, ms: int) -> None:
        self.house.loop.run(aio.sleep_ms(ms))

    def types(self, **fields: Any) -> list[str]:
        return [
            event["type"]
            for event in self.events
            if all(event.get(key) == value for key, value in fields.items())
        ]


@pytest.fixture(params=SHIPPED, ids=[path.stem for path in SHIPPED])
def told(request: pytest.FixtureRequest) -> Iterator[_Told]:
    """Each board, booted in virtual time."""
    one = _Told(request.param)
    yield one
    one.house.parts.close()


def test_a_board_boots_to_a_world_that_decides_with_nothing_wrong(told: _Told) -> None:
    assert told.house.machine.deciding
    assert told.types() == ["system.journal_started", "system.started"]
    for name in told.config["portals"]:
        assert told.house.machine.condition(name) == ("locked", "normal")
        assert told.house.world.snapshot()["portals"][name]["lock"] == "locked"


def test_a_card_opens_each_portal_and_the_door_is_taken(told: _Told) -> None:
    for portal in sorted(told.config["portals"]):
        name = _way_in(told.config, portal)
        people = _people(told.config, name)
        for one in people:
            told.house.world.act("present_card", access_point=name, person=one)
            told.run(400)
        granted = ["access.granted"] * len(people)
        assert told.types(portal=portal) == [*granted, "portal.released"]
        assert told.house.world.snapshot()["portals"][portal]["lock"] == "unlocked"
        told.house.world.act("walk_through", portal=portal)
        told.run(8000)
        assert "access.taken" in told.types(portal=portal)
        assert told.house.world.snapshot()["portals"][portal]["lock"] == "locked"


def test_a_stranger_is_refused_at_each_portal(told: _Told) -> None:
    for portal in sorted(told.config["portals"]):
        name = _way_in(told.config, portal)
        told.house.world.act("present_card", access_point=name, number="w34:1234567890")
        told.run(400)
        assert told.types(portal=portal) == ["access.denied"]
        assert told.house.world.snapshot()["portals"][portal]["lock"] == "locked"


def test_people_get_out_of_each_portal_with_power_and_without(told: _Told) -> None:
    world = told.house.world
    for power in (True, False):
        if not power:
            world.act("cut_power")
            told.run(100)
        for portal in sorted(told.config["portals"]):
            world.act("leave", portal=portal)
            told.run(400)
            assert world.snapshot()["portals"][portal]["door"] == "open", (portal, power)
            told.run(40000)
    assert "alarm.raised" not in told.types()


def test_a_board_comes_back_from_a_power_cut(told: _Told) -> None:
    told.house.world.act("cut_power")
    told.run(1000)
    told.house.world.act("restore_power")
    told.run(3000)
    assert told.house.machine.deciding
    for portal in sorted(told.config["portals"]):
        assert told.house.world.snapshot()["portals"][portal]["lock"] == "locked"
    assert "system.fault" not in told.types()


# ---- for real --------------------------------------------------------------------------------------


@contextmanager
def _serving(path: Path, state: Path) -> Iterator[str]:
    """`sim serve` on this board; the address of its page."""
    command = [sys.executable, "-m", "sim", "serve", "--board", str(path), "--state", str(state)]
    process = subprocess.Popen(
        [*command, "--port", "0", "--mqtt-port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        found = None
        for line in process.stdout:
            found = re.match(r"Page: +(http://\S+)", line)
            if found:
                break
        assert found, f"the simulator ended with {process.wait(PATIENCE_S)}"
        yield found[1]
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(PATIENCE_S)
        if process.stdout is not None:
            process.stdout.close()
    assert code == 0


def _ask(url: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(url, data, timeout=PATIENCE_S) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def _event(url: str, type: str, portal: str) -> dict[str, Any]:
    """The first such event, as the page gets it: it has been over the real broker."""
    until = time.monotonic() + PATIENCE_S
    with urllib.request.urlopen(f"{url}api/events?after_seq=0", timeout=PATIENCE_S) as answer:
        for raw in answer:
            if time.monotonic() > until:
                break
            if raw.startswith(b"data: "):
                event: dict[str, Any] = json.loads(raw.removeprefix(b"data: "))
                if event.get("type") == type and event.get("portal") == portal:
                    return event
    raise AssertionError(f"no {type} of {portal}")


def _led_turns(url: str, access_point: str) -> None:
    """The reader has taken the card: its light says granted, or asks for the PIN."""
    until = time.monotonic() + PATIENCE_S
    while _ask(url + "api/world")["access_points"][access_point]["led"] == "red":
        assert time.monotonic() < until, "the reader says nothing"
        time.sleep(0.05)


@each_board
def test_a_board_boots_for_real_and_a_card_opens_each_portal(path: Path, tmp_path: Path) -> None:
    config = hal.board.load(str(path))
    with _serving(path, tmp_path / "state") as url:
        world = _ask(url + "api/world")
        assert world["power"] is True
        assert set(world["portals"]) == set(config["portals"])
        assert {portal["mode"] for portal in world["portals"].values()} == {"locked"}
        assert world["alarms"] == []
        for portal in sorted(config["portals"]):
            name = _way_in(config, portal)
            for one in _people(config, name):
                act = {"do": "present_card", "access_point": name, "person": one}
                assert _ask(url + "api/act", act) == {"ok": True}
                if config["access_points"][name]["verification_at"]:  # at some hours a PIN as well
                    _led_turns(url, name)
                    act = {"do": "enter_pin", "access_point": name, "digits": PINS[one] + "#"}
                    assert _ask(url + "api/act", act) == {"ok": True}
            assert _event(url, "access.granted", portal)["credential"] == 1001
            assert _event(url, "portal.released", portal)["cause"] == "credential"
            if any(portal in one["portals"] for one in config["interlocks"].values()):
                _event(
                    url, "portal.secured", portal
                )  # until then the others of its group stay shut
