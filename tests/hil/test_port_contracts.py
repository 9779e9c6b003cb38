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


class Suites(NamedTuple):
    """A run of both suites in the guest.

    outcomes  dict  by the suite's path and the check's name
    """

    outcomes: dict[tuple[str, str], str]
    out: str


def run_suites(guest: Guest, only: str = "") -> Suites:
    """Every check of both on a real chip, or `only` one."""
    words = ["/opt/doorward/.venv/bin/python", "-m", "pytest", "-p", "no:cacheprovider", "-rA"]
    words += ["--tb=short", "-k", f"{TEST} and {only}" if only else TEST, GPIOD, RPI]
    done = guest.run(*words, limit_s=240, folder="/opt/doorward", environment=ENVIRONMENT)
    found = re.findall(rf"^([A-Z]+) (\S+)::{TEST}\[(\w+)\]", done.out, re.MULTILINE)
    return Suites({(path, check): outcome for outcome, path, check in found}, done.out)


@pytest.fixture(scope="module")
def suites(guest: Guest) -> Suites:
    return run_suites(guest)


@pytest.mark.parametrize("check", [check.__name__ for check in CHECKS])
def test_the_gpiod_backend_keeps_the_contract_on_a_kernels_chip(suites: Suites, check: str) -> None:
    assert suites.outcomes.get((GPIOD, check)) == "PASSED", suites.out


@pytest.mark.parametrize("check", [check.__name__ for check in CHECKS if check not in ELSEWHERE])
def test_the_rpi_gpio_backend_keeps_the_contract_on_a_kernels_chip(
    suites: Suites, check: str
) -> None:
    assert suites.outcomes.get((RPI, check)) == "PASSED", suites.out


def test_an_output_has_shown_one_level_alone_in_the_kernels_log_too(guest: Guest) -> None:
    """RPi.GPIO's rig looks at a line afterwards, and would miss a blip. Each check has a chip of its own."""
    check = check_an_output_starts_at_its_level_and_has_shown_no_other.__name__
    seen = len(guest.settled())
    suites = run_suites(guest, check)
    assert suites.outcomes == {(GPIOD, check): "PASSED", (RPI, check): "PASSED"}, suites.out
    levels: dict[tuple[str, int], set[int]] = {}
    for _, label, what, line, level in guest.settled()[seen:]:
        if what in ("out", "set"):
            levels.setdefault((label, line), set()).add(level)
    assert [len(shown) for shown in levels.values()] == [1] * 8
