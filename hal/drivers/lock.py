"""A strike, bolt or magnet on one output; active is its coil energised.

Its safe level is without current: a fail-secure lock is then locked, a fail-safe one open. The
board opens the output that way, and goes back to it when the program stops.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal.ports import DigitalOutput

FAIL_SECURE = "fail_secure"  #: energise to unlock: locked without power
FAIL_SAFE = "fail_safe"  #: energise to lock: open without power


class Lock:
    """One lock.

    output     active is energised; opened without current
    fail_mode  str  "fail_secure" or "fail_safe"

    Every call raises `hal.errors.DeviceUnavailableError` if the line is no longer ours.
    """

    def __init__(self, output: "DigitalOutput", fail_mode: str) -> None:
        if fail_mode not in (FAIL_SECURE, FAIL_SAFE):
            raise ValueError("lock: unknown fail_mode; expected fail_secure or fail_safe")
        self.output = output
        self.fail_mode = fail_mode

    @property
    def unlocked(self) -> bool:
        """Whether the lock is told to be open."""
        return self.output.read() == (self.fail_mode == FAIL_SECURE)

    def set_unlocked(self, unlocked: bool) -> None:
        """Open the lock or engage it."""
        self.output.write(unlocked == (self.fail_mode == FAIL_SECURE))

    def release_power(self) -> None:
        """Take the current off: the safe level."""
        self.output.write(False)
