"""What a lock does in every situation follows from pull, polarity, contact and the way out."""

from pathlib import Path

import pytest

from hal import board, board_states

ROOT = Path(__file__).parents[2]
MAGNET = ("yard", "rpi5-two-doors")
STRIKE = ("front", "rpi5-two-doors")


def table(
    door: tuple[str, str], override: dict[str, object] | None = None
) -> dict[str, tuple[str, ...]]:
    portal, name = door
    config = board.load(str(ROOT / f"board_configs/{name}.toml"), override)
    return {row.situation: tuple(row[1:]) for row in board_states.table(config, portal)}


def test_a_magnet_is_free_whenever_anything_but_the_running_program_decides() -> None:
    assert table(MAGNET) == {
        "start": ("off", "free", "opens", "opens"),
        "locked": ("on", "holds", "key", "button"),
        "released_fire": ("off", "free", "opens", "opens"),
        "exit": ("any", "free", "opens", "opens"),
        "hung": ("on", "holds", "no", "hardware"),
        "mains": ("on", "holds", "key", "button"),
        "dead": ("off", "free", "opens", "opens"),
    }


def test_a_strike_is_locked_outside_unless_told_and_its_handle_always_opens() -> None:
    assert table(STRIKE) == {
        "start": ("off", "locked", "no", "handle"),
        "locked": ("off", "locked", "key", "handle"),
        "released_fire": ("on", "free", "opens", "opens"),
        "handle": ("any", "any", "no", "opens"),
        "hung": ("on", "free", "opens", "watchdog"),
        "mains": ("off", "locked", "key", "handle"),
        "dead": ("off", "locked", "no", "handle"),
    }


def test_a_strike_that_current_locks_is_free_without_it_and_its_handle_always_opens() -> None:
    handle = {"portals.yard.egress": "handle", "portals.yard.escape_route": False}
    assert table(MAGNET, handle) == {
        "start": ("off", "free", "opens", "opens"),
        "locked": ("on", "locked", "key", "handle"),
        "released_fire": ("off", "free", "opens", "opens"),
        "handle": ("any", "any", "no", "opens"),
        "fire_open": ("any", "free", "opens", "opens"),
        "hung": ("on", "locked", "no", "handle"),
        "mains": ("on", "locked", "key", "handle"),
        "dead": ("off", "free", "opens", "opens"),
    }


def test_a_lock_that_stays_locked_in_a_fire_is_not_cut_by_the_panel_unless_it_is_said() -> None:
    latch: dict[str, object] = {
        "portals.yard.egress": "handle",
        "portals.yard.escape_route": False,
        "portals.yard.on_fire": "latch",
    }
    rows = table(MAGNET, latch)
    assert "fire_open" not in rows
    assert rows["fire_latched"] == ("on", "locked", "key", "handle")
    assert "fire_open" in table(MAGNET, {**latch, "devices.yard-magnet.fire_cuts": True})


def test_what_the_fire_panel_does_not_cut_is_not_promised_in_a_fire() -> None:
    rows = table(MAGNET, {"devices.yard-magnet.fire_cuts": False})
    assert "exit" not in rows
    assert rows["exit_alone"] == ("any", "free", "opens", "opens")
    assert rows["hung"][-1] == "hardware_alone"


def test_a_house_without_a_battery_has_no_situation_on_battery() -> None:
    assert "mains" not in table(MAGNET, {"supplies.main.battery_mah": 0})


UP: dict[str, object] = {"supplies.up": {"volts": 24, "fed_by": "main"}}


def test_a_lock_behind_a_converter_lives_on_the_battery_of_what_feeds_it() -> None:
    override = {
        **UP,
        "supplies.again": {"volts": 12, "fed_by": "up"},
        "devices.yard-magnet.supply": "again",
    }
    assert table(MAGNET, override)["mains"] == ("on", "holds", "key", "button")


@pytest.mark.parametrize(
    "override",
    [
        {"supplies.five": {"volts": 5, "feeds_board": True}},  # on its own mains
        {"supplies.coils": {"volts": 12}, "relay_board.coil_supply": "coils"},
    ],
)
def test_without_current_for_board_or_coils_a_lock_on_battery_is_as_its_open_contact(
    override: dict[str, object],
) -> None:
    assert table(MAGNET, override)["mains"] == ("off", "free", "opens", "opens")
    assert table(STRIKE, override)["mains"] == ("off", "locked", "no", "handle")


def test_a_door_that_stays_latched_in_a_fire_says_so() -> None:
    rows = table(STRIKE, {"portals.front.on_fire": "latch"})
    assert rows["fire_latched"] == ("off", "locked", "key", "handle")
    assert rows["released"] == ("on", "free", "opens", "opens")
    assert "released_fire" not in rows


@pytest.mark.parametrize(
    ("line", "active", "coil", "lock"),
    [
        ("GPIO5", "low", "off", "holds"),  # pulled up: the relay rests
        ("GPIO5", "high", "on", "free"),
        ("GPIO12", "low", "on", "free"),  # pulled down
        ("GPIO12", "high", "off", "holds"),
    ],
)
def test_the_start_is_reckoned_from_pull_polarity_and_contact(
    line: str, active: str, coil: str, lock: str
) -> None:
    # None of these but the first rows' wiring is allowed: what the table says must not rest on that.
    config = board.load(str(ROOT / "board_configs/rpi5-two-doors.toml"))
    config["devices"]["yard-magnet"].update(line=line, active=active, relay_contact="nc")
    start = board_states.table(config, "yard")[0]
    assert (start.coil, start.lock) == (coil, lock)


def test_without_any_supply_the_contact_makes_no_difference() -> None:
    config = board.load(str(ROOT / "board_configs/rpi5-two-doors.toml"))
    config["devices"]["yard-magnet"]["relay_contact"] = "nc"
    assert board_states.table(config, "yard")[-1].lock == "free"


def test_a_button_frees_no_strike_and_is_no_way_out_while_the_program_is_dead() -> None:
    rows = table(
        STRIKE,
        {"portals.front.egress": "button_cuts_power", "portals.front.escape_route": False},
    )
    assert not {"exit", "exit_alone"} & set(rows)
    assert rows["locked"] == ("off", "locked", "key", "button")
    assert rows["start"][-1] == rows["dead"][-1] == "nothing"


def test_a_magnet_that_only_the_fire_panel_cuts_is_freed_by_it() -> None:
    rows = table(MAGNET, {"portals.yard.egress": "none", "portals.yard.escape_route": False})
    assert rows["fire_open"] == ("any", "free", "opens", "opens")
    assert rows["hung"][-1] == "fire_only"


def test_without_a_fire_loop_nothing_is_said_of_its_input() -> None:
    config = board.load(str(ROOT / "board_configs/rpi5-two-doors.toml"))
    del config["alarms"]["points"]["fire"]
    rows = {row.situation for row in board_states.table(config, "yard")}
    assert "released" in rows
    assert not {"released_fire", "fire_latched", "fire_open"} & rows
