# portable
"""Faults of wires, locks and power supply in the world: physically what they say, and over when mended."""

from sim_house import House, config
from test_sim_world_readers import FREE, Ear

from hal.drivers.supervised_contact import SupervisedContact
from hal.ports import BACK, LOST, STUCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Watch:
    """A driver on one of the house's supervised loops, polled each millisecond."""

    def __init__(self, house: House, name: str) -> None:
        self._house = house
        self._driver = SupervisedContact(house.analog_inputs.channel(name), [150, 500, 850], 30)

    def states(self, ms: int) -> "list[str]":
        """What it went through within `ms`, beginning with what it was."""
        states = [self._driver.state]
        for _ in range(ms):
            self._house.run(1)
            for reading in self._driver.poll(self._house.clock.now_ms()):
                states.append(reading.data)
        return states


def fail(house: House, device: str, fault: str) -> None:
    house.act("fail_line", device=device, fault=fault)


# ---- contacts --------------------------------------------------------------------------------------


def test_a_supervised_loop_shows_what_is_at_its_end_and_what_is_wrong_with_its_wire() -> None:
    house = House()
    watch = Watch(house, "adc1")
    assert watch.states(100) == ["normal"]
    house.act("trip_sensor", point="window", on=True)
    assert watch.states(100) == ["normal", "active"]
    fail(house, "window", "cut")
    assert watch.states(100) == ["active", "cut"]
    fail(house, "window", "short")
    assert watch.states(100) == ["cut", "short"]
    fail(house, "window", "none")
    assert watch.states(100) == ["short", "active"]
    house.act("trip_sensor", point="window", on=False)
    assert watch.states(100) == ["active", "normal"]


def test_unplugging_and_tampering_cut_the_wire_of_a_supervised_sensor() -> None:
    for verb in ("unplug", "tamper"):
        house = House()
        watch = Watch(house, "adc1")
        house.act(verb, device="window", on=True)
        assert watch.states(100) == ["normal", "cut"], verb
        house.act(verb, device="window", on=False)
        assert watch.states(100) == ["cut", "normal"], verb


def test_a_lid_that_is_tampered_with_is_open_and_not_cut() -> None:
    changed = config()
    changed["alarms"]["points"]["window"]["class"] = "tamper"
    house = House(changed=changed)
    watch = Watch(house, "adc1")
    house.act("tamper", device="window", on=True)
    assert watch.states(100) == ["normal", "active"]


def test_a_stuck_contact_stays_as_it_was_and_catches_up_when_mended() -> None:
    house = House()
    watch = Watch(house, "adc1")
    fail(house, "window", "stuck")
    house.act("trip_sensor", point="window", on=True)
    assert watch.states(200) == ["normal"]
    fail(house, "window", "none")
    assert watch.states(200) == ["normal", "active"]
    fail(house, "window", "stuck")
    house.act("trip_sensor", point="window", on=False)
    assert watch.states(200) == ["active"]
    house.act("unplug", device="window", on=True)
    assert watch.states(200) == ["active", "cut"]


def test_a_plain_wire_that_is_cut_is_an_open_contact_and_one_that_is_shorted_a_closed_one() -> None:
    house = House()
    inputs = house.inputs("front-contact", "help")
    assert inputs.levels() == [True, False]
    fail(house, "front-contact", "cut")
    fail(house, "help", "short")
    assert inputs.levels() == [False, True]
    fail(house, "front-contact", "short")
    fail(house, "help", "cut")
    assert inputs.levels() == [True, False]
    house.act("force_door", portal="front")
    house.act("trip_sensor", point="lobby-panic", on=True)
    house.run(100)
    assert inputs.levels() == [True, False]
    fail(house, "front-contact", "none")
    fail(house, "help", "none")
    assert inputs.levels() == [False, True]


def test_a_shorted_exit_button_asks_to_leave_for_as_long() -> None:
    house = House()
    inputs = house.inputs("exit")
    fail(house, "exit", "short")
    house.run(60000)
    assert inputs.levels() == [True]
    fail(house, "exit", "none")
    assert inputs.levels() == [False]


