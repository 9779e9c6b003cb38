"""Digital lines of a Linux board through the GPIO character device (libgpiod 2); the default.

The kernel stamps each edge as it happens, on the clock of `MonotonicTicks`, and keeps the edges of one
request in one order: a Wiegand reader's two lines are one request. An output's value travels in the
request that makes it one, so the line never shows another. The chip is found by its label, because its
number differs between kernels.

What a released output does afterwards is the kernel driver's affair; a safe level that must hold is the
one that the board's own pull gives (`hal.board_lines`).
"""

import errno
import glob
import importlib
import os
import re
from typing import Any

from hal.backends import access
from hal.errors import DeviceUnavailableError, HalError, LineBusyError, LineUnknownError
from hal.ports import DigitalInputs, DigitalOutput, Edge, Lines

_CONSUMER = "doorward"
_BUFFER = 256  #: edges the kernel keeps for one request: three of the longest Wiegand bursts
_AT_ONCE = 64  #: edges that the library hands over at a time
_MOST_READS = 16  #: buffers emptied by one `take`: a line that never rests must not hold the loop
_SEQUENCE = 0xFFFFFFFF  #: the kernel's sequence numbers have 32 bits
_NUMBERED = re.compile(r"GPIO([0-9]{1,3})\Z").match


class GpiodLines(Lines):
    """The lines of one GPIO chip.

    label    str     the chip's label, such as pinctrl-bcm2711 (`hal.board_facts`)
    folder   str     where the chips' device files are
    library  module  stands in for `gpiod`; left out: it is loaded at the first claim
    """

    def __init__(self, label: str, folder: str = "/dev", library: Any = None) -> None:
        self._label = label
        self._folder = folder
        self._gpiod = library
        self._chip: Any = None
        # Held here too: the library lets a request go as soon as nobody refers to it.
        self._claims: list[_Output | _Inputs] = []

    def output(self, name: str, active_low: bool, on: bool) -> DigitalOutput:
        """See `Lines.output`."""
        chip = self._open()
        line = self._gpiod.line
        settings = self._gpiod.LineSettings(
            direction=line.Direction.OUTPUT,
            active_low=active_low,
            output_value=line.Value.ACTIVE if on else line.Value.INACTIVE,
        )
        offset = self._offset(chip, name)
        request = self._request(chip, [name], [offset], settings)
        output = _Output(self, name, request, offset, on)
        self._claims.append(output)
        return output

    def inputs(self, names: list[str], active_low: bool, pull: str) -> DigitalInputs:
        """See `Lines.inputs`."""
        chip = self._open()
        line = self._gpiod.line
        bias = {
            "up": line.Bias.PULL_UP,
            "down": line.Bias.PULL_DOWN,
            "none": line.Bias.DISABLED,
        }[pull]
        settings = self._gpiod.LineSettings(
            direction=line.Direction.INPUT,
            edge_detection=line.Edge.BOTH,
            bias=bias,
            active_low=active_low,
            event_clock=line.Clock.MONOTONIC,
        )
        offsets = [self._offset(chip, name) for name in names]
        request = self._request(chip, names, offsets, settings)
        inputs = _Inputs(self, tuple(names), request, offsets)
        self._claims.append(inputs)
        return inputs

    def close(self) -> None:
        """See `Lines.close`; raises the first error, after the last line was let go."""
        failed: HalError | None = None
        for claim in list(self._claims):
            try:
                claim.close()
            except HalError as error:
                failed = failed or error
        if self._chip is not None:
            self._chip.close()
            self._chip = None
        if failed is not None:
            raise failed

    def _open(self) -> Any:
        """The chip, found by its label."""
        if self._chip is not None:
            return self._chip
        if self._gpiod is None:
            self._gpiod = _load()
        paths = sorted(glob.glob(os.path.join(self._folder, "gpiochip*")))
        if not paths:
            raise DeviceUnavailableError(
                f"gpiod: no chip in {self._folder}; expected {self._label}: a kernel with "
                "the GPIO character device, on the board that the config names"
            )
        seen = []
        shut: HalError | None = None
        for path in paths:
            try:
                chip = self._open_path(path)
            except DeviceUnavailableError as error:  # ours may be another
                shut = shut or error
                continue
            label = chip.get_info().label
            if label == self._label:
                self._chip = chip
                return chip
            chip.close()
            seen.append(f"{label} ({os.path.basename(path)})")
        if shut is not None:
            raise shut
        raise DeviceUnavailableError(
            f"gpiod: no chip is labelled {self._label}, only {', '.join(seen)}; "
            "expected the board that the config names"
        )

    def _open_path(self, path: str) -> Any:
        try:
            return self._gpiod.Chip(path)
        except PermissionError as error:
            raise DeviceUnavailableError(
                f"{path}: may not be opened; expected {access.expected(path, 'gpio')}"
            ) from error
        except OSError as error:
            raise DeviceUnavailableError(
                f"{path}: {error.strerror}; expected a GPIO chip's device file"
            ) from error

    def _offset(self, chip: Any, name: str) -> int:
        """The line's place on the chip: by its name there, else by its number."""
        try:
            found: int = chip.line_offset_from_id(name)
            return found
        except (OSError, ValueError):
            count: int = chip.get_info().num_lines
        numbered = _NUMBERED(name)
        if numbered is None or int(numbered[1]) >= count:
            raise LineUnknownError(
                f"{name}: {self._label} has no such line; expected GPIO0 to GPIO{count - 1}"
            )
        return int(numbered[1])

    def _request(self, chip: Any, names: list[str], offsets: list[int], settings: Any) -> Any:
        told = ", ".join(names)
        try:
            return chip.request_lines(
                config={tuple(offsets): settings},
                consumer=_CONSUMER,
                event_buffer_size=_BUFFER,
            )
        except OSError as error:
            if error.errno == errno.EBUSY:
                raise LineBusyError(self._who(chip, names, offsets)) from error
            raise DeviceUnavailableError(
                f"{told}: {error.strerror}; expected a line that can be claimed"
            ) from error
        except ValueError as error:  # one line twice in one request
            raise LineBusyError(f"{told}: named twice; expected lines of their own") from error

    def _who(self, chip: Any, names: list[str], offsets: list[int]) -> str:
        for name, offset in zip(names, offsets):
            info = chip.get_line_info(offset)
            if info.used:
                owner = f'"{info.consumer}"' if info.consumer else "the kernel"
                return f"{name}: {owner} has the line; expected a free one, then a new start"
        return f"{', '.join(names)}: somebody has the line; expected a free one, then a new start"


