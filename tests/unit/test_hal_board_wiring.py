"""How a board is wired: what is refused, what is warned of, what is reckoned."""

from pathlib import Path

import pytest
from board_texts import SMALL, problems

from hal import board, board_fuses, board_loads, board_wires, board_wiring
from hal.errors import BoardConfigError

ROOT = Path(__file__).parents[2]
SUPPLY: dict[str, object] = {"supplies": {"main": {"volts": 12}}}


def load(folder: Path, override: dict[str, object] | None = None) -> board.Config:
    (folder / "right.toml").write_text(SMALL)
    return board.load(str(folder / "right.toml"), override)


MAGNET: dict[str, object] = {
    "devices.strike.fail_mode": "fail_safe",
    "portals.front.egress": "button_cuts_power",
}


OPEN_STRIKE: dict[str, object] = {  # locked by current, and a handle frees it
    "devices.strike.fail_mode": "fail_safe",
    "portals.front.escape_route": False,
}


@pytest.mark.parametrize(
    ("override", "line"),
    [
        (
            {**OPEN_STRIKE, "devices.strike.relay_contact": "nc"},
            'devices.strike.relay_contact: "nc" on a lock, which then stays locked while the controller '
            'is dead; expected "no"',
        ),
        (
            {**OPEN_STRIKE, "supplies": {"ac": {"volts": 12, "current": "ac"}}},
            "devices.strike.supply: a fail-safe strike on alternating current; expected direct current",
        ),
        (
            {"devices.strike.relay_contact": "nc"},
            'devices.strike.relay_contact: "nc" on a lock, which then is unlocked while the controller '
            'is dead; expected "no"',
        ),
        (
            {**MAGNET, "devices.strike.relay_contact": "nc"},
            'devices.strike.relay_contact: "nc" on a lock, which then holds while the controller is '
            'dead; expected "no"',
        ),
        (
            {**MAGNET, "devices.strike.suppression": "diode"},
            'devices.strike.suppression: "diode" across a magnet holds the door one to two seconds '
            'after release; expected "maker"',
        ),
        (
            {
                "supplies": {"ac": {"volts": 12, "current": "ac"}},
                "devices.strike.suppression": "diode",
            },
            'devices.strike.suppression: "diode" on alternating current is a short; expected "varistor"',
        ),
        (
            {"devices.strike.fire_cuts": True},
            "devices.strike.fire_cuts: true at a strike, which is locked without current, so nobody "
            "could release it in a fire; expected false",
        ),
        (
            {"devices.strike.draw_ma": 500, "devices.strike.fuse_ma": 500},
            "devices.strike.fuse_ma: 500 blows at the load's own 500 mA; expected more than that",
        ),
        (
            {**SUPPLY, "devices.strike.supply": "mian"},
            'devices.strike.supply: no "mian"; expected a name of [supplies], the nearest known one is '
            '"main"',
        ),
        (
            {"portals.front.exit_device": "button"},
            'portals.front.exit_device: "button" with egress = "handle"; expected "handle" or "panic_bar"',
        ),
        (
            {"devices.strike.relay": "relay1"},
            'devices.strike.relay: "relay1" is not allowed; expected the name of a relay, K1 to K99',
        ),
        (
            {"devices.reader.colours": {"d0": "GNYE"}},
            'devices.reader.colours: {"d0": "GNYE"} is not allowed; expected a core and its colour such '
            'as { d0 = "GN" }: cores +, -, d0, d1, red, green, buzzer, a, b, tx, rx, signal, return; '
            "colours BK, BN, RD, OG, YE, GN, BU, VT, GY, WH, PK, TQ",
        ),
    ],
)
def test_what_must_not_be_wired_so_is_refused(
    tmp_path: Path, override: dict[str, object], line: str
) -> None:
    assert problems(tmp_path, override=override) == [line]


