"""`config.apply` in the simulator: kept by the program's own rules, in force after a start, same building."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hal.board
from firmware.runtime import aio
from firmware.services import board_files
from sim.person import demo_people
from sim.sent_config import GIVEN, SentConfig
from sim.virtual import Building

BOARD = Path("board_configs/demo-sim.toml")
TEXT = BOARD.read_text()
SHORTER = TEXT.replace("release_ms = 5000", "release_ms = 2000", 1)
START_MS = 1_795_248_000_000


def _sent(folder: Path) -> SentConfig:
    return SentConfig(hal.board.load(str(BOARD)), str(folder))


def _release_ms(sent: SentConfig) -> int:
    return int(sent.config["portals"]["front"]["release_ms"])


def test_what_was_sent_is_on_trial_at_the_next_start_and_lasts_once_it_decides(
    tmp_path: Path,
) -> None:
    sent = _sent(tmp_path)
    assert sent.choose() == []
    assert sent.offer(SHORTER) == ""
    assert _release_ms(sent) == 5000
    assert sent.choose() == []
    assert _release_ms(sent) == 2000
    assert sent.keep()
    assert not sent.keep()
    another = _sent(tmp_path)  # the simulator itself is started again
    assert another.choose() == []
    assert _release_ms(another) == 2000
    assert not another.keep()


def test_one_that_never_decides_is_dropped_after_its_tries(tmp_path: Path) -> None:
    sent = _sent(tmp_path)
    sent.offer(SHORTER)
    for _ in range(2):
        assert sent.choose() == []
        assert _release_ms(sent) == 2000
    assert sent.choose() == ["config: did not start 2 times; the one before is used"]
    assert _release_ms(sent) == 5000


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda text: text.replace('line = "strike"', 'line = "other"', 1), "devices.front-strike"),
        (lambda text: text.replace("release_ms = 5000", "egress_ms = 9000", 1), "portals.front"),
        (lambda text: text.replace('"Asia/Shanghai"', '"Europe/Paris"'), "controller.timezone"),
        (lambda text: text.replace("front-in", "front-out"), "access_points.front-in"),
    ],
)
def test_another_building_is_refused_with_what_differs(
    change: Callable[[str], str], part: str, tmp_path: Path
) -> None:
    sent = _sent(tmp_path)
    text = change(TEXT)
    assert text != TEXT
    problem = sent.offer(text)
    assert problem.startswith(f"{part}: differs; expected as the simulated building was built")
    assert sent.choose() == []
    assert sent.config["portals"] == hal.board.load(str(BOARD))["portals"]


def test_a_config_that_is_wrong_is_refused_with_all_that_is_wrong(tmp_path: Path) -> None:
    wrong = TEXT.replace("release_ms = 5000", 'release_ms = "long"', 1).replace("rtc = true", "")
    problem = _sent(tmp_path).offer(wrong.replace("schema = 1", "schema = 7"))
    assert "release_ms" in problem
    assert "schema" in problem
    assert "\n" not in problem


def test_its_cable_stays_the_simulators(tmp_path: Path) -> None:
    given = hal.board.load(str(BOARD))
    given["link"]["port"] = 4711
    sent = SentConfig(given, str(tmp_path))
    assert sent.offer(SHORTER) == ""
    sent.choose()
    assert sent.config["link"]["port"] == 4711


def test_a_folder_of_another_building_is_told_and_not_used(tmp_path: Path) -> None:
    (tmp_path / "board.toml").write_text(TEXT.replace('line = "strike"', 'line = "other"', 1))
    (problem,) = _sent(tmp_path).choose()
    assert "devices.front-strike: differs" in problem
    assert problem.endswith(f"{GIVEN} is used")


class House:
    """The demo building in virtual time."""

    def __init__(self) -> None:
        people = demo_people(START_MS // 1000, lambda utc_s: 28800)
        self.building = Building(hal.board.load(str(BOARD)), people, START_MS, 1)
        self.building.start()
        self.events: list[dict[str, Any]] = []
        self.building.machine.on_events = lambda events, at_ms: self.events.extend(events)

    def run(self, ms: int) -> None:
        self.building.loop.run(aio.sleep_ms(ms))

    def send(self, op: str, args: dict[str, Any]) -> None:
        self.building.world.perform("command", {"op": op, "args": args})

    def told(self, type: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == type]

    def released_ms(self) -> int:
        """How long the front door's strike has current after the resident's card."""
        at = self.building.clock.now_ms
        self.building.world.perform(
            "present_card", {"access_point": "front-in", "person": "resident"}
        )
        began = ended = None
        for _ in range(800):
            self.run(10)
            lock = self.building.world.snapshot()["portals"]["front"]["lock"]
            began = at() if began is None and lock == "unlocked" else began
            if began is not None and lock == "locked":
                ended = at()
                break
        assert began is not None, lock
        assert ended is not None
        return ended - began


def test_by_command_the_controller_starts_anew_and_decides_by_what_was_sent() -> None:
    house = House()
    assert 4900 <= house.released_ms() <= 5100
    house.send("config.apply", {"config": SHORTER})
    house.run(10_000)
    assert len(house.told("system.stopping")) == 1
    assert [event["text"] for event in house.told("system.recovered")] == [
        "the config that was sent is in use from now on"
    ]
    assert 1900 <= house.released_ms() <= 2100
    house.building.world.perform("cut_power", {})
    house.building.world.perform("restore_power", {})
    house.run(10_000)
    assert 1900 <= house.released_ms() <= 2100
    assert len(house.told("command.accepted")) == 1


def test_one_that_cannot_be_kept_is_told_and_the_door_decides_by_it_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house = House()

    def keep(folder: str) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(board_files, "keep", keep)
    house.send("config.apply", {"config": SHORTER})
    house.run(10_000)
    (fault,) = house.told("system.fault")
    assert fault["text"] == "config: cannot be kept (read-only file system); it is tried again"
    assert 1900 <= house.released_ms() <= 2100


def test_by_command_one_that_is_wrong_is_refused_and_nothing_starts_anew() -> None:
    house = House()
    house.send("config.apply", {"config": "nothing of the kind"})
    house.run(10_000)
    (refused,) = house.told("command.rejected")
    assert (refused["op"], refused["reason"]) == ("config.apply", "failed")
    assert house.told("system.stopping") == []
