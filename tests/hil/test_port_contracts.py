"""The ports' contract suites where they need a kernel's GPIO chip: in the guest, on gpio-sim.

They are the tests of tests/contract that are skipped elsewhere.
"""

import re
from typing import NamedTuple

import pytest
from guest import Guest
from line_checks import CHECKS, check_an_output_starts_at_its_level_and_has_shown_no_other
from test_hal_backends_rpi_gpio import ELSEWHERE

GPIOD = "tests/contract/test_hal_backends_gpiod_lines.py"
RPI = "tests/contract/test_hal_backends_rpi_gpio.py"
TEST = "test_the_backend_keeps_the_contract_on_a_real_chip"
ENVIRONMENT = {
    "PYTHONPATH": "/opt/hil-python",
    "PYTHONUTF8": "1",
    "RPI_LGPIO_REVISION": "c03111",  # a Pi 4: the library looks for a board
    "LG_WD": "/run",  # lgpio makes a fifo where it is imported
}


class Suite(NamedTuple):
    """A run of pytest in the guest."""

    outcomes: dict[str, str]
    out: str


def run_suite(guest: Guest, path: str, only: str = "") -> Suite:
    """Every check of a suite on a real chip, by the check's name, or `only` one."""
    words = ["/opt/doorward/.venv/bin/python", "-m", "pytest", "-p", "no:cacheprovider", "-rA"]
    words += ["--tb=short", "-k", f"{TEST} and {only}" if only else TEST, path]
    done = guest.run(*words, limit_s=240, folder="/opt/doorward", environment=ENVIRONMENT)
    found = re.findall(rf"^([A-Z]+) \S+::{TEST}\[(\w+)\]", done.out, re.MULTILINE)
    return Suite({check: outcome for outcome, check in found}, done.out)


@pytest.fixture(scope="module")
def gpiod_suite(guest: Guest) -> Suite:
    return run_suite(guest, GPIOD)


@pytest.fixture(scope="module")
def rpi_suite(guest: Guest) -> Suite:
    return run_suite(guest, RPI)


@pytest.mark.parametrize("check", [check.__name__ for check in CHECKS])
def test_the_gpiod_backend_keeps_the_contract_on_a_kernels_chip(
    gpiod_suite: Suite, check: str
) -> None:
    assert gpiod_suite.outcomes.get(check) == "PASSED", gpiod_suite.out


@pytest.mark.parametrize("check", [check.__name__ for check in CHECKS if check not in ELSEWHERE])
def test_the_rpi_gpio_backend_keeps_the_contract_on_a_kernels_chip(
    rpi_suite: Suite, check: str
) -> None:
    assert rpi_suite.outcomes.get(check) == "PASSED", rpi_suite.out


@pytest.mark.parametrize("path", [GPIOD, RPI])
def test_an_output_has_shown_one_level_alone_in_the_kernels_log_too(
    guest: Guest, path: str
) -> None:
    """RPi.GPIO's rig looks at a line afterwards, and would miss a blip."""
    check = check_an_output_starts_at_its_level_and_has_shown_no_other.__name__
    seen = len(guest.settled())
    suite = run_suite(guest, path, check)
    assert suite.outcomes == {check: "PASSED"}, suite.out
    levels: dict[tuple[str, int], set[int]] = {}
    for _, label, what, line, level in guest.settled()[seen:]:
        if what in ("out", "set"):
            levels.setdefault((label, line), set()).add(level)
    assert [len(shown) for shown in levels.values()] == [1] * 4
