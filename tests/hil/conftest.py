"""The guest of this tier: made where it is missing, booted once, ended whatever happens.

Nothing here is skipped: what cannot be made fails, and says why.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import progress
import project_disk
import pytest
import x86_guest
from guest import Disk, Guest
from installed import House, make_chip
from outside_broker import Broker

from host_tools.image.cache import ImageError


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known. What is made here belongs to systems with several users."""
    os.umask(0o022)
    config.addinivalue_line("markers", "long: not in the quick half (make hil-quick)")
    progress.capture = config.pluginmanager.getplugin("capturemanager")


@pytest.fixture(scope="session")
def parts() -> x86_guest.Parts:
    """Kernel and root."""
    try:
        return x86_guest.parts()
    except ImageError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as a disk."""
    image = tmp_path_factory.mktemp("project") / "project.ext4"
    project_disk.write(image)
    return image


@pytest.fixture(scope="session")
def guest(
    parts: x86_guest.Parts, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Guest]:
    """A booted guest with the board's chip; what its lines do is written down."""
    folder = tmp_path_factory.mktemp("guest")
    disks = [Disk(parts.root), Disk(project)]
    words = "also=/dev/vdb:/opt/doorward:ro"
    with Guest(parts.kernel, parts.initramfs, disks, words, folder) as one:
        one.up()
        make_chip(one)
        yield one


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
