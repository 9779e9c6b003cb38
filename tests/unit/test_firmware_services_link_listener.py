"""`firmware.services.link_listener`: what systemd gives, and what only looks like it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOOK = """
import os
from firmware.services.link_listener import inherited
from hal.errors import HalError
os.dup2(int(os.environ.pop("GIVEN")), 3)
os.environ["LISTEN_PID"] = str(os.getpid() + int(os.environ.pop("OFF")))
try:
    one = inherited()
except HalError as error:
    print(error)
else:
    print(one and one.open().getsockname())
print([name for name in os.environ if name.startswith("LISTEN_")], os.get_inheritable(3))
"""


def look(given: socket.socket, off: int = 0, names: str = "link") -> list[str]:
    """What a process says that got `given` as systemd gives it."""
    asked = subprocess.run(
        [sys.executable, "-c", LOOK],
        pass_fds=(given.fileno(),),
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "LISTEN_FDS": "1",
            "LISTEN_FDNAMES": names,
            "GIVEN": str(given.fileno()),
            "OFF": str(off),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return asked.stdout.splitlines()


@pytest.mark.parametrize("names", ["link", ""])
def test_systemds_socket_is_taken_and_its_words_are_for_nobody_else(
    tmp_path: Path, names: str
) -> None:
    path = str(tmp_path / "link.sock")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path)
        one.listen()
        assert look(one, names=names) == [path, "[] False"]


def test_what_is_for_another_process_or_another_purpose_is_left_alone(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "link.sock"))
        one.listen()
        assert look(one, off=1)[0] == "None"
        assert look(one, names="other")[0] == "None"


@pytest.mark.parametrize("kind", ["datagram", "internet", "mute"])
def test_anything_but_a_listening_unix_socket_is_one_line(kind: str) -> None:
    family = socket.AF_INET if kind == "internet" else socket.AF_UNIX
    form = socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM
    with socket.socket(family, form) as one:
        if kind == "internet":
            one.bind(("127.0.0.1", 0))
            one.listen()
        assert look(one)[0] == (
            "link: what LISTEN_FDS gives is no listening unix stream socket; "
            "expected ListenStream=PATH"
        )
