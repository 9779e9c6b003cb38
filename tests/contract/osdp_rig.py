"""An RS-485 bus of pseudo-terminals: a panel's port, readers in processes of their own, and the wire between.

The wire carries what the panel sends to every reader and what readers answer to the panel. It can tear it
into pieces with pauses, put noise into it, and leave a reader out.
"""

import binascii
import contextlib
import json
import os
import random
import select
import subprocess
import sys
import tempfile
import threading
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hal.backends.libosdp_readers import LibosdpBuses, LibosdpReader
from hal.backends.pyserial_port import PyserialPorts

KEY = bytes(range(0x11, 0x21))
PATIENCE_S = 60.0
#: how `Rig.forged` answers
PLAIN, REFUSAL, WRONG_MAC = "plain", "refusal", "wrong MAC"
WRONG_CARD = "wrong MAC of a card alone"
LONG_BLOCK = "a security block beyond the answer's end"
_PEER = Path(__file__).with_name("osdp_peer.py")


def until(
    true: Callable[[], Any], what: str = "it never came", patience_s: float = PATIENCE_S
) -> Any:
    """What `true` says, once it says something."""
    end_s = time.monotonic() + patience_s
    while not (found := true()):
        if time.monotonic() > end_s:
            raise AssertionError(what)
        time.sleep(0.005)
    return found


def _hurry(on: bool) -> None:
    """Let this thread run before all others: OSDP gives a reader, whose processor does nothing else, 200 ms.

    Only root may; others have to do without.
    """
    policy, priority = (os.SCHED_RR, 1) if on else (os.SCHED_OTHER, 0)
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, policy, os.sched_param(priority))


