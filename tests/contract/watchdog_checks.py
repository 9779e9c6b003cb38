"""The contract of `hal.ports.Watchdog`, for the fake and for the real ones."""

from hal.errors import DeviceUnavailableError
from hal.ports import Watchdog


class WatchdogChecks:
    """Subclasses open one watchdog and tell what it did."""

    def open(self) -> Watchdog:
        """A watchdog that runs."""
        raise NotImplementedError

    def pets(self) -> int:
        """How often it was petted since it was opened."""
        raise NotImplementedError

    def runs(self) -> bool:
        """Whether it will bite who does not pet it."""
        raise NotImplementedError

    def break_(self) -> None:
        """The device goes."""
        raise NotImplementedError

    def test_it_runs_from_its_opening_on_and_says_how_long_it_waits(self) -> None:
        watchdog = self.open()
        assert self.runs()
        assert watchdog.timeout_ms >= 1000

    def test_every_pet_reaches_it(self) -> None:
        watchdog = self.open()
        before = self.pets()
        for _ in range(3):
            watchdog.pet()
        assert self.pets() - before == 3

    def test_a_clean_close_stops_it_and_closing_twice_is_fine(self) -> None:
        watchdog = self.open()
        watchdog.close()
        watchdog.close()
        assert not self.runs()

    def test_petting_a_closed_one_is_an_error(self) -> None:
        watchdog = self.open()
        watchdog.close()
        assert "; expected " in _refusal(watchdog)

    def test_one_that_has_gone_is_told_in_one_line_and_still_runs(self) -> None:
        watchdog = self.open()
        self.break_()
        said = _refusal(watchdog)
        assert "; expected " in said
        assert "\n" not in said
        assert self.runs()


def _refusal(watchdog: Watchdog) -> str:
    """What `pet` says; nothing if it says nothing."""
    said = ""
    try:
        watchdog.pet()
    except DeviceUnavailableError as error:
        said = str(error)
    return said