@pytest.mark.parametrize(
    ("override", "line"),
    [
        (
            {"devices.reader.interface": "direct"},
            "devices.reader.interface: D0 and D1 carry 5 V and a pin bears 3.3 V; expected "
            '"level_converter" or "optocoupler"',
        ),
        (
            {"cables": {"door": {"length_m": 4}}, "devices.door.cable": "door"},
            'devices.door.interface: a loop of 4 m on the pin\'s weak pull; expected "pull_up" (1 kOhm '
            'to 3.3 V) or "optocoupler"',
        ),
        (
            {"devices.door.place": "outside", "devices.door.interface": "pull_up"},
            'devices.door.interface: a loop that goes outside; expected "optocoupler"',
        ),
        (
            {
                **SUPPLY,
                "devices.strike.draw_ma": 1000,
                "cables": {"lock": {"length_m": 40, "area_mm2": 0.5}},
                "devices.strike.cable": "lock",
            },
            "devices.strike.cable: loses 2.8 of 12 V, so 9.2 V arrive; expected at most 10 %: a thicker "
            "or shorter cable",
        ),
        (
            {"portals.front.egress": "none", "portals.front.escape_route": False},
            "portals.front.egress: a strike without a handle inside, which cutting its supply cannot "
            'free; expected "handle" wherever somebody may be inside',
        ),
        (
            {
                "devices.strike.fail_mode": "fail_safe",
                "portals.front.egress": "none",
                "portals.front.escape_route": False,
                "portals.front.rex": "rex",
                "devices.rex": {"driver": "rex", "line": "GPIO20"},
            },
            "portals.front.egress: a magnet without an exit button that cuts its current; expected "
            '"button_cuts_power" wherever somebody may be inside',
        ),
        (
            {"devices.strike.suppression": "none"},
            'devices.strike.suppression: "none" wears out the relay; expected "diode" at the strike',
        ),
        (
            {
                "supplies": {"ac": {"volts": 12, "current": "ac"}},
                "devices.strike.suppression": "none",
            },
            'devices.strike.suppression: "none" wears out the relay; expected "varistor" at the strike',
        ),
        (
            {"portals.front.egress": "button_cuts_power", "portals.front.escape_route": False},
            "portals.front.egress: a strike without a handle inside, which cutting its supply cannot "
            'free; expected "handle" wherever somebody may be inside',
        ),
        (
            {
                "supplies": {"main": {"volts": 12}},
                "devices.strike.draw_ma": 1000,
                "devices.strike.cable": "long",
                "cables": {"long": {"length_m": 400, "area_mm2": 1.0}},
            },
            "devices.strike.cable: loses 14.0 of 12 V, so nothing arrives; expected at most 10 %: a "
            "thicker or shorter cable",
        ),
        (
            {
                "supplies": {"main": {"volts": 12, "max_ma": 500}},
                "relay_board": {"coil_supply": "main", "coil_ma": 60},
                "devices.strike.draw_ma": 450,
            },
            "supplies.main.max_ma: 500, and all its loads draw 510 mA; expected 510 or more",
        ),
        (
            {
                "devices.strike.draw_ma": 450,
                "devices.strike.fuse_ma": 6300,
                "devices.strike.cable": "thin",
                "cables": {"thin": {"area_mm2": 0.5}},
            },
            "devices.strike.fuse_ma: 6300, and 0.5 mm2, the thinnest of its cables, bears 5170 mA; "
            "expected 5000 or less, or a thicker cable",
        ),
        (
            {
                "devices.strike.draw_ma": 2500,
                "devices.strike.fuse_ma": 3150,
                "devices.strike.cable": "thin",
                "cables": {"thin": {"area_mm2": 0.14}},
            },
            "devices.strike.fuse_ma: 3150, and 0.14 mm2, the thinnest of its cables, bears 2070 mA; "
            "expected a thicker cable",
        ),
        (
            {
                "devices.strike.draw_ma": 2500,
                "devices.strike.cable": "thin",
                "cables": {"thin": {"area_mm2": 0.25}},
            },
            "devices.strike.cable: 0.25 mm2 bears a fuse of 2960 mA, and 2500 mA want one of 4000; "
            "expected a thicker cable",
        ),
        (
            {
                "supplies": {"main": {"volts": 12, "max_ma": 1500}},
                "devices.strike.draw_ma": 450,
                "devices.strike.fuse_ma": 2000,
            },
            "devices.strike.fuse_ma: 2000, and supplies.main gives 1500 mA, too little to blow it; "
            "expected 1500 or less",
        ),
        (
            {"supplies": {"main": {"volts": 12, "max_ma": 400}}, "devices.strike.draw_ma": 450},
            "supplies.main.max_ma: 400, and all its loads draw 450 mA; expected 450 or more",
        ),
    ],
)
def test_what_is_doubtful_is_warned_of(
    tmp_path: Path, override: dict[str, object], line: str
) -> None:
    assert board.warnings(load(tmp_path, override)) == [line]


