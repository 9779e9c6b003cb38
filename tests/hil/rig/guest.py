"""One guest: a machine that qemu emulates, with an agent in it (`agent`).

Everything has a time limit; a guest is ended by the id of its process.
"""

import base64
import contextlib
import ctypes
import itertools
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from host_tools.image import command

#: How much slower a busy machine may be than an idle one; for the limits of waits, never for judgements.
PATIENCE = float(os.environ.get("DOORWARD_HIL_PATIENCE", "1"))

BOOT_S = 120 * PATIENCE

PR_SET_PDEATHSIG = 1

#: [at_us, chip's label, what, line, level]
Row = tuple[int, str, str, int, int]


class GuestError(Exception):
    """The guest did not do what it was asked, in time or at all."""


class Done(NamedTuple):
    """A program that ran in the guest."""

    code: int
    out: str
    late: bool


class Disk(NamedTuple):
    """An image. `keeps`: what the guest writes stays in the file."""

    image: Path
    keeps: bool = False


def _die_with_us() -> None:
    """A guest does not outlive the tests, however they end."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Guest:
    """An x86 guest that is booting; use as a context manager.

    kernel, initramfs  Path
    disks              sequence of Disk  /dev/vda, /dev/vdb, ...
    words              str               more of the kernel's command line
    folder             Path              where its console (``console.txt``) and its socket are kept
    devices            sequence of str   more of qemu's options
    cpus               int               with one, the kernel has handed an edge over before the program that
                                         made it goes on, so that gpio-sim never merges two
    """

    def __init__(
        self,
        kernel: Path,
        initramfs: Path,
        disks: Sequence[Disk],
        words: str,
        folder: Path,
        devices: Sequence[str] = (),
        cpus: int = 1,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.console = folder / "console.txt"
        self._path = folder / "agent"
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()
        self._answers: dict[int, dict[str, Any]] = {}
        self._rows: list[Row] = []
        self._gone = False
        options = ["-machine", "q35", "-cpu", "max", "-smp", str(cpus)]
        if shift := os.environ.get("DOORWARD_HIL_ICOUNT"):
            options += ["-accel", "tcg,thread=single", "-icount", f"shift={shift}"]
        else:
            options += ["-accel", "tcg,thread=multi"]
        options += ["-m", "1024", "-nodefaults", "-display", "none", "-no-reboot"]
        options += ["-serial", f"file:{self.console}"]
        options += ["-kernel", str(kernel), "-initrd", str(initramfs)]
        options += ["-append", f"console=ttyS0 quiet panic=-1 net.ifnames=0 {words}"]
        options += ["-device", "virtio-rng-pci", "-device", "virtio-serial-pci"]
        options += ["-chardev", f"socket,id=agent,path={self._path},server=on,wait=off"]
        options += ["-device", "virtserialport,chardev=agent,name=doorward.agent"]
        options += ["-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile="]
        for disk in disks:
            keep = "off" if disk.keeps else "on"
            options += ["-drive", f"file={disk.image},format=raw,if=virtio,snapshot={keep}"]
        with (folder / "qemu.txt").open("wb") as said:
            self.process = subprocess.Popen(
                [command.path("qemu-system-x86_64"), *options, *devices],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                preexec_fn=_die_with_us,
            )
        self._said = folder / "qemu.txt"
        try:
            self._socket = self._connect()
        except BaseException:
            self.kill()
            raise
        self._listener = threading.Thread(target=self._listen, name="guest", daemon=True)
        self._listener.start()

    def __enter__(self) -> "Guest":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    # ---- its life ------------------------------------------------------------------------------------

    def up(self) -> "Guest":
        """Wait for its agent."""
        self.ask("hello", limit_s=BOOT_S)
        return self

    def kill(self) -> None:
        """Cut its power."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def drained(self) -> None:
        """Wait until everything that it said before it ended has been heard."""
        self._listener.join(30)

    def ended(self, limit_s: float) -> bool:
        """Whether it ends by itself in time: a guest that restarts does."""
        try:
            self.process.wait(limit_s * PATIENCE)
        except subprocess.TimeoutExpired:
            return False
        return True

    # ---- orders --------------------------------------------------------------------------------------

    def ask(self, op: str, limit_s: float = 60, **arguments: Any) -> Any:
        """What the agent answers. Raises `GuestError`."""
        number = next(self._numbers)
        line = json.dumps({"id": number, "op": op, **arguments}) + "\n"
        try:
            self._socket.sendall(line.encode())
        except OSError as error:
            raise GuestError(self._told(f"{op}: {error}")) from error
        end_s = time.monotonic() + limit_s * PATIENCE
        with self._changed:
            while number not in self._answers:
                left_s = end_s - time.monotonic()
                if self._gone or left_s <= 0:
                    raise GuestError(self._told(f"{op}: no answer in {limit_s:.0f} s"))
                self._changed.wait(min(left_s, 1))
            answer = self._answers.pop(number)
        if "error" in answer:
            raise GuestError(answer["error"])
        return answer["ok"]

    def run(self, *words: str, limit_s: float = 60, **more: Any) -> Done:
        """Run a program there."""
        return Done(
            **self.ask("run", limit_s + 10, words=words, within_s=limit_s * PATIENCE, **more)
        )

    def shell(self, text: str, limit_s: float = 60, **more: Any) -> str:
        """What a shell script says. Raises `GuestError` if it fails."""
        done = self.run("sh", "-ec", text, limit_s=limit_s, **more)
        if done.code:
            raise GuestError(f"{text}: ended with {done.code}: {done.out[-2000:]}")
        return done.out

    def write(self, path: str, data: str | bytes, mode: int = 0o644) -> None:
        """Write a file there."""
        raw = data.encode() if isinstance(data, str) else data
        self.ask("write", path=path, data=base64.b64encode(raw).decode(), mode=mode)

    def read(self, path: str) -> bytes:
        """A file of its."""
        return base64.b64decode(self.ask("read", path=path))

    def until(self, what: str, true: Callable[[], bool], limit_s: float = 60) -> None:
        """Look again and again until something is so. Raises `GuestError`."""
        end_s = time.monotonic() + limit_s * PATIENCE
        while not true():
            if time.monotonic() > end_s:
                raise GuestError(self._told(f"{what}: not in {limit_s:.0f} s"))
            time.sleep(0.1)

    # ---- lines ---------------------------------------------------------------------------------------

    def rows(self) -> list[Row]:
        """What has happened to lines and has been told by now."""
        with self._changed:
            return list(self._rows)

    def settled(self) -> list[Row]:
        """What has happened to lines up to now. Raises `GuestError` if some of it was lost."""
        self.ask("settle")
        rows = self.rows()
        if any(row[2] == "lost" for row in rows):
            raise GuestError("the log of the lines has holes")
        return rows

    def _connect(self) -> socket.socket:
        end_s = time.monotonic() + 30
        while True:
            one = socket.socket(socket.AF_UNIX)
            try:
                one.connect(str(self._path))
                return one
            except OSError as error:
                one.close()
                if self.process.poll() is not None or time.monotonic() > end_s:
                    raise GuestError(f"qemu: {self._said.read_text().strip() or error}") from error
                time.sleep(0.05)

    def _listen(self) -> None:
        rest = b""
        while True:
            try:
                data = self._socket.recv(1 << 20)
            except OSError:
                data = b""
            *lines, rest = (rest + data).split(b"\n")
            with self._changed:
                for line in lines:
                    self._hear(json.loads(line))
                self._gone = not data
                self._changed.notify_all()
            if not data:
                self._socket.close()
                return

    def _hear(self, said: dict[str, Any]) -> None:
        if "lines" in said:
            self._rows += [(row[0], row[1], row[2], row[3], row[4]) for row in said["lines"]]
        else:
            self._answers[said["id"]] = said

    def _told(self, problem: str) -> str:
        tail = self.console.read_text(errors="replace")[-1500:] if self.console.exists() else ""
        return f"{problem}; the guest's console ends with:\n{tail}"