def test_the_noise_on_a_supervised_wire_stays_within_its_band() -> None:
    levels: dict[str, list[int]] = {"none": [], "short": [], "cut": []}
    for seed in range(20):
        house = House(seed)
        for fault in ("short", "none", "cut"):
            fail(house, "window", fault)
            levels[fault].append(house.analog_inputs.level("adc1"))
    assert len(set(levels["none"])) > 5
    assert all(0 <= level <= 8 for level in levels["short"])
    assert all(317 <= level <= 333 for level in levels["none"])
    assert all(992 <= level <= 1000 for level in levels["cut"])


# ---- readers and keypads ---------------------------------------------------------------------------


def test_nothing_arrives_on_a_wire_that_is_cut() -> None:
    for reader, at in (("front-reader", "front-in"), ("yard-keypad", "yard-in")):
        house = House()
        ear = Ear(house, reader)
        fail(house, reader, "cut")
        house.act("enter_pin", access_point=at, digits="12")
        assert ear.listen(2000) == [], reader
        fail(house, reader, "none")
        house.act("enter_pin", access_point=at, digits="12")
        assert [what for what, _ in ear.listen(2000)] == ["1", "2", "#"], reader


def test_a_card_whose_wire_is_cut_in_the_middle_is_a_bad_read() -> None:
    house = House()
    ear = Ear(house, "front-reader")
    house.act("present_card", access_point="front-in", number=FREE)
    assert ear.listen(20) == []
    fail(house, "front-reader", "cut")
    assert [what for what, _ in ear.listen(200)] == ["length"]


def test_a_data_line_that_is_held_is_stuck_until_it_is_let_go() -> None:
    for fault in ("short", "stuck"):
        for reader in ("front-reader", "yard-keypad"):
            house = House()
            ear = Ear(house, reader)
            fail(house, reader, fault)
            assert ear.listen(200) == [(STUCK, 50)], (fault, reader)
            fail(house, reader, "none")
            assert [what for what, _ in ear.listen(200)] == [STUCK], (fault, reader)


def test_after_a_stuck_reader_is_mended_it_reads_again() -> None:
    house = House()
    ear = Ear(house, "front-reader")
    fail(house, "front-reader", "stuck")
    house.act("present_card", access_point="front-in", number=FREE)
    assert [what for what, _ in ear.listen(1000)] == [STUCK]
    fail(house, "front-reader", "none")
    ear.listen(100)
    house.act("present_card", access_point="front-in", number=FREE)
    assert [what for what, _ in ear.listen(400)] == [FREE]


def test_a_serial_reader_that_is_cut_has_gone_until_it_is_mended() -> None:
    house = House()
    ear = Ear(house, "yard-reader")
    fail(house, "yard-reader", "cut")
    house.act("present_card", access_point="yard-in", number=FREE)
    assert [what for what, _ in ear.listen(1000)] == [LOST]
    house.act("unplug", device="yard-reader", on=True)
    fail(house, "yard-reader", "none")
    assert ear.listen(1000) == []
    house.act("unplug", device="yard-reader", on=False)
    assert [what for what, _ in ear.listen(1000)] == [BACK]
    house.act("present_card", access_point="yard-in", number=FREE)
    assert [what for what, _ in ear.listen(400)] == [FREE]


def test_a_serial_reader_that_goes_mad_sends_noise_without_end_and_no_card() -> None:
    for reader, at, number, heard in (
        ("yard-reader", "yard-in", FREE, "noise"),
        ("out-reader", "yard-out", "w34:1234567890", "length"),
    ):
        house = House()
        ear = Ear(house, reader)
        fail(house, reader, "stuck")
        house.act("present_card", access_point=at, number=number)
        told = [what for what, _ in ear.listen(60000)]
        assert set(told[:-1]) == {heard}, (reader, told)
        assert told[-1] == STUCK, (reader, told)
        assert len(told) <= 20, (reader, told)
        fail(house, reader, "none")
        house.act("present_card", access_point=at, number=number)
        assert [what for what, _ in ear.listen(400)] == [STUCK, number], reader