def test_the_least_length_that_a_weak_pull_bears_is_not_warned_of(tmp_path: Path) -> None:
    override: dict[str, object] = {
        "cables": {"door": {"length_m": 3}},
        "devices.door.cable": "door",
    }
    assert board.warnings(load(tmp_path, override)) == []


def test_relays_are_numbered_in_the_order_of_the_file_around_those_that_are_named(
    tmp_path: Path,
) -> None:
    override: dict[str, object] = {
        "alarms.siren": "siren",
        "alarms.beacon": "beacon",
        "devices.siren": {"driver": "siren", "line": "GPIO6", "active": "low", "relay": "K1"},
        "devices.beacon": {"driver": "beacon", "line": "GPIO7", "active": "low"},
    }
    config = load(tmp_path, override)
    found = [board_wiring.relay_name(config, name) for name in ("strike", "siren", "beacon")]
    assert found == ["K2", "K1", "K3"]


def test_a_battery_carries_what_always_draws_with_four_fifths_of_its_capacity(
    tmp_path: Path,
) -> None:
    override: dict[str, object] = {
        "supplies": {"main": {"volts": 12, "battery_mah": 7000, "other_ma": 1280}},
        "devices.reader.draw_ma": 120,
        "devices.strike.draw_ma": 450,  # a strike draws for seconds only
    }
    assert board_loads.battery_min(load(tmp_path, override), "main") == 7000 * 60 * 4 // 5 // 1400


def test_every_claimed_line_is_one_wire_and_every_wire_has_a_number_of_its_own(
    tmp_path: Path,
) -> None:
    config = load(tmp_path)
    wires = board_wires.wires(config)
    assert [wire.claim for wire in wires if wire.claim] == board.claims(config)
    assert [wire.number for wire in wires] == [f"W{place + 1}" for place in range(len(wires))]


def test_a_magnets_current_runs_through_fuse_fire_panel_exit_button_and_relay_in_that_order(
    tmp_path: Path,
) -> None:
    override: dict[str, object] = {
        **MAGNET,
        **SUPPLY,
        "alarms.fire": {"class": "fire", "input": "loop", "reset": "input"},
        "devices.loop": {"driver": "contact", "line": "GPIO26"},
        "portals.front.rex": "rex",
        "devices.rex": {"driver": "rex", "line": "GPIO20"},
    }
    wires = board_wires.wires(load(tmp_path, override))
    feeds = [wire for wire in wires if wire.device == "strike" and not wire.claim]
    assert [(wire.start, wire.end) for wire in feeds] == [
        (("supply", "main", "+"), ("fuse", "F1", "1")),
        (("fuse", "F1", "2"), ("panel", "fire", "1")),
        (("panel", "fire", "2"), ("join", "X1", "")),
        (("join", "X1", ""), ("button", "S1", "1")),
        (("button", "S1", "2"), ("relay", "K1", "COM")),
        (("relay", "K1", "NO"), ("device", "strike", "+")),
        (("supply", "main", "-"), ("device", "strike", "-")),
    ]


def test_clock_and_chips_share_the_wires_of_their_bus(tmp_path: Path) -> None:
    override: dict[str, object] = {
        "controller.rtc": True,
        "chips": {"exp0": {"chip": "mcp23017"}},
        "alarms.beacon": "lamp",
        "devices.lamp": {"driver": "beacon", "line": "exp0.GPA0"},
    }
    buses = [wire for wire in board_wires.wires(load(tmp_path, override)) if wire.role == "bus"]
    assert [(wire.start, wire.end) for wire in buses] == [
        (("pin", "GPIO2", "3"), ("chips", "rtc, exp0", "SDA")),
        (("pin", "GPIO3", "5"), ("chips", "rtc, exp0", "SCL")),
    ]


