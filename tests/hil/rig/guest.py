"""One guest: an emulated PC (`emulator`) with an agent in it (`agent`).

Everything has a time limit; a guest is ended by the id of its process.
"""

import base64
import itertools
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from emulator import PATIENCE, PROJECT, STATE, Emulator, GuestError, Machine

BOOT_S = 120 * PATIENCE

#: [at_us, chip's label, what, line, level]
Row = tuple[int, str, str, int, int]


class Done(NamedTuple):
    """A program that ran in the guest."""

    code: int
    out: str
    late: bool


class Guest:
    """An x86 guest; use as a context manager.

    machine, folder, how  as `Emulator` takes them
    """

    def __init__(self, machine: Machine, folder: Path, **how: bool) -> None:
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()
        self._answers: dict[int, dict[str, Any]] = {}
        self._rows: list[Row] = []
        self._gone = False
        self.emulator = Emulator(machine, folder, **how)
        self.process = self.emulator.process
        self._socket = self.emulator.agent
        self._listener = threading.Thread(target=self._listen, name="guest", daemon=True)
        self._listener.start()

    def __enter__(self) -> "Guest":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    # ---- its life ------------------------------------------------------------------------------------

    def up(self) -> "Guest":
        """Wait for its agent, of a guest that boots."""
        self.ask("hello", limit_s=BOOT_S)
        return self

    def go_on(self, state: str = "") -> "Guest":
        """A guest that goes on from a saved state: give it the time, other randomness, the project.

        state  str  where the disk of the state folder is mounted; empty: nowhere
        """
        mounts = [[PROJECT, "/opt/doorward", "ro"]]
        if state:
            mounts.append([STATE, state, "rw"])
        seed = base64.b64encode(os.urandom(64)).decode()
        self.ask("wake", utc_ns=time.time_ns(), seed=seed, mounts=mounts)
        return self

    def kill(self) -> None:
        """Cut its power."""
        self.emulator.kill()

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
            raise GuestError(self.emulator.told(f"{op}: {error}")) from error
        end_s = time.monotonic() + limit_s * PATIENCE
        with self._changed:
            while number not in self._answers:
                left_s = end_s - time.monotonic()
                if self._gone or left_s <= 0:
                    raise GuestError(self.emulator.told(f"{op}: no answer in {limit_s:.0f} s"))
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

    def become(self, *words: str, limit_s: float = 60) -> Done:
        """Run a module of Python's in the process that waits for that since the state was saved."""
        more = {"words": words, "within_s": limit_s * PATIENCE}
        return Done(**self.ask("become", limit_s + 10, **more))

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

    def until(
        self, what: str, true: Callable[[], bool], limit_s: float = 60, every_s: float = 0.1
    ) -> None:
        """Look again and again until something is so. Raises `GuestError`."""
        end_s = time.monotonic() + limit_s * PATIENCE
        while not true():
            if time.monotonic() > end_s:
                raise GuestError(self.emulator.told(f"{what}: not in {limit_s:.0f} s"))
            time.sleep(every_s)

    # ---- lines ---------------------------------------------------------------------------------------

    def rows(self) -> list[Row]:
        """What has happened to lines and has been told by now."""
        with self._changed:
            return list(self._rows)

    def next_row(self, true: Callable[[Row], bool], limit_s: float = 60) -> None:
        """Wait for a row that is told from now on and of which that is so; no longer than `limit_s`."""
        with self._changed:
            place = len(self._rows)
            self._changed.wait_for(lambda: any(map(true, self._rows[place:])), limit_s * PATIENCE)

    def settled(self) -> list[Row]:
        """What has happened to lines up to now. Raises `GuestError` if some of it was lost."""
        self.ask("settle")
        rows = self.rows()
        if any(row[2] == "lost" for row in rows):
            raise GuestError("the log of the lines has holes")
        return rows

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
