"""A stand-in for systemd: does with one service what the unit file asks of it, in this process.

Reads the figures from firmware/units/doorward-door.service. Starts the program with ``NOTIFY_SOCKET`` and
``WATCHDOG_USEC``, aborts and kills it when it is not petted, runs what stands in ``ExecStopPost=``, starts
it again, and notes what happened. What it does not imitate: users, groups, the sandbox, the socket.
"""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "firmware/units/doorward-door.service"
_UNITS = {"ms": 0.001, "s": 1.0}


def unit(path: Path = UNIT) -> dict[str, list[str]]:
    """Every setting of a unit file, with all the values that it is given."""
    found: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def seconds(name: str) -> float:
    """A time of the unit file."""
    word = unit()[name][-1]
    number = word.rstrip("ms")
    return float(number) * _UNITS[word[len(number) :]]


class Service:
    """One service; `step` is to be called until what is waited for has happened.

    ``seen`` is what happened, in order.
    """

    def __init__(self, program: list[str], arguments: list[str], folder: Path) -> None:
        self.seen: list[str] = []
        self.status = ""
        self.errors = folder / "errors.txt"
        self._program = program
        self._arguments = arguments
        self._path = str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self._path)
        self._socket.setblocking(False)
        self._petted_s = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def count(self, word: str) -> int:
        """How often something happened."""
        return self.seen.count(word)

    def start(self) -> None:
        """Start the program."""
        usec = str(round(seconds("WatchdogSec") * 1_000_000))
        self._note("start")
        self.process = self._run(
            self._arguments, {"NOTIFY_SOCKET": self._path, "WATCHDOG_USEC": usec}
        )
        self._petted_s = 0.0

    def until(self, word: str, times: int, patience_s: float = 60) -> None:
        """Do what systemd does until `word` has happened `times` times."""
        end_s = time.monotonic() + patience_s
        while self.count(word) < times:
            assert time.monotonic() < end_s, (self.seen, self.errors.read_text())
            self.step()

    def step(self) -> None:
        """Listen a moment, then judge."""
        select.select([self._socket], [], [], 0.05)
        self._listen()
        assert self.process is not None
        if self.process.poll() is not None:
            self._note(f"ended {self.process.returncode}")
            self._after()
        elif self._petted_s and time.monotonic() - self._petted_s > seconds("WatchdogSec"):
            self._note("bitten")
            self.process.send_signal(signal.Signals[unit()["WatchdogSignal"][-1]])
            self.process.send_signal(signal.SIGCONT)  # as systemd does with all but SIGKILL
            try:
                self.process.wait(seconds("TimeoutAbortSec"))
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self._after()

    def stop(self) -> int:
        """End it cleanly; its exit code."""
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(60)
        self._listen()
        return code

    def close(self) -> None:
        """End whatever is left."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self._socket.close()

    def _after(self) -> None:
        """The program has ended, however: `ExecStopPost=`, then start it again."""
        safe = [word for word in unit()["ExecStopPost"][-1].split() if word.startswith("--s")]
        assert safe[:1] == ["--safe"]
        code = self._run(["--safe", *self._arguments], {}).wait(60)
        self._note(f"safe {code}")
        time.sleep(
            seconds("RestartSec")
        )  # the rest that the unit file names, not a wait for anything
        self.start()

    def _run(self, arguments: list[str], more: dict[str, str]) -> "subprocess.Popen[bytes]":
        with self.errors.open("ab") as errors:
            return subprocess.Popen(
                [sys.executable, *self._program, *arguments],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **more},
                stdin=subprocess.DEVNULL,
                stderr=errors,
            )

    def _listen(self) -> None:
        while True:
            try:
                said = self._socket.recv(4096).decode()
            except BlockingIOError:
                return
            for word in said.split("\n"):
                if word.startswith("STATUS="):
                    self.status = word.removeprefix("STATUS=")
                elif word == "READY=1":
                    self._note("ready")
                    self._petted_s = time.monotonic()
                elif word == "WATCHDOG=1":
                    self._petted_s = self._petted_s and time.monotonic()
                    self._note("pet")
                elif word == "STOPPING=1":
                    self._note("stopping")
                    self._petted_s = 0.0

    def _note(self, word: str) -> None:
        self.seen.append(word)