def test_a_bus_runs_from_its_port_through_every_reader_and_is_claimed_once() -> None:
    config = board.load(str(ROOT / "board_configs/rpi4-two-doors-osdp.toml"))
    wires = [wire for wire in board_wires.wires(config) if wire.role in ("a", "b")]
    port = config["devices"]["bus"]["port"]
    assert [(wire.start, wire.end) for wire in wires] == [
        (("port", port, ""), ("device", "front-reader", "A")),
        (("port", port, ""), ("device", "front-reader", "B")),
        (("device", "front-reader", "A"), ("device", "back-reader", "A")),
        (("device", "front-reader", "B"), ("device", "back-reader", "B")),
    ]
    assert [wire.claim is not None for wire in wires] == [True, False, False, False]


def test_a_magnet_that_a_panel_cuts_which_nobody_listens_to_is_no_mistake(tmp_path: Path) -> None:
    override = {**MAGNET, "devices.strike.fire_cuts": True, "devices.strike.draw_ma": 500}
    config = load(tmp_path, {**override, "supplies": {"main": {"volts": 12}}})
    assert [line for line in board.warnings(config) if line.startswith("devices.")] == []
    assert not board_wiring.drop(config, "strike")[1]  # how far the panel is nobody has said


def test_a_magnets_relay_draws_from_the_battery_as_long_as_it_holds(tmp_path: Path) -> None:
    override = {
        **MAGNET,
        "supplies": {"main": {"volts": 12, "battery_mah": 7000}},
        "relay_board": {"coil_supply": "main", "coil_ma": 60},
        "devices.strike.draw_ma": 500,
    }
    assert board_loads.battery_min(load(tmp_path, override), "main") == 7000 * 60 * 4 // 5 // 560


def test_a_magnet_without_its_suppressor_is_warned_of(tmp_path: Path) -> None:
    told = board.warnings(load(tmp_path, {**MAGNET, "devices.strike.suppression": "none"}))
    assert (
        'devices.strike.suppression: "none" wears out the relay; expected "maker" at the magnet'
        in told
    )


def test_the_thinnest_of_all_cables_that_a_magnets_current_runs_through_decides(
    tmp_path: Path,
) -> None:
    override: dict[str, object] = {
        **MAGNET,
        "devices.strike.draw_ma": 500,
        "devices.strike.fuse_ma": 4000,
        "devices.strike.cable": "lock",
        "cables": {"lock": {"area_mm2": 1.5}, "exit": {"area_mm2": 0.22}},
        "portals.front.rex": "rex",
        "devices.rex": {"driver": "rex", "line": "GPIO20", "cable": "exit"},
    }
    assert board.warnings(load(tmp_path, override)) == [
        "devices.strike.fuse_ma: 4000, and 0.22 mm2, the thinnest of its cables, bears 2960 mA; "
        "expected 2500 or less, or a thicker cable"
    ]
    assert board.warnings(load(tmp_path, {**override, "devices.strike.fuse_ma": 2500})) == []


def test_a_fuse_that_is_just_what_cable_and_supply_bear_is_not_warned_of(tmp_path: Path) -> None:
    override: dict[str, object] = {
        "supplies": {"main": {"volts": 12, "max_ma": 5000}},
        "devices.strike.draw_ma": 450,
        "devices.strike.fuse_ma": 5000,
        "devices.strike.cable": "lock",
        "cables": {"lock": {"area_mm2": 0.5}},
    }
    assert board.warnings(load(tmp_path, override)) == []


def test_a_thicker_core_never_bears_less() -> None:
    bears = [board_fuses.most_ma(step / 100) for step in range(5, 1601)]
    assert bears == sorted(bears)
    assert (bears[0], bears[-1]) == (740, 37280)


def test_a_strike_that_current_locks_has_a_strikes_diode_and_no_magnets_warnings(
    tmp_path: Path,
) -> None:
    config = load(tmp_path, OPEN_STRIKE)
    assert board_wiring.suppression(config, "strike") == "diode"
    assert board.warnings(config) == []
    config = load(tmp_path, {**OPEN_STRIKE, "devices.strike.suppression": "none"})
    assert board.warnings(config) == [
        'devices.strike.suppression: "none" wears out the relay; expected "diode" at the strike'
    ]


