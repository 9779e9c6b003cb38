"""`doorward --osdp-install`, the whole program: a reader gets its key, and is never lost on the way.

Readers are libosdp's peripheral side in processes of their own, over pseudo-terminals.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from osdp_rig import Peer, Rig, until

ROOT = Path(__file__).parents[2]
BOARD = ROOT / "board_configs" / "rpi4-two-doors-osdp.toml"
PORT = "/dev/serial/by-id/usb-FTDI_USB-RS485-if00-port0"
PATIENCE_S = 120
KEYSET = 5  #: what libosdp calls it
READER = "front-reader"


@pytest.fixture
def rig() -> Iterator[Rig]:
    one = Rig()
    yield one
    one.close()


class _Installer:
    """Somebody with the command line, a board and its state folder."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        self.state = folder / "state"
        self.state.mkdir()
        self.name = f"{READER}: {rig.port} address 0"
        self._board = folder / "board.toml"
        self._board.write_text(BOARD.read_text())
        self.change(PORT, rig.port)

    def change(self, old: str, new: str) -> None:
        """Another word in its board config."""
        text = self._board.read_text()
        assert old in text
        self._board.write_text(text.replace(old, new))

    def start(self, *args: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "firmware", "--board", str(self._board), *args],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def install(self, reader: str = READER, state: bool = True) -> tuple[int, str, str]:
        """Exit code, what it said, what it complained of."""
        where = ["--state", str(self.state)] if state else []
        process = self.start("--osdp-install", reader, *where)
        out, errors = process.communicate(timeout=PATIENCE_S)
        return process.returncode, out, errors

    def key(self) -> bytes | None:
        """The key that the reader has, as far as the folder knows."""
        path = self.state / f"osdp-{READER}.key"
        return path.read_bytes() if path.exists() else None

    def begun(self) -> bytes | None:
        """The key that it may have."""
        path = self.state / f"osdp-{READER}.next.key"
        return path.read_bytes() if path.exists() else None


@pytest.fixture
def installer(rig: Rig, tmp_path: Path) -> _Installer:
    return _Installer(rig, tmp_path)


def _keysets(peer: Peer) -> list[dict[str, object]]:
    return [one for one in peer.commands if one.get("command") == KEYSET]


def test_a_reader_in_its_install_mode_gets_a_key_that_nobody_sees(
    rig: Rig, installer: _Installer
) -> None:
    peer = rig.peer(0, key=None)
    assert installer.install() == (
        0,
        f"{installer.name}: is being given its key\n"
        f"{READER}: has its key and answers in its secure channel\n",
        "",
    )
    key = installer.key()
    assert key is not None
    assert key.hex() in str(_keysets(peer)[0]["data"])
    assert key not in rig.passed
    assert (installer.state / f"osdp-{READER}.key").stat().st_mode & 0o777 == 0o600


def test_an_install_that_was_killed_between_given_and_kept_loses_no_reader(
    rig: Rig, installer: _Installer
) -> None:
    peer = rig.peer(0, key=None, mute_after=KEYSET)
    process = installer.start("--osdp-install", READER, "--state", str(installer.state))
    try:
        until(lambda: _keysets(peer), "the reader was never given a key")
        process.send_signal(signal.SIGKILL)
    finally:
        process.communicate(timeout=PATIENCE_S)
    given = installer.begun()
    assert given is not None
    assert installer.key() is None
    code, _, wrong = installer.install()  # its power is still off: the key that it has must survive
    assert (code, wrong) == (
        1,
        f"{installer.name}: does not answer; expected it powered and wired, at this address and "
        "baud rate\n",
    )
    peer.tell(mute=False)
    assert installer.install()[::2] == (0, "")
    assert installer.key() is not None
    assert installer.begun() is None
    assert installer.install()[::2] == (0, "")  # and its key may be changed as ever


def test_an_install_that_was_killed_before_the_key_left_the_old_one_in_use(
    rig: Rig, installer: _Installer
) -> None:
    rig.peer(0, key=None)
    assert installer.install()[0] == 0
    old = installer.key()
    rig.peer(0, key=old)
    rig.cut = {0}
    process = installer.start("--osdp-install", READER, "--state", str(installer.state))
    try:
        until(installer.begun, "no key was kept before it was sent")
        process.send_signal(signal.SIGKILL)
    finally:
        process.communicate(timeout=PATIENCE_S)
    assert installer.key() == old
    rig.cut = set()
    assert installer.install()[::2] == (0, "")
    assert installer.key() not in (None, old)


def test_a_reader_with_a_key_of_somebody_else_is_refused_and_nothing_is_said_in_plain(
    rig: Rig, installer: _Installer
) -> None:
    peer = rig.peer(0, key=bytes(16))
    code, _, wrong = installer.install()
    assert (code, wrong) == (
        1,
        f"{installer.name}: takes neither its key nor the default one; expected it in its install "
        "mode (its manual says how)\n",
    )
    assert installer.key() is None
    assert _keysets(peer) == []
    begun = installer.begun()
    assert begun is not None
    assert begun not in rig.passed


def test_somebody_who_speaks_in_plain_gets_no_key(rig: Rig, installer: _Installer) -> None:
    rig.peer(0, key=None)
    rig.impostor(0, False, "1" * 26)
    code, _, wrong = installer.install()
    assert code == 1
    assert wrong.startswith(f"{installer.name}: ")
    begun = installer.begun()
    assert begun is not None
    assert begun not in rig.passed
    assert installer.key() is None


def test_wrong_use_is_one_line_and_sends_nothing(rig: Rig, installer: _Installer) -> None:
    rig.peer(0, key=None)
    assert installer.install(state=False) == (
        2,
        "",
        "--state: missing; expected the folder for records and keys\n",
    )
    assert installer.install("bus") == (
        2,
        "",
        "--osdp-install: bus is no osdp_reader; expected front-reader, back-reader\n",
    )
    assert rig.passed == b""
    assert list(installer.state.glob("osdp-*")) == []


def test_a_bus_that_is_not_there_is_one_line_that_says_what_to_do(
    rig: Rig, installer: _Installer
) -> None:
    rig.unplug()
    code, _, wrong = installer.install()
    assert (code, wrong) == (
        1,
        f"{READER}: {rig.port}: not there; expected the reader or its adapter plugged in\n",
    )


def test_a_port_that_cannot_turn_its_direction_is_one_line_and_nothing_is_sent(
    rig: Rig, installer: _Installer
) -> None:
    rig.peer(0, key=None)
    installer.change('driver = "osdp_bus"', 'driver = "osdp_bus"\nrs485 = "kernel"')
    code, _, wrong = installer.install()
    assert (code, wrong) == (
        1,
        f'{READER}: {rig.port}: its driver does not turn RS-485 by RTS as rs485 = "kernel" wants; '
        'expected a UART whose driver does, or rs485 = "adapter" and one that turns by itself\n',
    )
    assert rig.passed == b""
