"""The guest of this tier: made where it is missing, goes on from a saved state, ended whatever happens.

Nothing here is skipped: what cannot be made fails, and says why.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import progress
import project_disk
import pytest
import saved_guest
from emulator import GuestError, Machine
from guest import Guest
from installed import House, booted
from outside_broker import Broker
from xdist.scheduler import LoadScopeScheduling

from host_tools.image.cache import ImageError

#: What runs side by side (as many as `-n` says in the Makefile), in this order; what is not named comes last,
#: judged by its times, in one guest. No more than two sides work hard at a time, or a busy machine holds a
#: guest for longer than a reader's pause: the cuts yield, and have the machine in the end.
_SIDES = {
    "test_flaky_disk": "disks",
    "test_power_cut": "disks",
    "test_power_cut_afar": "waits",
    "test_readers_installed": "waits",
    "test_watchdog_reboot": "sleeps",
}


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known. What is made here belongs to systems with several users."""
    os.umask(0o022)
    for marker in (
        "long: not in the quick half (make hil-quick)",
        "pi: the emulated Pi 3 (make hil-pi)",
        "times: a table for an idle machine (make hil-times)",
    ):
        config.addinivalue_line("markers", marker)
    progress.capture = config.pluginmanager.getplugin("capturemanager")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """What runs side by side (make hil)."""
    made = LoadScopeScheduling(config, log)
    made._split_scope = lambda nodeid: _SIDES.get(Path(nodeid.partition("::")[0]).stem, "times")
    return made


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In the order of the sides."""
    place = {name: at for at, name in enumerate(_SIDES)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A PC that goes on where Debian is up, with the project as a disk."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # what several workers need is made once
    files, project = folder / "machine.json", folder / "project.ext4"
    with (folder / "machine.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not files.exists():
            try:
                made = saved_guest.saved()._replace(project=project)
            except (ImageError, GuestError) as error:
                pytest.fail(str(error), pytrace=False)
            project_disk.write(project)
            files.write_text(json.dumps([str(path) for path in made]))
    return Machine(*(Path(path) for path in json.loads(files.read_text())))


@pytest.fixture(scope="session")
def guest(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    """A guest with the board's chip; what its lines do is written down."""
    try:
        one = Guest(machine, tmp_path_factory.mktemp("guest"))
    except GuestError as error:
        pytest.fail(str(error), pytrace=False)
    with one:
        yield booted(one)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker for the guest."""
    one = Broker(tmp_path_factory.mktemp("broker"))
    yield one
    one.close()


@pytest.fixture(scope="session")
def house(guest: Guest, broker: Broker) -> House:
    """The house of the guest, installed; its services do not run yet."""
    one = House(guest, broker.port)
    one.install()
    return one