def test_a_lock_that_is_to_stay_locked_in_a_fire_wants_no_panel_in_its_circuit(
    tmp_path: Path,
) -> None:
    override: dict[str, object] = {
        **OPEN_STRIKE,
        "alarms.fire": {"class": "fire", "input": "loop", "reset": "input"},
        "devices.loop": {"driver": "contact", "line": "GPIO26"},
        "devices.strike.fire_cuts": False,
    }
    (told,) = board.warnings(load(tmp_path, override))
    assert told.endswith("expected true: the fire panel's contact in the strike's own circuit")
    assert board.warnings(load(tmp_path, {**override, "portals.front.on_fire": "latch"})) == []


def _osdp(override: dict[str, object] | None = None) -> board.Config:
    return board.load(str(ROOT / "board_configs/rpi4-two-doors-osdp.toml"), override)


def test_every_core_of_a_cable_between_readers_begins_at_the_reader_before() -> None:
    cable = [wire for wire in board_wires.wires(_osdp()) if wire.cable == "back-reader"]
    assert [(wire.start, wire.end) for wire in cable] == [
        (("device", "front-reader", point), ("device", "back-reader", point)) for point in "AB+-"
    ]


def test_every_core_of_a_star_begins_at_the_box() -> None:
    config = _osdp({"devices.bus.topology": "star"})
    port = ("port", config["devices"]["bus"]["port"], "")
    cable = [wire for wire in board_wires.wires(config) if wire.cable == "back-reader"]
    assert [wire.start for wire in cable] == [
        port,
        port,
        ("supply", "main", "+"),
        ("supply", "main", "-"),
    ]


def test_a_reader_with_a_supply_of_its_own_is_fed_by_that() -> None:
    config = _osdp({"supplies.far": {"volts": 24}, "devices.back-reader.supply": "far"})
    cable = [wire for wire in board_wires.wires(config) if wire.cable == "back-reader"]
    assert [wire.start[1] for wire in cable] == ["front-reader", "front-reader", "far", "far"]


def test_the_first_cable_of_a_chain_carries_the_current_of_all_its_readers() -> None:
    metre = 2 * 0.0175 / 0.5 * 0.150  # volts of one reader
    chain, star = _osdp(), _osdp({"devices.bus.topology": "star"})
    assert board_wiring.drop(chain, "front-reader")[0] == pytest.approx(15 * metre * 2)
    assert board_wiring.drop(chain, "back-reader")[0] == pytest.approx((15 * 2 + 30) * metre)
    assert board_wiring.drop(star, "front-reader")[0] == pytest.approx(15 * metre)
    assert board_wiring.drop(star, "back-reader")[0] == pytest.approx(30 * metre)


def test_a_star_of_three_is_refused() -> None:
    override: dict[str, object] = {
        "devices.bus.topology": "star",
        "devices.more": {"driver": "osdp_reader", "bus": "bus", "address": 2},
        "access_points.more": {"portal": "back", "direction": "out", "reader": "more"},
    }
    with pytest.raises(BoardConfigError) as caught:
        _osdp(override)
    assert [line.partition(": ")[2] for line in caught.value.problems] == [
        'devices.bus.topology: "star" with 3 readers, and an RS-485 bus has two ends; expected "chain"'
    ]


def test_usb_lies_in_a_cable_of_its_own_or_in_none_that_is_stated() -> None:
    path = str(ROOT / "board_configs/rpi4-supervised-expander.toml")
    config = board.load(path)
    assert [
        (wire.via, wire.cable) for wire in board_wires.wires(config) if wire.cable == "yard-usb"
    ] == [("usb", "yard-usb")]
    config = board.load(path, {"devices.yard-reader.cable": "yard-reader"})
    (usb,) = [wire for wire in board_wires.wires(config) if wire.via == "usb"]
    assert (usb.cable, usb.length_m, usb.area_mm2) == ("", None, None)
    assert board.warnings(config) == [
        'devices.yard-reader.cable: "yard-reader" is other devices\' too; expected a USB cable of its own'
    ]
