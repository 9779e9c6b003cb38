"""`firmware.services.service_manager`: the words of sd_notify(3), and silence where nobody listens."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.services.service_manager import ServiceManager
from hal.errors import DeviceUnavailableError


@pytest.fixture(params=["path", "abstract"])
def ear(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A socket that listens, and what NOTIFY_SOCKET says of it."""
    name = str(tmp_path / "notify")
    bound, told = name, name
    if request.param == "abstract":
        bound, told = "\0" + name, "@" + name
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.bind(bound)
        one.setblocking(False)
        yield one, told


def _heard(ear: socket.socket) -> list[str]:
    heard = []
    while True:
        try:
            heard.append(ear.recv(4096).decode())
        except BlockingIOError:
            return heard


def test_every_word_reaches_who_started_us(ear: tuple[socket.socket, str]) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": ear[1], "WATCHDOG_USEC": "3000000"})
    assert manager.started
    assert manager.timeout_ms == 3000
    manager.status("reads its journal")
    manager.ready("sunrise/c-01 decides")
    manager.pet()
    manager.stopping()
    assert _heard(ear[0]) == [
        "STATUS=reads its journal",
        "READY=1\nSTATUS=sunrise/c-01 decides",
        "WATCHDOG=1",
        "STOPPING=1",
    ]


def test_a_status_is_one_line_whatever_it_is_given(ear: tuple[socket.socket, str]) -> None:
    ServiceManager({"NOTIFY_SOCKET": ear[1]}).status("one\nREADY=1\n two")
    assert _heard(ear[0]) == ["STATUS=one READY=1 two"]


def test_without_a_service_manager_nothing_happens() -> None:
    manager = ServiceManager({})
    assert not manager.started
    assert manager.timeout_ms == 0
    manager.ready("decides")
    manager.pet()
    manager.stopping()
    manager.close()


def test_a_watchdog_that_is_meant_for_another_process_is_not_petted(
    ear: tuple[socket.socket, str],
) -> None:
    other = str(os.getpid() + 1)
    given = {"NOTIFY_SOCKET": ear[1], "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": other}
    manager = ServiceManager(given)
    manager.pet()
    assert _heard(ear[0]) == []
    assert given == {}, "a child would speak for us"


def test_a_manager_that_does_not_listen_now_is_told_later_and_nobody_waits(
    ear: tuple[socket.socket, str],
) -> None:
    given = {"NOTIFY_SOCKET": ear[1], "WATCHDOG_USEC": "3000000"}
    manager = ServiceManager(given)
    for _ in range(100_000):
        manager.pet()
        if manager._refused:
            break
    assert manager._refused, "the socket never filled"
    manager.ready("decides")
    first = _heard(ear[0])
    assert set(first) == {"WATCHDOG=1"}
    manager.pet()
    assert _heard(ear[0]) == ["READY=1\nSTATUS=decides\nWATCHDOG=1"]


def test_a_socket_that_has_gone_is_told_by_its_kind(tmp_path: Path) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "gone"), "WATCHDOG_USEC": "3000000"})
    with pytest.raises(DeviceUnavailableError) as told:
        manager.pet()
    assert str(told.value) == (
        "service manager: no such file or directory; expected its socket (NOTIFY_SOCKET)"
    )
