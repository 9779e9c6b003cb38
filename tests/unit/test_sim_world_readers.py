# portable
"""`sim.wires` in its world: what readers and keypads send, as the real drivers and decoders hear it."""

from sim_house import House

from firmware import wire
from firmware.access.secret import plain
from hal.drivers.keypad import Keypad
from hal.drivers.serial_reader import SerialReader
from hal.drivers.wiegand_reader import WiegandReader
from hal.ports import BACK, BITS, LINE, LOST, STUCK
from sim.verbs import VerbError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

RESIDENT = "w26:031:20417"
FREE = "w26:012:34567"


class Ear:
    """A driver on the house's wires, polled each millisecond; ``heard``: (what, at_ms)."""

    def __init__(self, house: House, reader: str) -> None:
        self._house = house
        if reader == "front-reader":
            self._driver: Any = WiegandReader(house.inputs("front-d0", "front-d1"))
            self._format = wire.ANY
        elif reader == "yard-keypad":
            self._driver = Keypad(house.inputs("yard-keys-d0", "yard-keys-d1"))
            self._format = wire.ANY
        else:
            part = house.config["devices"][reader]
            stream = house.serial_ports.stream(part["port"], part["baud"])
            self._driver = SerialReader(stream, part["framing"])
            self._format = part["framing"]
        self._driver.poll(house.clock.now_ms())

    def listen(self, ms: int) -> "list[tuple[Any, int]]":
        """What came in within `ms`."""
        heard: list[tuple[Any, int]] = []
        for _ in range(ms):
            self._house.run(1)
            now_ms = self._house.clock.now_ms()
            for reading in self._driver.poll(now_ms):
                if reading.kind in (BITS, LINE):
                    record = wire.decode(reading, self._format)
                    heard.append((_told(record), now_ms))
                else:
                    heard.append((reading.kind, now_ms))
        return heard


def _told(record: "Any") -> str:
    for field in ("number", "key", "text", "why"):
        if hasattr(record, field):
            return plain(getattr(record, field))
    return repr(record)


def words(heard: "list[tuple[Any, int]]") -> "list[Any]":
    return [what for what, _ in heard]


def test_every_card_is_read_as_it_is_written_within_400_ms() -> None:
    for number, read in (
        (FREE, FREE),
        ("w26:12:34567", FREE),
        ("w34:1234567890", "w34:1234567890"),
        ("w37:00000000042", "w37:00000000042"),
        ("uid:04A1B2C3", "w34:0077705923"),
        ("uid:04a1b2c3", "w34:0077705923"),
    ):
        for point, reader in (("front-in", "front-reader"), ("yard-in", "yard-reader")):
            house = House()
            ear = Ear(house, reader)
            house.act("present_card", access_point=point, number=number)
            assert words(ear.listen(400)) == [read], (point, number)


def test_a_long_uid_is_read_by_a_serial_reader_only() -> None:
    house = House()
    ear = Ear(house, "yard-reader")
    house.act("present_card", access_point="yard-in", number="uid:04A1B2C3D4E5F6")
    assert words(ear.listen(400)) == ["uid:04A1B2C3D4E5F6"]
    for point in ("front-in", "yard-out"):
        text = ""
        try:
            house.act("present_card", access_point=point, number="uid:04A1B2C3D4E5F6")
        except VerbError as error:
            text = str(error)
        assert text.startswith("present_card: ")
        assert "04A1" not in text


def test_an_rdm6300_sends_the_cards_it_can_read() -> None:
    house = House()
    ear = Ear(house, "out-reader")
    house.act("present_card", access_point="yard-out", number="w34:1234567890")
    assert words(ear.listen(100)) == ["w34:1234567890"]
    house.act("present_card", access_point="yard-out", person="new_tenant")
    assert words(ear.listen(100)) == ["w34:2403082711"]


def test_every_demo_card_is_read_at_the_front_door() -> None:
    for name in ("resident", "cleaner", "ended_lease", "lost_card", "new_tenant", "manager"):
        house = House()
        ear = Ear(house, "front-reader")
        house.act("present_card", access_point="front-in", person=name)
        assert len(ear.listen(150)) == 1, name


def test_the_two_lines_are_never_active_at_once() -> None:
    house = House()
    inputs = house.inputs("front-d0", "front-d1")
    house.act("present_card", access_point="front-in", number="w34:1234567890")
    house.act("enter_pin", access_point="front-in", digits="0123456789*")
    house.run(5000)
    active = [False, False]
    edges = inputs.take()
    for edge in edges:
        active[edge.line] = edge.level
        assert active != [True, True]
    assert len(edges) == 2 * (34 + 12 * 4)
    assert edges[0].at_ms == 0


def test_two_cards_at_once_are_two_whole_frames() -> None:
    for point, reader in (("front-in", "front-reader"), ("yard-in", "yard-reader")):
        house = House()
        ear = Ear(house, reader)
        house.act("present_card", access_point=point, number=FREE)
        house.act("present_card", access_point=point, number="w34:1234567890")
        assert words(ear.listen(400)) == [FREE, "w34:1234567890"], point