class Peer:
    """A reader, as `osdp_peer` is told to be."""

    def __init__(self, path: str, told: dict[str, Any]) -> None:
        self.commands: list[dict[str, Any]] = []
        self._process = subprocess.Popen(
            [sys.executable, str(_PEER), json.dumps({"path": path, **told})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        until(lambda: self.commands, "the reader's process did not start")

    def tell(self, **event: Any) -> None:
        """It has something to say to the panel."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(event) + "\n")
        self._process.stdin.flush()

    def card(self, bits: str, form: int = 1) -> None:
        """Somebody shows it a card."""
        padded = bits + "0" * (-len(bits) % 8)
        data = int(padded, 2).to_bytes(len(padded) // 8, "big").hex()
        self.tell(event=1, reader_no=0, format=form, direction=0, length=len(bits), data=data)

    def keys(self, typed: bytes) -> None:
        """Somebody presses its keys."""
        self.tell(event=2, reader_no=0, data=typed.hex())

    def status(self, tamper: int, power: int) -> None:
        """Its own housing and supply."""
        self.tell(event=4, type=2, report=bytes((tamper, power)).hex())

    def close(self) -> None:
        """Its power goes."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._thread.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.commands.append(json.loads(line))


class Impostor:
    """Somebody who cut a reader off and speaks in its place, in plain: the same card to every question.

    secure  whether it says that it has a secure channel
    """

    def __init__(self, path: str, address: int, secure: bool, bits: str) -> None:
        self._address = address
        about = {0x61: b"\x45" + bytes(12), 0x62: bytes((0x46, 9, int(secure), int(secure)))}
        padded = int(bits + "0" * (-len(bits) % 8), 2).to_bytes(-(-len(bits) // 8), "big")
        self._card = b"\x50\0\1" + len(bits).to_bytes(2, "little") + padded
        self._answers = about
        #: int  how often it showed its card
        self.shown = 0
        self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self._ended = False
        self._thread = threading.Thread(target=self._speak, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """It is caught."""
        self._ended = True
        self._thread.join()
        os.close(self._fd)

    def _speak(self) -> None:
        heard = b""
        while not self._ended:
            if not select.select([self._fd], [], [], 0.05)[0]:
                continue
            heard += os.read(self._fd, 4096)
            start = heard.find(b"\x53")
            if start < 0 or len(heard) < start + 5 or len(heard) < start + heard[start + 2]:
                continue
            command = heard[start : start + heard[start + 2]]
            heard = heard[start + len(command) :]
            if command[1] == self._address:
                block = command[5] if command[4] & 8 else 0
                self._answer(command[4] & 3, command[5 + block])

    def _answer(self, number: int, command: int) -> None:
        answer = self._answers.get(command, self._card)
        self.shown += answer is self._card
        frame = bytes((0x53, 0x80 | self._address, len(answer) + 7, 0, number | 4)) + answer
        os.write(self._fd, frame + binascii.crc_hqx(frame, 0x1D0F).to_bytes(2, "little"))


class Rig:
    """One bus; `close` ends all of it."""

    def __init__(self) -> None:
        _hurry(True)  # threads and processes begin as their maker is
        self.torn = False
        self.noise = 0.0  # so often a piece has a wrong byte, or some too many before it
        #: readers that are left out
        self.cut: set[int] = set()
        #: readers whose handshake is passed on and whose answers after it are changed, and into what
        self.forged: dict[int, str] = {}
        #: bytes that passed, either way
        self.passed = bytearray()
        self.peers: dict[int, Peer] = {}
        self._impostors: dict[int, Impostor] = {}
        self._random = random.Random(7)
        self._masters: dict[int, int] = {}  # address: its end of the wire
        self._paths: dict[int, str] = {}
        self._master, slave = os.openpty()
        self._folder = tempfile.TemporaryDirectory(prefix="doorward-osdp-")
        self.port = str(Path(self._folder.name) / "ttyUSB0")
        self._slaves = [slave]
        tty.setraw(slave)
        self.plug()
        self._wake = os.pipe()
        self._ended = False
        self._keys: dict[str, bytes | None] = {}
        self.buses = LibosdpBuses(PyserialPorts(), self._keys.get)
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def plug(self) -> None:
        """The panel's port is there."""
        os.symlink(os.ttyname(self._slaves[0]), self.port)

    def unplug(self) -> None:
        """The panel's port is not there for whoever opens it now."""
        os.unlink(self.port)

    def peer(self, address: int, key: bytes | None = KEY, **told: Any) -> Peer:
        """A reader on the bus; in place of one with that address."""
        if address in self._paths:
            for old in (self.peers.pop(address, None), self._impostors.pop(address, None)):
                if old is not None:
                    old.close()
        else:
            master, slave = os.openpty()
            tty.setraw(slave)
            self._slaves.append(slave)
            self._paths[address] = os.ttyname(slave)
            self._masters = {**self._masters, address: master}
            os.write(self._wake[1], b".")
        told = {"address": address, "key": key.hex() if key else None, "step_ms": 1, **told}
        self.peers[address] = Peer(self._paths[address], told)
        return self.peers[address]

    def impostor(self, address: int, secure: bool, bits: str) -> Impostor:
        """In place of the reader with that address, which no longer hears anything."""
        self.peers.pop(address).close()
        one = self._impostors[address] = Impostor(self._paths[address], address, secure, bits)
        return one

    def reader(self, address: int, key: bytes | None = KEY) -> LibosdpReader:
        """The panel's side of that reader."""
        name = f"reader-{address}"
        self._keys[name] = key
        return self.buses.reader(name, self.port, 115_200, address)

    def close(self) -> None:
        """End all of it."""
        self.buses.close()
        for peer in self.peers.values():
            peer.close()
        for impostor in self._impostors.values():
            impostor.close()
        self._ended = True
        os.write(self._wake[1], b".")
        self._thread.join()
        for fd in [self._master, *self._masters.values(), *self._slaves, *self._wake]:
            os.close(fd)
        self._folder.cleanup()
        _hurry(False)

    def _carry(self) -> None:
        while not self._ended:
            masters = {master: address for address, master in self._masters.items()}
            ready, _, _ = select.select([self._wake[0], self._master, *masters], [], [])
            for fd in ready:
                data = os.read(fd, 4096)
                if fd == self._wake[0]:
                    continue
                self.passed += data
                if fd != self._master:
                    data = _forged(data, self.forged.get(masters[fd]))
                if fd == self._master:
                    to = [m for m, address in masters.items() if address not in self.cut]
                elif masters[fd] in self.cut:
                    to = []
                else:
                    to = [self._master]
                # libosdp's own peripheral (3.2) takes no command in pieces, however close they come.
                for piece in self._pieces(data, self.torn and fd != self._master):
                    for one in to:
                        os.write(one, piece)

    def _pieces(self, data: bytes, torn: bool) -> Iterator[bytes]:
        """What arrives at a time; each next piece 0.2 to 5 ms later."""
        if self.noise and self._random.random() < self.noise:
            at = self._random.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]
            data = self._random.randbytes(self._random.randrange(4)) + data
        while data:
            size = self._random.randint(1, 6) if torn else len(data)
            yield data[:size]
            data = data[size:]
            if data:
                time.sleep(self._random.choice((0.0002, 0.001, 0.005)))


def _forged(answer: bytes, how: str | None) -> bytes:
    """An answer inside the secure channel, with its address, number and check right and the rest not."""
    start = answer.find(b"\x53")
    inside = len(answer) > start + 6 and answer[start + 4] & 8 and answer[start + 6] in (0x16, 0x18)
    if how is None or start < 0 or not inside:
        return answer
    head = answer[start:]
    if how == WRONG_CARD and head[5 + head[5]] not in (0x50, 0x51):
        return answer
    if how == LONG_BLOCK:
        frame = bytes((0x53, head[1], 8, 0, head[4], 0xF0))
    elif how in (WRONG_MAC, WRONG_CARD):
        frame = head[:-3] + bytes((head[-3] ^ 1,))
    else:
        said = b"\x40" if how == PLAIN else b"\x41\x06"
        frame = bytes((0x53, head[1], 7 + len(said), 0, head[4] & 7)) + said
    return frame + binascii.crc_hqx(frame, 0x1D0F).to_bytes(2, "little")
