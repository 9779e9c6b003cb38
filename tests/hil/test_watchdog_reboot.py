"""Where even systemd does not help, the kernel's watchdog device starts the machine again: here softdog.

The guest is gone afterwards, so it is one of its own.
"""

from collections.abc import Iterator

import pytest
from emulator import Machine
from guest import Guest
from installed import BOARD, DOOR, House, booted

BITES_S = 15  #: what the backend asks for


@pytest.fixture
def house(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Another house, installed."""
    with Guest(machine, tmp_path_factory.mktemp("guest")) as guest:
        one = House(booted(guest), 0)
        one.install()
        yield one


def test_a_door_that_hangs_with_nobody_to_restart_it_restarts_the_board(house: House) -> None:
    guest = house.guest
    guest.shell("systemctl stop doorward.target; modprobe softdog; udevadm settle")
    assert guest.shell("stat -c %G /dev/watchdog0").strip() == "doorward-door"
    config = guest.read("/etc/doorward/board.toml").decode()
    assert config.startswith(BOARD.read_text())
    watched = config.replace("[controller]\n", '[controller]\nwatchdog = "/dev/watchdog0"\n')
    guest.write("/etc/doorward/board.toml", watched)
    # As if systemd hung too.
    guest.write(
        f"/run/systemd/system/{DOOR}.d/hangs.conf", "[Service]\nWatchdogSec=0\nRestart=no\n"
    )
    guest.shell("systemctl daemon-reload")
    house.start()
    assert guest.shell("cat /sys/class/watchdog/watchdog0/timeout").strip() == str(BITES_S)
    guest.run("sleep", str(BITES_S + 5), limit_s=60)  # a door that decides keeps it from biting
    house.strike("STOP")
    assert guest.ended(10 * BITES_S), "nobody petted the watchdog, and the board runs on"