def test_a_serial_line_that_is_held_is_one_break_without_end() -> None:
    house = House()
    ear = Ear(house, "yard-reader")
    fail(house, "yard-reader", "short")
    house.act("present_card", access_point="yard-in", number=FREE)
    told = ear.listen(60000)
    assert [what for what, _ in told] == ["length", STUCK]
    assert 1000 <= told[1][1] <= 1300
    fail(house, "yard-reader", "none")
    assert [what for what, _ in ear.listen(3000)] == [STUCK]
    house.act("present_card", access_point="yard-in", number=FREE)
    assert [what for what, _ in ear.listen(400)] == [FREE]


def test_a_line_that_is_held_is_so_after_the_power_and_the_plug_were_away() -> None:
    house = House()
    fail(house, "yard-reader", "short")
    house.act("cut_power")
    house.act("restore_power")
    ear = Ear(house, "yard-reader")
    assert [what for what, _ in ear.listen(3000)] == ["length", STUCK]
    house.act("unplug", device="yard-reader", on=True)
    assert [what for what, _ in ear.listen(3000)] == [STUCK, LOST]
    house.act("unplug", device="yard-reader", on=False)
    assert [what for what, _ in ear.listen(3000)] == [BACK, "length", STUCK]


def test_a_reader_without_power_sends_no_noise() -> None:
    house = House()
    house.act("cut_power")
    ear = Ear(house, "yard-reader")
    fail(house, "yard-reader", "stuck")
    assert ear.listen(1000) == []


# ---- outputs and locks -----------------------------------------------------------------------------


def test_a_lock_whose_wire_is_cut_gets_no_current() -> None:
    house = House()
    strike = house.output("strike")
    house.output("magnet", True, True)
    house.run(100)
    fail(house, "strike", "cut")
    fail(house, "magnet", "cut")
    strike.write(True)
    house.run(100)
    assert house.door("front") == ("locked", "closed")
    assert house.door("yard") == ("unlocked", "closed")
    fail(house, "strike", "none")
    fail(house, "magnet", "none")
    house.run(100)
    assert house.door("front") == ("unlocked", "closed")
    assert house.door("yard") == ("locked", "closed")


def test_a_relay_that_is_stuck_stays_as_it_was_while_there_is_power() -> None:
    house = House()
    light, strike = house.output("stairs-light", True), house.output("strike")
    fail(house, "stairs-light", "stuck")
    fail(house, "strike", "stuck")
    light.write(False)
    strike.write(True)
    house.run(100)
    assert house.world.snapshot()["outputs"]["stairs-light"] is True
    assert house.door("front")[0] == "locked"
    house.act("cut_power")
    assert house.world.snapshot()["outputs"]["stairs-light"] is False


def test_a_jammed_lock_does_not_follow_and_its_bond_shows_where_it_is() -> None:
    house = House()
    strike = house.output("strike")
    bolt = house.inputs("front-bolt")
    assert bolt.levels() == [True]
    strike.write(True)
    house.run(100)
    assert (house.door("front")[0], bolt.levels()) == ("unlocked", [False])
    house.act("jam_lock", portal="front", on=True)
    strike.write(False)
    house.run(1000)
    assert (house.door("front")[0], bolt.levels()) == ("unlocked", [False])
    assert house.world.snapshot()["portals"]["front"]["jammed"] is True
    house.act("push_door", portal="front")
    assert house.door("front")[1] == "open"
    house.act("close_door", portal="front")
    house.act("jam_lock", portal="front", on=False)
    house.run(100)
    assert (house.door("front")[0], bolt.levels()) == ("locked", [True])
    house.act("jam_lock", portal="front", on=True)
    strike.write(True)
    house.run(1000)
    assert house.door("front")[0] == "locked"
    house.act("push_door", portal="front")
    assert house.door("front")[1] == "closed"


def test_the_bond_of_a_magnet_follows_it_through_a_button_and_a_power_cut() -> None:
    house = House()
    house.output("magnet", True, True)
    watch = Watch(house, "adc0")
    assert watch.states(100) == ["active", "normal"]
    house.act("press_rex", portal="yard")
    assert watch.states(100) == ["normal", "active"]
    house.run(30000)
    assert watch.states(100) == ["active", "normal"]