class _Output(DigitalOutput):
    def __init__(self, lines: GpiodLines, name: str, request: Any, offset: int, on: bool) -> None:
        self.name = name
        self._lines = lines
        self._request = request
        self._offset = offset
        self._safe = on
        self._on = on
        values = lines._gpiod.line.Value
        self._values = (values.INACTIVE, values.ACTIVE)

    def write(self, on: bool) -> None:
        if self._request is None:
            raise DeviceUnavailableError(f"{self.name}: closed; expected an open line")
        try:
            self._request.set_value(self._offset, self._values[on])
        except OSError as error:
            raise _gone(self.name, error) from error
        self._on = on

    def read(self) -> bool:
        return self._on

    def close(self) -> None:
        if self._request is None:
            return
        try:
            self.write(self._safe)
        finally:
            self._request.release()
            self._request = None
            self._lines._claims.remove(self)


class _Inputs(DigitalInputs):
    def __init__(
        self, lines: GpiodLines, names: tuple[str, ...], request: Any, offsets: list[int]
    ) -> None:
        self.names = names
        self._lines = lines
        self._request = request
        self._offsets = offsets
        self._active = lines._gpiod.line.Value.ACTIVE
        # A rising edge goes from inactive to active, whatever the volts do.
        self._rising = lines._gpiod.EdgeEvent.Type.RISING_EDGE
        self._sequence = dict.fromkeys(offsets, 0)
        self._lost = 0

    def levels(self) -> list[bool]:
        request = self._open()
        try:
            return [value == self._active for value in request.get_values(self._offsets)]
        except OSError as error:
            raise _gone(", ".join(self.names), error) from error

    def take(self) -> list[Edge]:
        request = self._open()
        edges: list[Edge] = []
        try:
            for _ in range(_MOST_READS):
                if not request.wait_edge_events(0):
                    break
                events = request.read_edge_events()
                edges.extend([self._edge(event) for event in events])
                if len(events) < _AT_ONCE:
                    break  # there were no more; one that comes now wakes the loop again
        except OSError as error:
            raise _gone(", ".join(self.names), error) from error
        return edges

    def _edge(self, event: Any) -> Edge:
        offset = event.line_offset
        self._lost += (event.line_seqno - self._sequence[offset] - 1) & _SEQUENCE
        self._sequence[offset] = event.line_seqno
        return Edge(
            self._offsets.index(offset),
            event.event_type == self._rising,
            event.timestamp_ns // 1_000_000,
        )

    def lost(self) -> int:
        lost = self._lost
        self._lost = 0
        return lost

    def fileno(self) -> int:
        if self._request is None:
            return -1
        descriptor: int = self._request.fd
        return descriptor

    def close(self) -> None:
        if self._request is not None:
            self._request.release()
            self._request = None
            self._lines._claims.remove(self)

    def _open(self) -> Any:
        if self._request is None:
            raise DeviceUnavailableError(f"{', '.join(self.names)}: closed; expected open lines")
        return self._request


def _gone(names: str, error: OSError) -> DeviceUnavailableError:
    return DeviceUnavailableError(f"{names}: {error.strerror}; expected the line to be there")


def _load() -> Any:
    try:
        library: Any = importlib.import_module("gpiod")
    except ImportError as error:
        raise DeviceUnavailableError(
            "gpiod: the library is not installed; expected the Python package gpiod 2"
        ) from error
    if not hasattr(library, "LineSettings"):
        raise DeviceUnavailableError("gpiod: libgpiod 1 is installed; expected libgpiod 2")
    return library
