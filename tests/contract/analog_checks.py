# portable
"""What every implementation of `hal.ports.AnalogInputs` owes its callers, as checks that need an `AnalogRig`.

Portable, as `line_checks`. A check returns None, or in words why it does not apply to this rig.
"""

from line_checks import refused

from hal.errors import DeviceUnavailableError, LineBusyError, LineUnknownError
from hal.ports import AnalogInputs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LEVELS = (0, 150, 333, 500, 667, 850, 1000, 333, 0)


class AnalogRig:
    """One implementation with the outside world at hand; fresh for each check.

    names     three channels that are free
    unknown   the name of a channel that there is not
    exact     permille that a level may be off: the converter's steps and noise
    may_fail  `lose` and `find` can take the converter away
    """

    names: "tuple[str, ...]" = ("adc0", "adc1", "adc2")
    unknown = "adc99"
    exact = 10
    may_fail = True
    inputs: AnalogInputs

    def drive(self, name: str, permille: int) -> None:
        """The world brings a channel to a level, and it has arrived when this returns."""
        raise NotImplementedError

    def lose(self) -> None:
        """The converter no longer answers."""
        raise NotImplementedError

    def find(self) -> None:
        """It answers again."""
        raise NotImplementedError

    def close(self) -> None:
        """Take it down."""
        self.inputs.close()


def check_a_level_is_permille_of_the_supply(rig: AnalogRig) -> "str | None":
    channel = rig.inputs.channel(rig.names[0])
    assert channel.name == rig.names[0]
    for level in LEVELS:
        rig.drive(rig.names[0], level)
        found = channel.read()
        assert isinstance(found, int)
        assert 0 <= found <= 1000
        assert abs(found - level) <= rig.exact, (level, found)
    return None


def check_a_level_stays_and_reading_does_not_move_it(rig: AnalogRig) -> "str | None":
    channel = rig.inputs.channel(rig.names[0])
    rig.drive(rig.names[0], 667)
    for _ in range(50):
        assert abs(channel.read() - 667) <= rig.exact
    return None


def check_a_channel_is_at_its_level_when_it_is_claimed(rig: AnalogRig) -> "str | None":
    rig.drive(rig.names[1], 333)
    assert abs(rig.inputs.channel(rig.names[1]).read() - 333) <= rig.exact
    return None


def check_channels_do_not_move_each_other(rig: AnalogRig) -> "str | None":
    channels = [rig.inputs.channel(name) for name in rig.names]
    for name, level in zip(rig.names, (0, 500, 1000)):
        rig.drive(name, level)
    for channel, level in zip(channels, (0, 500, 1000)):
        assert abs(channel.read() - level) <= rig.exact
    rig.drive(rig.names[1], 0)
    assert abs(channels[0].read() - 0) <= rig.exact
    assert abs(channels[2].read() - 1000) <= rig.exact
    return None


def check_a_channel_is_claimed_once(rig: AnalogRig) -> "str | None":
    channel = rig.inputs.channel(rig.names[0])
    refused(LineBusyError, lambda: rig.inputs.channel(rig.names[0]), rig.names[0])
    rig.drive(rig.names[0], 500)
    assert abs(channel.read() - 500) <= rig.exact
    return None


def check_a_channel_that_there_is_not_is_refused(rig: AnalogRig) -> "str | None":
    refused(LineUnknownError, lambda: rig.inputs.channel(rig.unknown), rig.unknown)
    return None


def check_a_closed_channel_is_nobodys(rig: AnalogRig) -> "str | None":
    name = rig.names[0]
    channel = rig.inputs.channel(name)
    channel.close()
    channel.close()
    refused(DeviceUnavailableError, channel.read, name)
    again = rig.inputs.channel(name)
    channel.close()
    rig.drive(name, 333)
    assert abs(again.read() - 333) <= rig.exact
    return None


def check_closing_the_board_lets_every_channel_go(rig: AnalogRig) -> "str | None":
    channels = [rig.inputs.channel(name) for name in rig.names[:2]]
    rig.inputs.close()
    rig.inputs.close()
    for channel in channels:
        refused(DeviceUnavailableError, channel.read, channel.name)
    rig.inputs.channel(rig.names[0])
    return None


def check_who_waits_is_told_of_every_move(rig: AnalogRig) -> "str | None":
    """By a call or a descriptor if the channel says that it wakes; else its reader polls."""
    channel = rig.inputs.channel(rig.names[0])
    if not channel.wakes:
        return "its reader polls"
    rig.drive(rig.names[0], 333)
    other = rig.inputs.channel(rig.names[1])
    called: list[int] = []
    channel.ready = lambda: called.append(channel.read())
    for level in (667, 0, 1000):
        rig.drive(rig.names[0], level)
        assert abs(called[-1] - level) <= rig.exact
    assert len(called) == 3
    other.read()
    rig.drive(rig.names[1], 500)
    assert len(called) == 3
    return None


def check_a_converter_that_does_not_answer_is_asked_again(rig: AnalogRig) -> "str | None":
    if not rig.may_fail:
        return "it cannot be taken away"
    channel = rig.inputs.channel(rig.names[0])
    rig.drive(rig.names[0], 667)
    rig.lose()
    for _ in range(3):
        refused(DeviceUnavailableError, channel.read, rig.names[0])
    rig.find()
    assert abs(channel.read() - 667) <= rig.exact
    return None


CHECKS = (
    check_a_level_is_permille_of_the_supply,
    check_a_level_stays_and_reading_does_not_move_it,
    check_a_channel_is_at_its_level_when_it_is_claimed,
    check_channels_do_not_move_each_other,
    check_a_channel_is_claimed_once,
    check_a_channel_that_there_is_not_is_refused,
    check_a_closed_channel_is_nobodys,
    check_closing_the_board_lets_every_channel_go,
    check_who_waits_is_told_of_every_move,
    check_a_converter_that_does_not_answer_is_asked_again,
)


def run_all(make: "Callable[[], AnalogRig]", not_here: "tuple[str, ...]" = ()) -> None:
    """Run every check, each on a fresh rig. `not_here`: those that are known not to apply."""
    skipped = []
    for check in CHECKS:
        rig = make()
        try:
            reason = check(rig)
        except Exception:
            print("failed: %s" % check.__name__)
            raise
        finally:
            rig.close()
        if reason is not None:
            skipped.append(check.__name__)
    assert tuple(skipped) == not_here, skipped
