# portable
"""`hal.drivers.lock`: which way the current runs."""

from test_hal_drivers_fakes import FakeOutput

from hal.drivers.lock import Lock
from hal.errors import DeviceUnavailableError


def test_a_fail_secure_lock_is_energised_to_unlock() -> None:
    output = FakeOutput()
    lock = Lock(output, "fail_secure")
    assert lock.unlocked is False
    lock.set_unlocked(True)
    assert lock.unlocked is True
    lock.set_unlocked(False)
    assert lock.unlocked is False
    assert output.written == [True, False]


def test_a_fail_safe_lock_is_energised_to_lock() -> None:
    output = FakeOutput()
    lock = Lock(output, "fail_safe")
    assert lock.unlocked is True
    lock.set_unlocked(False)
    assert lock.unlocked is False
    lock.set_unlocked(True)
    assert lock.unlocked is True
    assert output.written == [True, False]


def test_making_a_lock_moves_nothing() -> None:
    for fail_mode in ("fail_secure", "fail_safe"):
        output = FakeOutput()
        Lock(output, fail_mode)
        assert output.written == []


def test_without_power_a_fail_secure_lock_is_locked_and_a_fail_safe_one_open() -> None:
    for fail_mode, unlocked in (("fail_secure", False), ("fail_safe", True)):
        output = FakeOutput()
        lock = Lock(output, fail_mode)
        lock.set_unlocked(not unlocked)
        lock.release_power()
        assert output.read() is False
        assert lock.unlocked is unlocked


def test_a_lock_whose_line_has_gone_says_so() -> None:
    output = FakeOutput()
    output.gone = True
    refused = False
    try:
        Lock(output, "fail_safe").set_unlocked(True)
    except DeviceUnavailableError:
        refused = True
    assert refused


def test_an_unknown_fail_mode_is_refused() -> None:
    refused = ""
    try:
        Lock(FakeOutput(), "fail-safe")
    except ValueError as error:
        refused = str(error)
    assert refused == "lock: unknown fail_mode; expected fail_secure or fail_safe"
