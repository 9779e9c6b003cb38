"""A validated config becomes a board: every line claimed once, safe levels first, drivers built.

Portable: on a microcontroller the config comes validated from the host, as JSON. A lock is left without
current; the caller reads fire and REX first and engages fail-safe locks then.
"""

from hal.drivers import driver
from hal.errors import DeviceUnavailableError, HalError, LineBusyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from hal.ports import AnalogInputs, BusReader, Lines, ReaderBuses, SerialPorts

#: driver: the keys that name its lines
LINE_KEYS = {
    "lock": ("line",),
    "contact": ("line",),
    "rex": ("line",),
    "wiegand_reader": ("d0", "d1"),
    "keypad": ("d0", "d1"),
    "serial_reader": (),
    "supervised_contact": (),
    "led": ("red", "green"),
    "buzzer": ("line",),
    "siren": ("line",),
    "beacon": ("line",),
    "relay": ("line",),
    "osdp_bus": (),
    "osdp_reader": (),
    "osdp_led": (),
    "osdp_buzzer": (),
}

OSDP_DRIVERS = ("osdp_reader", "osdp_led", "osdp_buzzer")  #: on a bus that several readers share
OUTPUT_DRIVERS = ("lock", "led", "buzzer", "siren", "beacon", "relay")


class Board:
    """The opened board. Made by `open_board`; whoever made its `Lines` closes those.

    devices   dict  driver by device name; one that could not be opened is not in it
    problems  list of (device, message)  what could not be opened, and later what could not be closed
    busy      bool  something could not be opened because another program has it
    """

    def __init__(self) -> None:
        self.devices: dict[str, Any] = {}
        self.problems: list[tuple[str, str]] = []
        self.busy = False
        self._ports: list[tuple[str, Any]] = []
        self._bus_readers: dict[str, BusReader] = {}

    def close(self, first: int = 0) -> None:
        """Drive every output to its safe level and let every line go, outputs first.

        first  how many of those opened first are kept
        """
        ports = self._ports[first:]
        del self._ports[first:]
        for device, port in ports:
            try:
                port.close()
            except HalError as error:
                self.problems.append((device, str(error)))

    def _keep(self, device: str, port: "Any") -> "Any":
        self._ports.append((device, port))
        return port


def open_board(
    config: "dict[str, Any]",
    lines: "Lines",
    serial_ports: "SerialPorts",
    analog_inputs: "AnalogInputs | None" = None,
    buses: "ReaderBuses | None" = None,
    absent: "dict[str, str] | None" = None,
) -> Board:
    """Claim every line of `config` (from `load`) once and build its drivers; every lock de-energised.

    analog_inputs, buses  None: this board has none
    absent  devices that are not opened, and why (`hal.board.load`)

    A device that cannot be opened (a busy line, a missing chip) stands in `Board.problems`; the rest
    is opened. Whether a door may run without its lock, contact or REX is the caller's to decide.
    """
    board = Board()
    # Outputs first, locks before all: from here on each has its safe level, whatever its boot pull.
    order = ("lock",) + tuple([name for name in OUTPUT_DRIVERS if name != "lock"])
    devices = config["devices"]
    outputs = [
        name for kind in order for name in sorted(devices) if devices[name]["driver"] == kind
    ]
    inputs = [name for name in sorted(devices) if name not in outputs]
    for name in outputs + inputs:
        held = len(board._ports)
        if devices[name]["driver"] == "osdp_bus":
            continue  # nothing by itself: its readers open it
        if absent and name in absent:
            board.problems.append((name, absent[name]))
            continue
        try:
            if devices[name]["driver"] == "supervised_contact":
                board.devices[name] = _supervised(name, devices[name], board, analog_inputs)
            elif devices[name]["driver"] in OSDP_DRIVERS:
                board.devices[name] = _on_bus(name, devices, board, buses)
            else:
                board.devices[name] = _build(name, devices[name], board, lines, serial_ports)
        except HalError as error:
            board.problems.append((name, str(error)))
            board.busy = board.busy or isinstance(error, LineBusyError)
            board.close(held)
    return board


def _supervised(
    name: str, entry: "dict[str, Any]", board: Board, analog_inputs: "AnalogInputs | None"
) -> "Any":
    if analog_inputs is None:
        raise DeviceUnavailableError(
            "%s: this board has no analog input; expected one" % entry["input"]
        )
    channel = board._keep(name, analog_inputs.channel(entry["input"]))
    return driver(entry["driver"])(channel, entry["thresholds_permille"], entry["debounce_ms"])


def _on_bus(
    name: str, devices: "dict[str, Any]", board: Board, buses: "ReaderBuses | None"
) -> "Any":
    entry = devices[name]
    kind = entry["driver"]
    owner = name if kind == "osdp_reader" else entry["reader"]
    if buses is None:
        raise DeviceUnavailableError("%s: this board has no OSDP bus; expected one" % owner)
    if owner not in board._bus_readers:
        part = devices[owner]
        bus = devices[part["bus"]]
        reader = buses.reader(owner, bus["port"], bus["baud"], part["address"])
        board._bus_readers[owner] = board._keep(owner, reader)
    reader = board._bus_readers[owner]
    if kind == "osdp_reader":
        return driver(kind)(reader, entry["repeat_ms"])
    if kind == "osdp_led":
        return driver(kind)(reader)
    return driver(kind)(reader, entry["max_pulse_ms"])


def _build(
    name: str,
    entry: "dict[str, Any]",
    board: Board,
    lines: "Lines",
    serial_ports: "SerialPorts",
) -> "Any":
    kind = entry["driver"]
    build = driver(kind)
    if kind == "serial_reader":
        stream = board._keep(name, serial_ports.stream(entry["port"], entry["baud"]))
        if entry["framing"] == "pn532":
            return driver("pn532_reader")(stream, entry["repeat_ms"], entry["reopen_ms"])
        return build(stream, entry["framing"], entry["repeat_ms"], entry["reopen_ms"])
    names = [entry[key] for key in LINE_KEYS[kind]]
    low = entry["active"] == "low"
    if kind in OUTPUT_DRIVERS:
        ports = [
            board._keep(name, lines.output(line, low, False)) if line is not None else None
            for line in names
        ]
        if kind == "led":
            return build(*ports)
        return build(ports[0], entry["fail_mode" if kind == "lock" else "max_pulse_ms"])
    port = board._keep(name, lines.inputs(names, low, entry["pull"]))
    if kind == "wiegand_reader":
        return build(port, entry["frame_gap_ms"], entry["repeat_ms"])
    key = {"contact": "debounce_ms", "rex": "hold_off_ms", "keypad": "frame_gap_ms"}[kind]
    return build(port, entry[key])
