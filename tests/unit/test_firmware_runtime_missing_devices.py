"""`firmware.runtime.controller`: a device whose line cannot be had stops its own door and no other."""

from pathlib import Path
from typing import Any

import pytest

import hal.board
import hal.errors
from firmware.runtime import aio
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
    ) -> None:
        config = hal.board.load(board, override)
        self.building = Building(
            config, demo_people(START_MS // 1000, lambda utc_s: 28800), START_MS, 1
        )
        self.events: list[dict[str, Any]] = []
        self.building.machine.on_events = lambda events, at_ms: self.events.extend(events)
        if device is not None:
            self.building.lines.inputs([config["devices"][device][key]], False, "none")
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


@pytest.mark.parametrize("blind", [device("rex", "yard"), FIRE_LOOP])
def test_a_magnet_is_engaged_as_soon_as_fire_and_exit_are_read(
    blind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An input on an expander that was not there at the start."""
    there = False
    real = fake_lines._Inputs.levels

    def levels(inputs: Any) -> list[bool]:
        if inputs.names == (blind,) and not there:
            raise hal.errors.DeviceUnavailableError("expander: does not answer; expected it wired")
        return real(inputs)

    monkeypatch.setattr(fake_lines._Inputs, "levels", levels)
    house = House(None)
    house.run(3000)
    assert house.lock("yard") == "unlocked"
    there = True
    house.run(3000)
    assert house.lock("yard") == "locked"
    assert house.said("yard") == ("locked", "closed")


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