def test_the_same_card_again_is_a_presentation_of_its_own() -> None:
    for apart_ms in (0, 1, 100, 299, 300, 301, 450):
        for point, reader in (("front-in", "front-reader"), ("yard-in", "yard-reader")):
            house = House()
            ear = Ear(house, reader)
            house.act("present_card", access_point=point, number=FREE)
            heard = ear.listen(apart_ms)
            house.act("present_card", access_point=point, number=FREE)
            heard = heard + ear.listen(400)
            assert words(heard) == [FREE, FREE], (apart_ms, point)


def test_a_pin_is_its_keys_and_a_hash_within_300_ms_a_digit() -> None:
    for point, reader in (("front-in", "front-reader"), ("yard-in", "yard-keypad")):
        house = House()
        ear = Ear(house, reader)
        house.act("enter_pin", access_point=point, digits="0090*")
        heard = ear.listen(5 * 300)
        assert words(heard) == ["0", "0", "9", "0", "*", "#"], point
        assert heard[0][1] <= 50


def test_two_pins_at_once_are_typed_one_after_the_other() -> None:
    house = House()
    ear = Ear(house, "front-reader")
    house.act("enter_pin", access_point="front-in", digits="12")
    house.act("enter_pin", access_point="front-in", digits="34")
    assert words(ear.listen(2000)) == ["1", "2", "#", "3", "4", "#"]


def test_a_card_between_two_keys_spoils_neither() -> None:
    house = House()
    ear = Ear(house, "front-reader")
    house.act("enter_pin", access_point="front-in", digits="12")
    heard = ear.listen(240)
    house.act("present_card", access_point="front-in", number=FREE)
    heard = heard + ear.listen(800)
    assert words(heard) == ["1", FREE, "2", "#"]


def test_a_code_is_shown_with_its_sign() -> None:
    house = House()
    ear = Ear(house, "yard-reader")
    house.act("show_qr", access_point="yard-in", person="visitor")
    house.act("show_qr", access_point="yard-in", text="w26:012:34567")
    house.act("show_qr", access_point="yard-in", text="门" * 170)
    house.act("present_card", access_point="yard-in", number=FREE)
    heard = words(ear.listen(3000))
    assert heard == ["DOORWARD-VISIT-7Q4K-2M9X", "w26:012:34567", "门" * 170, FREE]


def test_a_serial_line_carries_its_bytes_at_its_baud_rate() -> None:
    house = House()
    stream = house.serial_ports.stream("sim:yard", 9600)
    stream.open()
    house.act("present_card", access_point="yard-in", number=FREE)
    came = []
    for _ in range(20):
        house.run(1)
        came.append(len(stream.read()))
    assert sum(came) == 15
    assert max(came) <= 4
    assert came[15] == 3  # 15 bytes of ten bits take 15.6 ms


def test_without_power_readers_show_nothing_and_forget_what_they_sent() -> None:
    house = House()
    house.act("cut_power")
    house.act("present_card", access_point="front-in", number=FREE)
    house.act("enter_pin", access_point="front-in", digits="4711")
    house.act("show_qr", access_point="yard-in", text="code")
    house.act("restore_power")
    ears = [Ear(house, "front-reader"), Ear(house, "yard-reader")]
    assert [words(ear.listen(2000)) for ear in ears] == [[], []]


def test_a_power_cut_in_the_middle_of_a_frame_leaves_the_lines_at_rest() -> None:
    for ms in range(8):
        house = House()
        house.act("enter_pin", access_point="front-in", digits="12")
        house.run(ms)
        house.act("cut_power")
        house.act("restore_power")
        ear = Ear(house, "front-reader")
        assert words(ear.listen(1000)) == [], ms
        house.act("present_card", access_point="front-in", number=FREE)
        assert words(ear.listen(200)) == [FREE], ms


def test_an_unplugged_wiegand_reader_is_not_heard() -> None:
    house = House()
    ear = Ear(house, "front-reader")
    house.act("present_card", access_point="front-in", number=FREE)
    heard = ear.listen(11)
    house.act("unplug", device="front-reader", on=True)
    heard = heard + ear.listen(200)
    assert FREE not in words(heard)
    assert STUCK not in words(heard)
    house.act("present_card", access_point="front-in", number=FREE)
    assert ear.listen(400) == []
    house.act("unplug", device="front-reader", on=False)
    house.act("present_card", access_point="front-in", number=FREE)
    assert words(ear.listen(400)) == [FREE]


def test_an_unplugged_serial_reader_is_lost_and_comes_back() -> None:
    house = House()
    ear = Ear(house, "yard-reader")
    house.act("unplug", device="yard-reader", on=True)
    house.act("unplug", device="yard-reader", on=True)
    house.act("present_card", access_point="yard-in", number=FREE)
    assert words(ear.listen(700)) == [LOST]
    house.act("unplug", device="yard-reader", on=False)
    assert words(ear.listen(600)) == [BACK]
    house.act("present_card", access_point="yard-in", number=FREE)
    assert words(ear.listen(400)) == [FREE]


def test_a_late_loop_dates_the_bits_as_they_were_sent() -> None:
    house = House()
    inputs = house.inputs("front-d0", "front-d1")
    house.act("present_card", access_point="front-in", number=FREE)
    house.run(5)
    house.clock.advance(30)  # something else took that long
    house.run(60)
    stamps = [edge.at_ms for edge in inputs.take()]
    assert stamps == list(range(52))
