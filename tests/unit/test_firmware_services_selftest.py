"""`firmware.services.selftest`: answers, what must be seen, and the way out while a step drives a lock."""

import re
from pathlib import Path

import pytest
from selftest_house import BOARD, Does, House

from firmware.services.selftest import ON_MS
from firmware.services.selftest_prompts import understood
from firmware.services.selftest_words import LANGUAGES, WORDS


def outcomes(tmp_path: Path, house: House) -> dict[str, str]:
    house.run()
    return house.outcomes()


def only(wanted: str, prompt: str, answer: str) -> Does:
    """One answer to one prompt of one kind of step, once."""
    done: list[bool] = []

    def does(house: House, kind: str, asked: str) -> bool:
        if kind == wanted and asked == prompt and not done:
            done.append(True)
            house.test.heard(answer)
            return True
        return False

    return does


def test_no_with_a_reason_fails_the_step_and_no_other(tmp_path: Path) -> None:
    house = House(tmp_path, only("strike", "judge", "n K1 clicks, nothing moves"))
    assert outcomes(tmp_path, house) == {"front-strike strike": "failed"}
    assert house.records()[0]["steps"][3]["note"] == "K1 clicks, nothing moves"
    assert any("nothing moves" in line for line in house.said[-6:])


def test_a_step_that_is_left_out_is_no_success(tmp_path: Path) -> None:
    house = House(tmp_path, only("strike", "ready", "跳过 无锁"))
    assert outcomes(tmp_path, house) == {"front-strike strike": "skipped"}
    assert "32 of 33 steps are right, 0 failed, 1 left out:" in house.said


def test_again_drives_it_again(tmp_path: Path) -> None:
    house = House(tmp_path, only("strike", "judge", "r"))
    assert outcomes(tmp_path, house) == {}
    begun = house.said.index("[4/33] W1: K1 clicks, Front door strike unlocks for 2 s.")
    end = next(at for at, line in enumerate(house.said) if line.startswith("[5/33]"))
    assert house.said[begun:end].count(WORDS["en"]["ready"]) == 2


def test_a_yes_is_not_enough_for_an_input_that_was_not_seen(tmp_path: Path) -> None:
    def liar(house: House, kind: str, prompt: str) -> bool:
        if kind == "rex" and prompt == "watch":
            house.test.heard("y")
            house.soon(lambda: house.test.heard("n it is dead"), 60_000)
            return True
        return False

    house = House(tmp_path, liar)
    assert outcomes(tmp_path, house) == {"front-handle rex": "failed", "yard-exit rex": "failed"}
    assert WORDS["en"]["not_yet"] in house.said


def test_a_cut_loop_is_told_and_is_not_open(tmp_path: Path) -> None:
    def cut(house: House, kind: str, prompt: str) -> bool:
        if kind == "contact" and prompt == "watch" and house.step.portal == "front":
            house.world.act("unplug", device="front-contact", on=True)
            house.soon(lambda: house.world.act("unplug", device="front-contact", on=False), 700)
            house.soon(lambda: house.test.heard("n"), 5000)
            return True
        return False

    house = House(tmp_path, cut)
    assert outcomes(tmp_path, house) == {"front-contact contact": "failed"}
    assert any("W2 Front door contact: WIRE CUT" in line for line in house.said)


def test_a_crossed_wire_is_named(tmp_path: Path) -> None:
    def crossed(house: House, kind: str, prompt: str) -> bool:
        if kind == "contact" and prompt == "watch" and house.step.portal == "front":
            house.world.act("force_door", portal="yard")
            house.soon(lambda: house.world.act("close_door", portal="yard"), 1500)
            house.soon(lambda: house.test.heard("n crossed"), 3000)
            return True
        return False

    house = House(tmp_path, crossed)
    assert outcomes(tmp_path, house) == {"front-contact contact": "failed"}
    assert "  W12 answers instead of W2: are the wires crossed?" in house.said


def test_a_bolt_that_jams_fails_by_its_own_contact(tmp_path: Path) -> None:
    def jam(house: House, kind: str, prompt: str) -> bool:
        if kind == "bond" and prompt == "ready" and house.step.portal == "front":
            house.world.act("jam_lock", portal="front", on=True)
        if kind == "strike" and prompt == "ready":
            house.world.act("jam_lock", portal="front", on=False)
        return False

    house = House(tmp_path, jam)
    assert outcomes(tmp_path, house) == {"front-bolt bond": "failed"}
    note = "Front door bolt contact did not read open within 2 s while free."
    assert house.records()[0]["steps"][1]["note"] == note


@pytest.mark.parametrize("what", ["press_rex", "set_fire"])
def test_who_leaves_frees_a_magnet_that_a_step_holds_at_once(tmp_path: Path, what: str) -> None:
    freed: list[bool | None] = []

    def leave(house: House, kind: str, prompt: str) -> bool:
        if kind == "magnet" and prompt == "ready":
            house.soon(press, 2000)
        return False

    def press() -> None:
        assert house.lines.output_level("magnet")
        if what == "press_rex":
            house.world.act("press_rex", portal="yard")
        else:
            house.world.act("set_fire", on=True)
            house.soon(lambda: house.world.act("set_fire", on=False), 20_000)
        house.soon(lambda: freed.append(house.lines.output_level("magnet")), 100)

    house = House(tmp_path, leave)
    house.run()
    assert freed == [False]
    assert WORDS["en"]["freed"] in house.said
    # While fire lasts it is not held again, not even by the same step.
    again = WORDS["en"]["holds_again"] in house.said
    assert again == (what == "press_rex")


