"""`firmware.runtime.controller`: a device whose line cannot be had stops its own door and no other."""

from pathlib import Path
from typing import Any

import pytest

import hal.board
import hal.errors
from firmware.runtime import aio
from firmware.runtime.inputs import Inputs
from firmware.runtime.operations import Operations
from sim import fake_lines
from sim.person import demo_people
from sim.virtual import Building

START_MS = 1795248000000
BOARD = str(Path(__file__).parents[2] / "board_configs/demo-sim.toml")


class House:
    """The demo building, of whose lines somebody else has those of `device`."""

    def __init__(
        self,
        device: str | None,
        key: str = "line",
        override: dict[str, Any] | None = None,
        board: str = BOARD,
        burning: bool = False,
    ) -> None:
        config = hal.board.load(board, override)
        self.building = Building(
            config, demo_people(START_MS // 1000, lambda utc_s: 28800), START_MS, 1
        )
        self.events: list[dict[str, Any]] = []
        self.building.machine.on_events = lambda events, at_ms: self.events.extend(events)
        if device is not None:
            self.building.lines.inputs([config["devices"][device][key]], False, "none")
        if burning:
            self.building.lines.drive("fire-loop", True)
        self.building.start()

    def run(self, ms: int) -> None:
        self.building.loop.run(aio.sleep_ms(ms))

    def of(self, type: str, *keys: str) -> list[tuple[Any, ...]]:
        found = [event for event in self.events if event["type"] == type]
        return [tuple([event.get(key) for key in keys]) for event in found]

    def tap(self, access_point: str) -> None:
        self.building.world.act("present_card", access_point=access_point, person="resident")
        self.run(600)

    def release(self, portal: str) -> tuple[bool, Any]:
        """What an operator is told who releases `portal` from afar."""
        controller = self.building.machine.controller
        assert controller is not None
        answers: list[tuple[bool, Any]] = []

        def note(ok: bool, answer: Any) -> list[Any]:
            answers.append((ok, answer))
            return []

        Operations(controller).run("portal.release", {"portal": portal}, "op-ling", note)
        self.run(600)
        (answer,) = answers
        return answer

    def said(self, portal: str) -> tuple[str, str]:
        """Lock and door of `portal` as the broker has them."""
        controller = self.building.machine.controller
        assert controller is not None
        seen = controller.publisher._said["portal/" + portal]
        assert isinstance(seen, tuple)
        return seen[1], seen[2]

    def lock(self, portal: str) -> Any:
        return self.building.world.snapshot()["portals"][portal]["lock"]


def device(role: str, at: str) -> str:
    return str(hal.board.load(BOARD)["portals"][at][role])


def test_a_lock_whose_line_is_busy_is_a_fault_and_an_alarm_and_the_other_door_works() -> None:
    strike = device("lock", "front")
    house = House(strike)
    house.run(2000)
    ((part, text),) = house.of("system.fault", "part", "text")
    assert part == strike
    assert "in use; expected" in text
    assert house.of("alarm.raised", "class", "point") == [("lock_fault", strike)]
    assert (house.said("front"), house.said("yard")) == (("fault", "closed"), ("locked", "closed"))
    house.tap("yard-in")
    assert house.lock("yard") == "unlocked"
    house.tap("front-in")
    assert house.lock("front") == "locked"
    assert house.building.machine.deciding


def test_a_release_from_afar_that_no_lock_can_follow_is_refused_and_says_why() -> None:
    house = House(device("lock", "front"))
    house.run(2000)
    assert house.release("front") == (False, ("failed", "lock_fault"))
    assert house.release("yard") == (True, {"done": "released"})
    assert house.of("portal.released", "portal") == [("yard",)]


def test_a_reader_whose_line_is_busy_is_an_alarm_of_its_own() -> None:
    config = hal.board.load(BOARD)
    reader = str(config["access_points"]["front-in"]["reader"])
    house = House(reader, "d0")
    house.run(2000)
    assert house.of("system.fault", "part") == [(reader,)]
    assert house.of("alarm.raised", "class", "point") == [("reader_fault", reader)]
    house.tap("yard-in")
    assert house.lock("yard") == "unlocked"


def test_a_strikes_exit_whose_line_is_busy_opens_nothing_and_is_an_alarm() -> None:
    name = device("rex", "front")
    house = House(name)
    house.run(2000)
    assert house.of("alarm.raised", "class", "point") == [("reader_fault", name)]
    assert house.of("portal.released", "portal") == []
    assert {house.lock("front"), house.lock("yard")} == {"locked"}


FIRE_LOOP = "fire-loop"


@pytest.mark.parametrize("blind", [device("rex", "yard"), FIRE_LOOP])
def test_a_magnet_is_not_engaged_where_fire_or_exit_cannot_be_read(blind: str) -> None:
    """Law 1; and it is told, as a lock that does not move and an input that is lost."""
    assert hal.board.load(BOARD)["alarms"]["points"]["fire"]["input"] == FIRE_LOOP
    house = House(blind)
    house.run(2000)
    magnet = device("lock", "yard")
    assert sorted(house.of("alarm.raised", "class", "point")) == [
        ("lock_fault", magnet),
        ("reader_fault", blind),
    ]
    said = f"stays without current: {blind} was never read; expected that before it is engaged"
    assert (magnet, said) in house.of("system.fault", "part", "text")
    assert (house.lock("front"), house.lock("yard")) == ("locked", "unlocked")
    assert house.said("yard")[0] == "fault"
    assert house.of("portal.released", "portal") == []


class Away:
    """A line on an expander that does not answer while `away`; what moves meanwhile wakes nobody."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, line: str, away: bool = True) -> None:
        self.away = away
        for method in ("levels", "take"):
            monkeypatch.setattr(fake_lines._Inputs, method, self._instead(line, method))

    def _instead(self, line: str, method: str) -> Any:
        real = getattr(fake_lines._Inputs, method)

        def asked(inputs: Any) -> Any:
            if inputs.names == (line,) and self.away:
                raise hal.errors.DeviceUnavailableError("expander: gone; expected it wired")
            return real(inputs)

        return asked


def magnets(house: House) -> list[bool | None]:
    """What the yard's magnet is told from now on: True is current."""
    told: list[bool | None] = []
    line = hal.board.load(BOARD)["devices"][device("lock", "yard")]["line"]

    def put(name: str, high: bool | None) -> None:
        if name == line:
            told.append(high)

    house.building.lines.on_output = put
    return told


@pytest.mark.parametrize("blind", [device("rex", "yard"), FIRE_LOOP])
def test_a_magnet_is_engaged_as_soon_as_fire_and_exit_are_read(
    blind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Away(monkeypatch, blind)
    house = House(None)
    house.run(3000)
    assert house.lock("yard") == "unlocked"
    away.away = False
    house.run(3000)
    assert house.lock("yard") == "locked"
    assert house.said("yard") == ("locked", "closed")


@pytest.mark.parametrize(("blind", "level"), [(device("rex", "yard"), False), (FIRE_LOOP, True)])
def test_a_magnet_is_not_engaged_for_a_moment_where_what_comes_back_releases_it(
    blind: str, level: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody presses the exit, or it burns, when the line answers at last."""
    away = Away(monkeypatch, blind)
    house = House(None)
    house.run(3000)
    told = magnets(house)
    house.building.lines.drive(blind, level)
    away.away = False
    house.run(3000)
    assert [cause for _, cause in house.of("portal.released", "portal", "cause")][-1:] == [
        "fire" if blind == FIRE_LOOP else "rex"
    ]
    assert True not in told


def test_a_fire_that_burns_while_the_one_reading_at_the_start_fails_is_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The line answered when it was claimed, and not when it was to say how it stands."""
    away = Away(monkeypatch, FIRE_LOOP, away=False)
    real = Inputs.look

    def look(inputs: Inputs) -> dict[str, bool]:
        away.away = True
        found = real(inputs)
        away.away = False
        return found

    monkeypatch.setattr(Inputs, "look", look)
    house = House(None, burning=True)
    told = magnets(house)
    house.run(3000)
    assert "fire" in [kind for (kind,) in house.of("alarm.raised", "class")]
    assert True not in told


def test_a_blind_magnet_that_is_released_and_locked_again_is_one_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    away = Away(monkeypatch, FIRE_LOOP)
    house = House(None)
    house.run(2000)
    house.tap("yard-in")
    house.run(20_000)
    magnet = device("lock", "yard")
    assert [part for (part,) in house.of("system.fault", "part")].count(magnet) == 1
    assert house.of("system.recovered", "part") == []
    away.away = False
    house.run(3000)
    assert (magnet,) in house.of("system.recovered", "part")


def test_an_output_that_is_no_lock_is_a_fault_and_no_alarm() -> None:
    siren = str(hal.board.load(BOARD)["alarms"]["siren"])
    house = House(siren)
    house.run(2000)
    assert house.of("system.fault", "part") == [(siren,)]
    assert house.of("alarm.raised", "class") == []


def test_a_lock_without_a_bolt_contact_that_cannot_be_driven_is_told_as_a_fault(
    tmp_path: Path,
) -> None:
    path = tmp_path / "house.toml"
    text = Path(BOARD).read_text(encoding="utf-8")
    text = text.replace('bond = "front-bolt"\n', "", 1)
    before, _, after = text.partition("[devices.front-bolt]\n")
    path.write_text(before + after[after.index("[") :], encoding="utf-8")
    house = House(device("lock", "front"), board=str(path))
    house.run(2000)
    assert (house.said("front")[0], house.said("yard")[0]) == ("fault", "locked")


PLAIN = {"devices.front-contact": {"driver": "contact", "line": "front-contact"}}


def test_a_door_whose_contact_is_busy_is_unknown_and_not_closed() -> None:
    house = House("front-contact", override=PLAIN)
    house.run(2000)
    assert house.of("alarm.raised", "class", "point") == [("reader_fault", "front-contact")]
    assert (house.said("front"), house.said("yard")) == (
        ("locked", "unknown"),
        ("locked", "closed"),
    )
    house.tap("front-in")
    assert house.lock("front") == "unlocked"


def test_a_door_whose_contact_is_lost_is_unknown_until_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house = House(None, override=PLAIN)
    house.run(1000)
    assert house.said("front") == ("locked", "closed")
    controller = house.building.machine.controller
    assert controller is not None
    inputs = controller._devices["front-contact"].source

    def gone() -> list[Any]:
        raise hal.errors.DeviceUnavailableError("front-contact: pulled off")

    with monkeypatch.context() as patch:
        patch.setattr(inputs, "take", gone)
        patch.setattr(inputs, "levels", gone)
        house.run(7000)
        assert house.said("front") == ("locked", "unknown")
    house.run(7000)
    assert house.said("front") == ("locked", "closed")
    assert house.of("portal.opened", "portal") == house.of("alarm.raised", "class")[1:] == []
