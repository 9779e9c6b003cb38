# portable
"""`hal.drivers` led, buzzer, siren, beacon and relay, and the table of drivers."""

from test_hal_drivers_fakes import (
    FakeBusReader,
    FakeChannel,
    FakeInputs,
    FakeOutput,
    FakeStream,
)

from hal import drivers
from hal.drivers.beacon import Beacon
from hal.drivers.buzzer import Buzzer
from hal.drivers.led import Led
from hal.drivers.relay import Relay
from hal.drivers.siren import Siren
from hal.errors import BoardConfigError, DeviceUnavailableError


def test_each_colour_lights_its_lines() -> None:
    red, green = FakeOutput(), FakeOutput()
    led = Led(red, green)
    for colour, lit in (
        ("red", (True, False)),
        ("green", (False, True)),
        ("amber", (True, True)),
        ("off", (False, False)),
    ):
        led.show(colour)
        assert (red.read(), green.read()) == lit
        assert led.colour == colour


def test_a_line_that_is_not_wired_stays_dark() -> None:
    green = FakeOutput()
    led = Led(None, green)
    led.show("amber")
    assert green.read() is True
    led.show("red")
    assert green.read() is False
    Led(FakeOutput(), None).show("green")
    Led(None, None).show("amber")


def test_an_unknown_colour_is_refused_and_shows_nothing() -> None:
    red = FakeOutput()
    refused = ""
    try:
        Led(red, None).show("blue")
    except ValueError as error:
        refused = str(error)
    assert refused == "led: unknown colour; expected off, red, green or amber"
    assert red.written == []


def test_without_a_limit_an_output_is_on_for_as_long_as_it_is_told() -> None:
    output = FakeOutput()
    buzzer = Buzzer(output)
    buzzer.sound(True, 1000)
    assert buzzer.on is True
    assert buzzer.deadline_ms is None
    buzzer.tick(10**9)
    assert buzzer.on is True
    buzzer.sound(False, 2000)
    assert output.written == [True, False]


def test_a_siren_falls_silent_at_its_limit() -> None:
    output = FakeOutput()
    siren = Siren(output, 180000)
    siren.sound(True, 1000)
    assert siren.deadline_ms == 181000
    siren.tick(180999)
    assert siren.on is True
    siren.tick(181000)
    assert siren.on is False
    assert siren.deadline_ms is None


def test_a_siren_that_is_told_on_again_and_again_still_falls_silent() -> None:
    siren = Siren(FakeOutput(), 1000)
    for now_ms in range(0, 3000, 100):
        siren.sound(True, now_ms)
        siren.tick(now_ms)
        assert siren.on is (now_ms < 1000)


def test_a_siren_sounds_again_after_it_was_told_off() -> None:
    siren = Siren(FakeOutput(), 1000)
    siren.sound(True, 0)
    siren.tick(1000)
    siren.sound(False, 2000)
    siren.sound(True, 3000)
    assert siren.on is True
    assert siren.deadline_ms == 4000


def test_told_off_before_its_limit_an_output_has_no_deadline() -> None:
    beacon = Beacon(FakeOutput(), 1000)
    beacon.light(True, 0)
    beacon.light(False, 10)
    assert beacon.deadline_ms is None
    beacon.tick(5000)
    assert beacon.on is False


def test_without_a_time_the_limit_counts_from_the_tick_that_is_due_at_once() -> None:
    siren = Siren(FakeOutput(), 1000)
    siren.sound(True)
    assert siren.deadline_ms == 0
    siren.tick(5000)
    assert siren.on is True
    assert siren.deadline_ms == 6000
    siren.tick(6000)
    assert siren.on is False


def test_a_line_that_has_gone_is_switched_off_at_the_next_tick_that_can() -> None:
    output = FakeOutput()
    siren = Siren(output, 1000)
    siren.sound(True, 0)
    output.gone = True
    told = False
    try:
        siren.tick(1000)
    except DeviceUnavailableError:
        told = True
    assert told
    assert siren.deadline_ms == 1000
    output.gone = False
    siren.tick(1001)
    assert siren.on is False


def test_a_limit_of_nothing_is_refused() -> None:
    refused = ""
    try:
        Buzzer(FakeOutput(), 0)
    except ValueError as error:
        refused = str(error)
    assert refused == "output: max_pulse_ms is out of range; expected 1 or more"


def test_a_relay_lets_go_after_its_time_and_pulls_in_again_when_told_anew() -> None:
    output = FakeOutput()
    relay = Relay(output, 5000)
    relay.switch(True, 1000)
    relay.switch(True, 4000)
    assert relay.deadline_ms == 6000
    relay.tick(6000)
    assert relay.on is False
    relay.switch(True, 7000)
    assert relay.on is False
    relay.switch(False, 8000)
    relay.switch(True, 8000)
    assert relay.on is True
    assert output.written == [True, False, False, True]


def test_every_driver_of_the_table_can_be_made() -> None:
    arguments = {
        "beacon": (FakeOutput(),),
        "buzzer": (FakeOutput(), 100),
        "contact": (FakeInputs(), 30),
        "keypad": (FakeInputs(2), 25),
        "led": (FakeOutput(), None),
        "lock": (FakeOutput(), "fail_safe"),
        "osdp_buzzer": (FakeBusReader(), 100),
        "osdp_led": (FakeBusReader(),),
        "osdp_reader": (FakeBusReader(), 300),
        "pn532_reader": (FakeStream(), 300),
        "relay": (FakeOutput(), 500),
        "rex": (FakeInputs(), 50),
        "serial_reader": (FakeStream(), "lines"),
        "siren": (FakeOutput(), 180000),
        "supervised_contact": (FakeChannel(), [150, 500, 850], 30),
        "wiegand_reader": (FakeInputs(2), 25, 300),
    }
    assert sorted(arguments) == sorted(drivers.DRIVERS)
    for name in arguments:
        made = drivers.driver(name)(*arguments[name])
        assert type(made).__name__ == drivers.DRIVERS[name]


def test_an_unknown_driver_is_the_installer_s_to_mend() -> None:
    refused = ""
    try:
        drivers.driver("door_bell")
    except BoardConfigError as error:
        refused = str(error)
    assert refused.startswith("driver door_bell: unknown; expected one of beacon, buzzer, contact,")


def test_the_shortest_limit_is_a_millisecond() -> None:
    buzzer = Buzzer(FakeOutput(), 1)
    buzzer.sound(True, 5)
    buzzer.tick(6)
    assert buzzer.on is False
