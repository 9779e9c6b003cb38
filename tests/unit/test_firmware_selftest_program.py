"""`firmware.selftest_program`: the whole walk over the real drivers, in virtual time."""

import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from selftest_house import BOARD, CARD, House

from firmware.services.selftest_words import WORDS
from firmware.trust import signing
from hal import board_tests
from hal.errors import DeviceUnavailableError, LineBusyError

LOOK_MS = 10


class Watched(House):
    """A house whose locks are watched from outside; ``levels`` is (at_ms, line, high)."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.levels: list[tuple[int, str, bool | None]] = []
        told = self.lines.on_output

        def changed(line: str, high: bool | None) -> None:
            if line in ("strike", "magnet"):
                self.levels.append((self.loop.now_ms(), line, high))
            if told is not None:
                told(line, high)

        self.lines.on_output = changed

    def on_for_ms(self, line: str) -> list[int]:
        """How long each pulse of `line` was."""
        found, since = [], None
        for at_ms, name, high in self.levels:
            if name == line and high and since is None:
                since = at_ms
            elif name == line and not high and since is not None:
                found.append(at_ms - since)
                since = None
        assert since is None, f"{line} is still driven"
        return found


def test_a_house_in_which_everything_works_leaves_a_signed_record_of_every_step(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    assert house.run() == 0
    (record,) = house.records()
    assert signing.is_signed(record, signing.key_bytes(record["public_key"]))
    tests = board_tests.tests(house.config)
    assert [step["says"] for step in record["steps"]] == [
        board_tests.sentence(house.config, one, "en") for one in tests
    ]
    assert record["ok"]
    assert house.outcomes() == {}
    assert (record["site"], record["controller"]) == ("sunrise", "c-01")
    assert (record["by"], record["clock"]) == ("Li Wei", "trusted")
    assert record["config"]["file"] == "demo-sim.toml"
    assert (tmp_path / "commissioning-2026-11-21.json").stat().st_mode & 0o077 == 0
    assert not (tmp_path / "commissioning.part").exists()
    assert "All 33 steps are right." in house.said


def test_a_changed_record_is_no_longer_signed(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.run()
    (record,) = house.records()
    record["steps"][3]["outcome"] = "failed"
    assert not signing.is_signed(record, signing.key_bytes(record["public_key"]))


def test_what_can_be_measured_is_measured(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.run()
    steps = {(s["device"], s["kind"]): s["measured"] for s in house.records()[0]["steps"]}
    assert steps["front-contact", "contact"]["permille"].keys() == {"open", "closed"}
    assert 290 < steps["yard-exit", "rex"]["between_ms"] < 320  # the world presses for 300 ms
    assert 0 < steps["front-bolt", "bond"]["frees_ms"] <= 200
    assert 0 <= steps["fire-loop", "fire"]["free_ms"] <= 100  # law 1
    assert steps["front-reader", "card"] == {"form": "w26", "bad_frames": 0}


def test_a_card_shows_its_end_and_leaves_no_number(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.run()
    number = CARD.rpartition(":")[2]
    everything = "\n".join(house.said) + (tmp_path / "commissioning-2026-11-21.json").read_text()
    assert "one card, w26, ends in 67" in everything
    assert number not in everything
    assert number[-3:] not in everything


def test_pins_and_lines_of_a_board_stand_in_its_record(tmp_path: Path) -> None:
    board = str(Path(BOARD).with_name("rpi4-one-door.toml"))
    house = House(
        tmp_path, lambda house, kind, prompt: house.answer(prompt, "s no time"), board=board
    )
    assert house.run() == 1
    steps = {step["device"]: step for step in house.records()[0]["steps"]}
    assert (steps["yard-exit"]["lines"], steps["yard-exit"]["pins"]) == (["GPIO20"], [38])
    assert steps["yard-exit"]["note"] == "no time"


def test_an_earlier_record_is_never_written_over(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.run()
    first = (tmp_path / "commissioning-2026-11-21.json").read_bytes()
    assert house.run() == 0
    assert (tmp_path / "commissioning-2026-11-21.json").read_bytes() == first
    assert (tmp_path / "commissioning-2026-11-21-2.json").exists()
    house.out = str(tmp_path / "commissioning-2026-11-21.json")
    assert house.run() == 1
    assert (tmp_path / "commissioning-2026-11-21.json").read_bytes() == first
    assert any(line.startswith('{"began"') for line in house.said)  # it is not lost


def test_a_lock_never_stays_driven_though_nobody_answers(tmp_path: Path) -> None:
    def away(house: House, kind: str, prompt: str) -> bool:
        if kind in ("strike", "magnet", "bond", "fire") and prompt in ("judge", "watch"):
            house.soon(lambda: house.test.heard("s nobody there"), 120_000)
            return True
        return False

    house = Watched(tmp_path, away)
    assert house.run() == 1
    assert house.on_for_ms("strike")
    assert max(house.on_for_ms("strike")) <= 2000 + LOOK_MS
    assert house.on_for_ms("magnet")
    assert max(house.on_for_ms("magnet")) <= 30_000 + LOOK_MS
    assert house.armed[-1] == 0
    assert max(house.armed) == 30_000


@pytest.mark.parametrize("way", ["q", "Ctrl-C", "end of input"])
@pytest.mark.parametrize("lock", ["strike", "magnet"])
def test_every_way_out_leaves_the_lock_safe_and_the_rest_to_be_done(
    tmp_path: Path, way: str, lock: str
) -> None:
    def leave(house: House, kind: str, prompt: str) -> bool:
        if kind == lock and prompt == "ready":
            house.test.heard("")
            end = {"q": lambda: house.test.heard("q"), "Ctrl-C": house.test.ended.set}
            house.soon(end.get(way, house.test.over), 700)
            return True
        return False

    house = Watched(tmp_path, leave)
    assert house.run() == 1
    pulse_ms = max(house.on_for_ms(lock))
    assert house.levels[-1][2] is None
    assert pulse_ms > 0
    if lock == "strike" or way == "Ctrl-C":
        assert pulse_ms <= 700 + 2 * LOOK_MS
    (record,) = house.records()
    assert signing.is_signed(record, signing.key_bytes(record["public_key"]))
    left = [step for step in record["steps"] if step["outcome"] == "skipped"]
    assert not record["ok"]
    assert {step["note"] for step in left} == {"not reached"}
    assert len(record["steps"]) == 33


def test_a_crash_leaves_the_lock_safe(tmp_path: Path) -> None:
    class Crash(Exception):
        pass

    def crash(house: House, kind: str, prompt: str) -> bool:
        if kind == "strike" and prompt == "judge":
            raise Crash
        return False

    house = Watched(tmp_path, crash)
    with pytest.raises(Crash):
        house.run()
    assert house.on_for_ms("strike")  # and it is at rest


def test_the_same_command_goes_on_after_the_power_was_pulled(tmp_path: Path) -> None:
    class Pulled(Exception):
        pass

    def pull(house: House, kind: str, prompt: str) -> bool:
        if kind == "dead_strike" and prompt == "judge":
            raise Pulled
        return False

    house = House(tmp_path, pull)
    with pytest.raises(Pulled):
        house.run()
    assert house.records() == []
    house.does, house.said, house.name = None, [], "Chen"
    assert house.run() == 0
    assert not any(line.startswith("[29/33]") for line in house.said)
    assert any(line.startswith("[30/33]") for line in house.said)
    (record,) = house.records()
    assert [record["steps"][at]["by"] for at in (0, 28, 29, 32)] == [
        "Li Wei",
        "Li Wei",
        "Chen",
        "Chen",
    ]


def test_steps_of_another_config_are_not_gone_on_with(tmp_path: Path) -> None:
    house = House(tmp_path, lambda house, kind, prompt: kind == "rex" and house.answer(prompt, "q"))
    house.run()
    board = tmp_path / "other.toml"
    board.write_text(Path(BOARD).read_text() + "\n# another\n")
    other = House(tmp_path, board=str(board))
    assert other.run() == 0
    assert "Steps were done before, of another config: all begin anew." in other.said
    assert any(line.startswith("[1/33]") for line in other.said)


def test_who_does_not_go_on_begins_anew(tmp_path: Path) -> None:
    house = House(tmp_path, lambda house, kind, prompt: kind == "rex" and house.answer(prompt, "q"))
    house.run()
    house.does = lambda house, kind, prompt: prompt == "go_on" and house.answer(prompt, "n")
    house.step, house.said = None, []
    assert house.run() == 0
    assert any(line.startswith("[1/33]") for line in house.said)


def test_nobody_who_says_a_name_leaves_no_record(tmp_path: Path) -> None:
    house = House(tmp_path, lambda house, kind, prompt: house.leave())
    assert house.run() == 1
    assert house.records() == []


@pytest.mark.parametrize(("lang", "word"), [("en", "q"), ("en", " Quit "), ("zh", "退出")])
def test_q_at_the_name_ends_and_leaves_no_record(tmp_path: Path, lang: str, word: str) -> None:
    def end(house: House, kind: str, prompt: str) -> bool:
        house.test.heard(word)
        return True

    house = House(tmp_path, end, lang)
    assert house.run() == 1
    assert house.records() == []
    assert house.step is None


def test_an_empty_name_is_asked_for_again_with_a_word_of_why(tmp_path: Path) -> None:
    typed = ["", "  ", "q. Li"]
    house = House(tmp_path)

    def slow(house: House, kind: str, prompt: str) -> bool:
        if prompt == "who":
            house.test.heard(typed.pop(0))
        return prompt == "who"

    house.does = slow
    assert house.run() == 0
    assert house.records()[0]["by"] == "q. Li"
    empty, who = WORDS["en"]["empty"], WORDS["en"]["who"]
    assert [line for line in house.said if line in (empty, who)] == [who, empty, who, empty, who]


def test_a_board_that_somebody_has_is_refused_with_what_to_do(tmp_path: Path) -> None:
    house = House(tmp_path)
    lines = house.building.machine._lines

    def busy(*args: object) -> None:
        raise LineBusyError('strike: "doorward" has the line; expected a free one')

    lines.output = lines.inputs = busy
    house.building.machine._analog_inputs.channel = busy
    house.building.machine._serial_ports.stream = busy
    house.does = lambda house, kind, prompt: house.leave()
    house.run()
    assert house.program.refusal == (
        'selftest: the board cannot be had (strike: "doorward" has the line; expected a free one); '
        "expected the service stopped: systemctl stop doorward.target (and start it again afterwards)"
    )


def test_a_line_that_cannot_be_had_fails_its_own_step_and_says_why(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.lines.output("siren", False, False)
    assert house.run() == 1
    assert house.outcomes() == {"siren light": "failed"}
    said = "line siren: in use; expected a line that nobody has"
    assert said in str(house.records()[0]["steps"])


def test_chinese_is_spoken_throughout(tmp_path: Path) -> None:
    house = House(tmp_path, lang="zh")
    assert house.run() == 0
    assert "33步全部通过。" in house.said
    assert json.loads((tmp_path / "commissioning-2026-11-21.json").read_bytes())["ok"]
    spoken = [
        line for line in house.said if line.strip() and not any("一" <= c <= "鿿" for c in line)
    ]
    assert spoken == []


@pytest.mark.parametrize(
    "steps", ['[{"by":"x"}]', '[{"outcome":"fine","says":"x","note":""}]', "[" * 100_000, "{}"]
)
def test_steps_that_nobody_wrote_so_are_not_gone_on_after(tmp_path: Path, steps: str) -> None:
    house = House(tmp_path)
    config = hashlib.sha256(Path(BOARD).read_bytes()).hexdigest()
    (tmp_path / "commissioning.part").write_text(f'{{"config":"{config}","steps":{steps}}}')
    assert house.run() == 0
    (record,) = house.records()
    assert len(record["steps"]) == len(board_tests.tests(house.config))


def test_a_board_without_its_chip_is_refused_though_a_reader_has_a_port_of_its_own(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    lines = house.building.machine._lines
    missing = "gpiod: no chip in /dev; expected pinctrl-bcm2711"

    def none(*args: object) -> None:
        raise DeviceUnavailableError(missing)

    lines.output = lines.inputs = none
    house.does = lambda house, kind, prompt: house.leave()
    house.run()
    assert "yard-in-reader" in house.program._board.devices
    assert house.program.refusal == (
        f"selftest: the board cannot be had ({missing}); expected that mended first"
    )


BUSY = "line {}: in use; expected a line that nobody has"


@pytest.mark.parametrize(
    ("line", "failed"),
    [
        (
            "strike",
            {
                "front-strike strike",
                "front-bolt bond",
                "front-strike dead_strike",
                "fire-loop fire",
            },
        ),
        (
            "magnet",
            {
                "yard-magnet magnet",
                "yard-bond bond",
                "yard-magnet exit",
                "yard-magnet fire_cut",
                "yard-magnet dead_magnet",
                "fire-loop fire",
            },
        ),
        (
            "yard-exit",
            {"yard-exit rex", "yard-magnet magnet", "yard-bond bond", "fire-loop fire"},
        ),
        (
            "fire-loop",
            {"fire-loop fire", "yard-magnet magnet", "yard-bond bond"},
        ),
    ],
)
def test_what_needs_a_line_that_is_missing_is_told_first_and_fails_whatever_is_answered(
    tmp_path: Path, line: str, failed: set[str]
) -> None:
    house = Watched(tmp_path)
    house.lines.output(line, False, False)
    assert house.run() == 1
    before = house.said[: house.said.index(WORDS["en"]["who"])]
    told = [one for one in before if one.startswith("! ")]
    assert len(told) == 1
    assert told[0].endswith(BUSY.format(line))
    assert before[-1] == (
        f"{len(failed)} of 33 steps cannot be tried until that is mended: they count as failed."
    )
    assert house.outcomes() == dict.fromkeys(failed, "failed")
    notes = {one["note"] for one in house.records()[0]["steps"] if one["outcome"] == "failed"}
    assert notes == {BUSY.format(line)}


def test_a_magnet_is_never_held_whose_exit_cannot_be_read(tmp_path: Path) -> None:
    house = Watched(tmp_path)
    house.lines.output("yard-exit", False, False)
    house.run()
    assert [high for _, line, high in house.levels if line == "magnet" and high] == []
    assert house.on_for_ms("strike") != []


def test_a_board_without_its_chip_is_refused_though_an_expander_would_answer(
    tmp_path: Path,
) -> None:
    board = str(Path(BOARD).with_name("rpi4-supervised-expander.toml"))
    house = House(tmp_path, board=board)
    lines = house.building.machine._lines
    inputs, output = lines.inputs, lines.output

    def only_the_expander(claim: Any, names: Any, *more: Any) -> Any:
        if "." not in (names if isinstance(names, str) else names[0]):
            raise DeviceUnavailableError("gpiod: no chip in /dev; expected pinctrl-bcm2711")
        return claim(names, *more)

    lines.inputs = partial(only_the_expander, inputs)
    lines.output = partial(only_the_expander, output)
    house.does = lambda house, kind, prompt: house.leave()
    house.run()
    assert "enclosure" in house.program._board.devices
    assert house.program.refusal.startswith("selftest: the board cannot be had (gpiod: no chip")
