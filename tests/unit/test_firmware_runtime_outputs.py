"""`firmware.runtime.outputs` with an output that cannot be driven for a while: an expander without supply."""

from types import SimpleNamespace
from typing import Any

from firmware.runtime.outputs import Outputs
from firmware.runtime.ports import Batch
from hal.drivers.buzzer import Buzzer
from hal.errors import DeviceUnavailableError
from hal.ports import DigitalOutput

GONE = "/dev/i2c-1 0x20: does not answer; expected the chip there"


class _Line(DigitalOutput):
    """A line whose chip goes and comes."""

    def __init__(self) -> None:
        self.gone = False
        self.on = False
        self.tries = 0

    def write(self, on: bool) -> None:
        self.tries += 1
        if self.gone:
            raise DeviceUnavailableError(GONE)
        self.on = on

    def read(self) -> bool:
        return self.on


class _Door:
    """A controller's outputs with one buzzer, and a house in which nothing happens."""

    def __init__(self) -> None:
        self.line = _Line()
        config: dict[str, Any] = {
            "devices": {"buzzer": {"max_pulse_ms": 1000}},
            "portals": {},
            "access_points": {"in": {"led": None, "buzzer": "buzzer"}},
            "alarms": {"siren": None, "beacon": None},
        }
        self.outputs = Outputs(config, {"buzzer": Buzzer(self.line, 1000)})
        self.told: list[tuple[str, bool, str]] = []
        self.outputs.on_fault = lambda device, ok, text: self._fault(device, ok, text)
        self.signals = SimpleNamespace(light="off", sound=False)
        at = SimpleNamespace(portal=SimpleNamespace(name="p"), signals=self.signals)
        alarms = SimpleNamespace(sounding=lambda now_ms: [], alarms=list)
        self.site: Any = SimpleNamespace(portals={}, access_points={"in": at}, alarms=alarms)

    def apply(self, now_ms: int) -> None:
        self.outputs.apply(self.site, None, now_ms)

    def _fault(self, device: str, ok: bool, text: str) -> None:
        self.told.append((device, ok, text))
        assert len(self.told) < 10, "told again and again"
        self.apply(0)  # as the controller does once the record is made


def test_an_output_that_cannot_be_driven_is_told_once_and_its_end_once() -> None:
    door = _Door()
    door.line.gone = True
    for now_ms in range(0, 5000, 1000):
        door.apply(now_ms)
    assert door.told == [("buzzer", False, GONE)]
    door.line.gone = False
    for now_ms in range(5000, 8000, 1000):
        door.apply(now_ms)
    assert door.told == [("buzzer", False, GONE), ("buzzer", True, "works again")]


def test_an_output_that_goes_while_it_sounds_keeps_nobody_busy_and_ends_when_it_is_back() -> None:
    door = _Door()
    door.signals.sound = True
    door.apply(0)
    door.apply(1)
    assert door.line.on
    assert door.outputs.deadline_ms == 1000
    door.line.gone = True
    door.apply(1001)
    assert door.told == [("buzzer", False, GONE)]
    assert door.outputs.deadline_ms is None  # the door's own round tries it again, each second
    tries = door.line.tries
    door.apply(2001)
    assert door.line.tries > tries
    door.line.gone = False
    door.apply(3001)
    assert door.line.on is False
    assert door.told[1:] == [("buzzer", True, "works again")]


# ---- a release and its record ----------------------------------------------------------------------


class _Strike:
    """A lock that notes how it is driven."""

    def __init__(self) -> None:
        self.driven: list[bool] = []

    def set_unlocked(self, unlocked: bool) -> None:
        self.driven.append(unlocked)


class _BarelyLate(Batch):
    """Durable from the moment on in which the door makes it late."""

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name == "late" and value:
            self.durable = True


def _released(batch: Batch) -> tuple[Outputs, Any, _Strike]:
    """A portal that a card has released at 0 ms, by a record that is in `batch`."""
    config: dict[str, Any] = {
        "devices": {"strike": {}},
        "portals": {"front": {"lock": "strike"}},
        "access_points": {},
        "alarms": {"siren": None, "beacon": None},
    }
    strike = _Strike()
    outputs = Outputs(config, {"strike": strike})
    portal = SimpleNamespace(unlocked=True, waits_for_record=lambda now_ms: True)
    alarms = SimpleNamespace(sounding=lambda now_ms: [], alarms=list)
    site: Any = SimpleNamespace(portals={"front": portal}, access_points={}, alarms=alarms)
    outputs.apply(site, batch, 0)
    return outputs, site, strike


def test_a_door_waits_for_its_record_for_100_ms_and_then_makes_it_late() -> None:
    batch = Batch([{"type": "access.granted"}], [0], {})
    outputs, site, strike = _released(batch)
    assert outputs.deadline_ms == 100
    outputs.apply(site, None, 99)
    assert (strike.driven, batch.late) == ([], False)
    outputs.apply(site, None, 100)
    assert (strike.driven, batch.late) == ([True], True)


def test_a_record_that_is_durable_in_time_is_not_late() -> None:
    batch = Batch([{"type": "access.granted"}], [0], {})
    outputs, site, strike = _released(batch)
    batch.durable = True
    outputs.apply(site, None, 40)
    assert (strike.driven, batch.late) == ([True], False)


def test_a_record_that_became_durable_in_the_very_moment_is_not_late() -> None:
    batch = _BarelyLate([{"type": "access.granted"}], [0], {})
    outputs, site, strike = _released(batch)
    outputs.apply(site, None, 100)
    assert (strike.driven, batch.late) == ([True], False)


class Racing(Batch):
    """A batch that another thread tells durable at the moment at which it is made late."""

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name == "late" and value:
            super().__setattr__("durable", True)


def test_a_batch_that_is_durable_at_the_moment_the_door_gives_up_is_not_late() -> None:
    for batch in (Racing([], [], {}), Batch([], [], {})):
        batch.mark_late()
        assert batch.late == (not isinstance(batch, Racing))
    batch = Batch([], [], {})
    batch.durable = True
    batch.mark_late()
    assert not batch.late