def test_a_magnet_is_not_held_while_somebody_presses(tmp_path: Path) -> None:
    def press(house: House, kind: str, prompt: str) -> bool:
        if kind == "magnet" and prompt == "ready":
            house.world.act("fail_line", device="yard-exit", fault="stuck")
            house.world.act("fail_line", device="yard-exit", fault="short")
            house.soon(lambda: house.test.heard(""), 500)
            return True
        if prompt == "failing":
            house.world.act("fail_line", device="yard-exit", fault="none")
        return False

    house = House(tmp_path, press)
    assert outcomes(tmp_path, house) == {"yard-magnet magnet": "failed"}
    assert WORDS["en"]["not_held"].strip() == house.records()[0]["steps"][14]["note"]


def test_fire_that_is_opened_late_is_told_to_have_proved_nothing(tmp_path: Path) -> None:
    def late(house: House, kind: str, prompt: str) -> bool:
        if kind == "fire" and prompt == "watch":
            house.soon(lambda: house.world.act("set_fire", on=True), 40_000)
            return True
        return False

    house = House(tmp_path, late)
    house.run()
    fire = next(s for s in house.records()[0]["steps"] if s["kind"] == "fire")
    assert fire["measured"] == {"held": False}
    assert any("the magnets are free" in line for line in house.said)


BOTH = "  Fire: magnets are let go, strikes are unlocked for 5 s. Close the loop again afterwards."


@pytest.mark.parametrize(
    ("latched", "lang", "says"),
    [
        ("none", "en", BOTH),
        ("front", "en", "  Fire: magnets are let go. Close the loop again afterwards."),
        ("yard", "en", "  Fire: strikes are unlocked for 5 s. Close the loop again afterwards."),
        ("none", "zh", "  火警：磁力锁已释放，电锁扣开锁5秒。之后请恢复回路。"),
        ("front", "zh", "  火警：磁力锁已释放。之后请恢复回路。"),
    ],
)
def test_fire_says_of_each_kind_of_lock_what_it_does(
    tmp_path: Path, latched: str, lang: str, says: str
) -> None:
    board = tmp_path / "board.toml"
    text = Path(BOARD).read_text()
    if latched == "yard":  # a magnet may only stay where nobody has to flee
        text = text.replace(
            'egress = "button_cuts_power"', 'egress = "handle"\nescape_route = false'
        )
    board.write_text(
        text.replace(f"[portals.{latched}]", f'[portals.{latched}]\non_fire = "latch"')
    )
    house = House(tmp_path, lang=lang, board=str(board))
    assert house.run() == 0
    begin = says.partition("：" if lang == "zh" else ":")[0]
    assert [line for line in house.said if line.startswith(begin)] == [says]


def test_a_fire_loop_that_was_open_before_proves_nothing(tmp_path: Path) -> None:
    def before(house: House, kind: str, prompt: str) -> bool:
        if kind == "fire" and prompt == "ready":
            house.world.act("set_fire", on=True)
            house.soon(lambda: house.test.heard(""))
            return True
        return False

    house = House(tmp_path, before)
    assert outcomes(tmp_path, house) == {"fire-loop fire": "failed"}


def test_a_reader_that_does_not_answer_says_so_in_the_record(tmp_path: Path) -> None:
    def gone(house: House, kind: str, prompt: str) -> bool:
        if prompt == "who":
            house.world.act("unplug", device="yard-in-reader", on=True)
        if kind == "card" and prompt == "watch" and house.step.device == "yard-in-reader":
            house.test.heard("n")
            return True
        return False

    house = House(tmp_path, gone)
    assert outcomes(tmp_path, house) == {"yard-in-reader card": "failed"}
    assert "sim:yard-in" in house.records()[0]["steps"][9]["note"]


def test_answers_are_understood_in_both_languages_and_at_any_width() -> None:
    assert understood("Y") == understood("yes") == understood(" 是 ") == ("y", "")
    assert understood("ｎ　没有声音") == ("n", "没有声音")
    assert understood("skip no card here") == ("s", "no card here")
    assert understood("") == ("", "")
    assert understood("maybe") == (None, "")


def test_both_languages_have_the_same_words_with_the_same_gaps() -> None:
    assert set(WORDS) == set(LANGUAGES)
    english, chinese = WORDS["en"], WORDS["zh"]
    assert list(english) == list(chinese)
    for key, text in english.items():
        assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", chinese[key])), key


def test_a_light_in_a_reader_that_is_away_is_not_right_whoever_says_so(tmp_path: Path) -> None:
    board = Path(BOARD).parent / "rpi4-two-doors-osdp.toml"
    text = board.read_text().replace('board = "rpi4"', 'board = "sim"')
    (tmp_path / "osdp.toml").write_text(text)

    def says_yes(house: House, kind: str, prompt: str) -> bool:
        return kind not in ON_MS and house.answer(prompt, "s no time")

    house = House(tmp_path, says_yes, board=str(tmp_path / "osdp.toml"))
    bus = house.config["devices"]["back-reader"]
    side = house.building.machine._serial_ports.buses.side(
        house.config["devices"][bus["bus"]]["port"], bus["address"]
    )
    side.reached = False
    house.run()
    shown = [
        one for one in house.records()[0]["steps"] if one["device"].endswith(("-led", "-buzzer"))
    ]
    assert {(one["device"], one["outcome"]) for one in shown} == {
        ("front-led", "ok"),
        ("front-buzzer", "ok"),
        ("back-led", "failed"),
        ("back-buzzer", "failed"),
    }
    assert {one["note"].partition(": ")[2] for one in shown} == {
        "",
        "does not answer; expected it wired",
    }
