"""What can go wrong with hardware, by who must act. One root; nothing from below leaks through a port.

The text of every error is one line: ``device: what was wrong; what was expected``.
"""


class HalError(Exception):
    """Root of every error of this package."""


class BoardConfigError(HalError):
    """The installer must act: the config does not fit this board. ``problems`` lists every line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class LineUnknownError(HalError):
    """The installer must act: the board has no line of that name (GPIO99)."""


class LineBusyError(HalError):
    """The installer must act: another program or device has the line (EBUSY)."""


class DeviceUnavailableError(HalError):
    """Nobody need act yet, try again: a device is not there (unplugged reader, missing chip)."""