def test_an_open_leaf_takes_the_bond_from_its_magnet_and_not_the_bolt_from_its_strike() -> None:
    house = House()
    house.output("magnet", True, True)
    bolt = house.inputs("front-bolt")
    watch = Watch(house, "adc0")
    watch.states(100)
    for portal in ("front", "yard"):
        house.act("force_door", portal=portal)
    assert watch.states(100) == ["normal", "active"]
    assert bolt.levels() == [True]
    assert house.door("yard") == ("locked", "open")
    for portal in ("front", "yard"):
        house.act("close_door", portal=portal)
    assert watch.states(100) == ["active", "normal"]


# ---- the power supply ------------------------------------------------------------------------------


def test_mains_and_battery_are_inputs_that_say_so() -> None:
    house = House()
    mains = house.inputs("mains")
    battery = Watch(house, "adc2")
    house.act("fail_mains", on=True)
    house.act("fail_battery", on=True)
    assert house.world.power
    assert battery.states(100) == ["normal", "active"]
    assert mains.levels() == [False]
    assert (house.world.mains, house.world.battery) == (False, False)
    house.act("fail_mains", on=False)
    house.act("fail_battery", on=False)
    assert battery.states(100) == ["active", "normal"]
    assert mains.levels() == [True]
    assert (house.world.mains, house.world.battery) == (True, True)


# ---- what the controller tells ---------------------------------------------------------------------


def test_an_output_is_on_for_as_long_as_it_is_told_to_be_if_anything_reaches_it() -> None:
    house = House()
    told: dict[str, bool] = {}
    house.world.told = lambda device: told.get(device, False)
    siren = house.output("siren", False, True)
    seen: Any = lambda: house.world.snapshot()["outputs"]["siren"]  # noqa: E731
    siren.write(True)
    told["siren"] = True
    house.world.look_at_outputs()
    house.run(10)
    for level in (False, True, False):
        siren.write(level)
        house.run(500)
        assert seen() is True
    fail(house, "siren", "cut")
    assert seen() is False
    fail(house, "siren", "none")
    told["siren"] = False
    house.world.look_at_outputs()
    house.run(10)
    assert seen() is False
    assert [seen for _, kind, name, seen in house.changes if name == "siren"] == [
        {"on": True},
        {"on": False},
    ]
    told["siren"] = True
    house.act("unplug", device="siren", on=True)
    assert seen() is False
    house.act("unplug", device="siren", on=False)
    house.act("cut_power")
    assert seen() is False


def test_what_was_done_to_a_device_can_be_seen() -> None:
    house = House()
    assert house.world.condition("window") == {"fault": "none", "unplugged": False}
    fail(house, "window", "cut")
    house.act("unplug", device="siren", on=True)
    assert house.world.condition("window") == {"fault": "cut", "unplugged": False}
    assert house.world.condition("siren") == {"fault": "none", "unplugged": True}


def test_a_contact_that_chatters_trembles_and_is_where_it_was() -> None:
    house = House()
    line = house.inputs("front-contact")
    before = line.levels()
    house.act("chatter_contact", device="front-contact")
    house.run(500)
    edges = line.take()
    assert len(edges) >= 20
    assert edges[-1].level == before[0]
    assert line.levels() == before
    house.run(1000)
    assert line.take() == []


def test_a_reader_fails_in_each_of_its_ways_and_reads_again() -> None:
    for trouble in ("silent", "torn", "noise", "stuck"):
        house = House()
        line = house.inputs("front-d0", "front-d1")
        whole = _edges(house, line)
        house.act("fail_reader", device="front-reader", fault=trouble)
        found = _edges(house, line)
        if trouble == "silent":
            assert found == 0
        elif trouble == "torn":
            assert found < whole
        elif trouble == "noise":
            house.run(20000)
            assert len(line.take()) > 0  # though nobody shows anything
        else:
            assert line.levels() == [True, False]
        house.act("fail_reader", device="front-reader", fault="none")
        house.run(500)
        line.take()
        assert _edges(house, line) == whole


def _edges(house: House, line: "Any") -> int:
    house.act("present_card", access_point="front-in", number=FREE)
    house.run(400)
    return len(line.take())
