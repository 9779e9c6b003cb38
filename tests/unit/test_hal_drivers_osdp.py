# portable
"""`hal.drivers` osdp_reader, osdp_led and osdp_buzzer, on a reader in the hand of the test."""

from test_hal_drivers_fakes import FakeBusReader

from hal.drivers.osdp_buzzer import OsdpBuzzer
from hal.drivers.osdp_led import OsdpLed
from hal.drivers.osdp_reader import OsdpReader
from hal.ports import BACK, BITS, LEVEL, LOST, POWER, Frame, Reading

CARD = "1" * 26


def _bits(*bursts: str) -> "list[tuple[str, object]]":
    return [(BITS, Frame(bits)) for bits in bursts]


def test_what_a_reader_says_is_handed_over_in_its_order_with_the_time_of_the_poll() -> None:
    source = FakeBusReader()
    reader = OsdpReader(source)
    source.said = [(LEVEL, False)]
    source.said += _bits(CARD, "0001")
    source.said += [(POWER, True), (LOST, "gone"), (BACK, None)]
    assert reader.poll(1000) == [
        Reading(LEVEL, False, 1000),
        Reading(BITS, Frame(CARD), 1000),
        Reading(BITS, Frame("0001"), 1000),
        Reading(POWER, True, 1000),
        Reading(LOST, "gone", 1000),
        Reading(BACK, None, 1000),
    ]
    assert reader.poll(1001) == []
    assert reader.deadline_ms is None


def test_a_card_that_lies_on_the_reader_counts_once_and_a_key_each_time() -> None:
    source = FakeBusReader()
    reader = OsdpReader(source, 300)
    came = []
    for at_ms in (0, 200, 450, 800):
        source.said = _bits(CARD, "0101")
        came += [(one.data.reveal(), one.at_ms) for one in reader.poll(at_ms)]
    assert came == [
        (CARD, 0),
        ("0101", 0),
        ("0101", 200),
        ("0101", 450),
        (CARD, 800),
        ("0101", 800),
    ]


def test_a_light_is_told_each_colour_by_its_parts() -> None:
    source = FakeBusReader()
    led = OsdpLed(source)
    for colour in ("red", "green", "amber", "off"):
        led.show(colour)
        assert led.colour == colour
    assert source.shown == [
        ("light", (True, False)),
        ("light", (False, True)),
        ("light", (True, True)),
        ("light", (False, False)),
    ]


def test_an_unknown_colour_is_refused_and_not_told() -> None:
    source = FakeBusReader()
    refused = ""
    try:
        OsdpLed(source).show("blue")
    except ValueError as error:
        refused = str(error)
    assert refused == "led: unknown colour; expected off, red, green or amber"
    assert source.shown == []


def test_a_buzzer_ends_at_its_limit() -> None:
    source = FakeBusReader()
    buzzer = OsdpBuzzer(source, 500)
    buzzer.sound(True, 1000)
    assert buzzer.on is True
    buzzer.tick(1500)
    assert buzzer.on is False
    assert source.shown == [("sound", True), ("sound", False)]
