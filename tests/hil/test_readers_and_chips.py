"""Readers and chips where they need a kernel's own: in the guest, on uinput, i2c-stub, a clock that is set.

They are the tests of tests/contract that are skipped elsewhere.
"""

import re

import pytest
from guest import Guest

TESTS = (
    "tests/contract/test_hal_backends_input_keys.py",
    "tests/contract/test_hal_backends_mcp23017.py",
    "tests/contract/test_hal_backends_converters.py",
    "tests/contract/test_hal_backends_libosdp_readers.py",
)
STUB = "modprobe i2c-dev; modprobe i2c-stub chip_addr=0x20,0x48; modprobe uinput; modprobe evdev"


@pytest.fixture(scope="module")
def said(guest: Guest) -> str:
    """What the tests said there."""
    guest.shell(STUB)
    listed = guest.shell("i2cdetect -l")
    bus = re.search(r"^(i2c-[0-9]+)\s.*SMBus stub", str(listed), re.MULTILINE)
    assert bus is not None, listed
    words = ["/opt/doorward/.venv/bin/python", "-m", "pytest", "-p", "no:cacheprovider", "-rA"]
    environment = {
        "PYTHONPATH": "/opt/hil-python",
        "PYTHONUTF8": "1",
        "DOORWARD_I2C_STUB": f"/dev/{bus[1]}",
        "DOORWARD_MAY_SET_CLOCK": "1",
    }
    words += ["--tb=short", "-k", "kernels", *TESTS]
    return guest.run(*words, limit_s=240, folder="/opt/doorward", environment=environment).out


@pytest.mark.parametrize("path", TESTS)
def test_what_needs_a_kernels_own_passes_there(said: str, path: str) -> None:
    assert re.search(rf"^PASSED {path}::", said, re.MULTILINE), said
    assert not re.search(rf"^(FAILED|ERROR|SKIPPED) .*{path}", said, re.MULTILINE), said
