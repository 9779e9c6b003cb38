"""What drives a guest from outside: a process of its own in it, which takes its orders from the host.

Speaks JSON lines on a virtio serial port. ``{"id": 1, "op": "run", ...}`` is answered by
``{"id": 1, "ok": ...}`` or ``{"id": 1, "error": "..."}``, not always in order. Beside the answers come
``{"lines": [...]}``: what happened to the chips' lines, as the kernel saw it. Standard library only.

A line is written down by probes in gpio-sim's own functions: every level and every direction that anybody
sets, with the kernel's time, so nothing is too short to be seen. A row is ``[at_us, chip's label, what,
line, level]``; what is "out" (became an output at that level), "set", "in", "free" (let go: back to its
pull), "pull" (the world's side), or without a line "synced": a Python has what it wrote on the disk.
"""

import base64
import ctypes
import fcntl
import json
import os
import re
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

NAME = "doorward.agent"
PORTS = Path("/sys/class/virtio-ports")
CONFIG = Path("/sys/kernel/config")
TRACE = Path("/sys/kernel/tracing")
PLATFORM = Path("/sys/devices/platform")

#: linux/random.h
RNDADDENTROPY, RNDRESEEDCRNG = 0x40085203, 0x5207
#: linux/fs.h, linux/mount.h
BLKFLSBUF, MS_RDONLY, MS_NOATIME = 0x1261, 1, 1024

PYTHON = "/opt/venv/bin/python"

#: Both structures begin with a pointer to the chip's label.
_LABEL = "label=+0(+0($arg1)):string"
_PROBES = {
    "out": f"p:hil/out gpio_sim:gpio_sim_direction_output {_LABEL} offset=$arg2:u32 value=$arg3:s32",
    "in": f"p:hil/in gpio_sim:gpio_sim_direction_input {_LABEL} offset=$arg2:u32",
    "set": f"p:hil/set gpio_sim:gpio_sim_set {_LABEL} offset=$arg2:u32 value=$arg3:s32",
    "many": f"p:hil/many gpio_sim:gpio_sim_set_multiple {_LABEL} mask=+0($arg2):x64 bits=+0($arg3):x64",
    "free": f"p:hil/free gpio_sim:gpio_sim_free {_LABEL} offset=$arg2:u32",
    "pull": f"p:hil/pull gpio_sim:gpio_sim_apply_pull {_LABEL} offset=$arg2:u32 value=$arg3:s32",
    "synced": "r:hil/synced ext4:ext4_sync_file comm=$comm",
}
_EVENT = re.compile(r"([0-9]+)\.([0-9]{6}): ([a-z_]+): (.*)")
_FIELD = re.compile(r'([a-z]+)=("[^"]*"|[-0-9a-fx]+)')

_PULLS = (b"pull-down", b"pull-up")


class Agent:
    """One guest's agent."""

    def __init__(self, port: Path) -> None:
        self._port = os.open(port, os.O_RDWR)
        self._writing = threading.Lock()
        self._chips: dict[str, Path] = {}
        self._pulls: dict[tuple[str, int], int] = {}
        self._marks: dict[str, threading.Event] = {}

    def serve(self) -> None:
        """Take orders until the host goes away."""
        rest = b""
        while True:
            try:
                data = os.read(self._port, 65536)
            except OSError:
                data = b""
            if not data:  # the host has not opened its side, or has closed it
                time.sleep(0.05)
                continue
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                order = json.loads(line)
                threading.Thread(target=self._do, args=(order,), daemon=True).start()

    def _do(self, order: dict[str, Any]) -> None:
        number, op = order.pop("id"), order.pop("op")
        answer: dict[str, Any] = {"id": number}
        try:
            work: Callable[..., Any] = getattr(self, "op_" + op)
            answer["ok"] = work(**order)
        except Exception as error:  # noqa: BLE001  told to the host, whatever it is
            answer["error"] = f"{op}: {type(error).__name__}: {error}"
        self._send(answer)

    def _send(self, what: dict[str, Any]) -> None:
        data = json.dumps(what).encode() + b"\n"
        with self._writing:
            while data:
                data = data[os.write(self._port, data) :]

    # ---- the system ----------------------------------------------------------------------------------

    def op_hello(self) -> dict[str, Any]:
        """The guest's clock and kernel."""
        return {"mono_us": time.monotonic_ns() // 1000, "release": os.uname().release}

    def op_wake(self, utc_ns: int, seed: str, mounts: list[list[str]]) -> None:
        """A saved state goes on: what time it is, bytes that no other guest has, disks to mount.

        mounts  list  of [device, where, "ro" or "rw"]; what was read of a device before is forgotten
        """
        time.clock_settime_ns(time.CLOCK_REALTIME, utc_ns)
        data = base64.b64decode(seed)
        with open("/dev/urandom", "wb") as random:
            fcntl.ioctl(random, RNDADDENTROPY, struct.pack("ii", 8 * len(data), len(data)) + data)
            fcntl.ioctl(random, RNDRESEEDCRNG)
        libc = ctypes.CDLL(None, use_errno=True)
        for device, where, options in mounts:
            disk = os.open(device, os.O_RDONLY)
            fcntl.ioctl(disk, BLKFLSBUF)
            os.close(disk)
            flags = MS_NOATIME | (MS_RDONLY if options == "ro" else 0)
            if libc.mount(device.encode(), where.encode(), b"ext4", flags, None):
                raise OSError(ctypes.get_errno(), f"{device} cannot be mounted at {where}")

    def op_ready(self) -> None:
        """Start a Python that waits for its program (`ready`)."""
        words = [PYTHON, "-I", "-X", "utf8", str(Path(__file__).with_name("ready.py"))]
        self._ready = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._ready.stdout is not None
        if (said := self._ready.stdout.readline()) != "ready\n":
            raise OSError(f"{said}{self._ready.stdout.read()}")

    def op_become(self, words: list[str], within_s: float) -> dict[str, Any]:
        """The Python that waits is this program from now on; as `op_run`."""
        try:
            said, _ = self._ready.communicate(json.dumps(words) + "\n", within_s)
        except subprocess.TimeoutExpired:
            self._ready.kill()
            return {"code": -1, "out": self._ready.communicate()[0], "late": True}
        return {"code": self._ready.returncode, "out": said, "late": False}

    def op_run(
        self,
        words: list[str],
        within_s: float = 60,
        environment: dict[str, str] | None = None,
        folder: str = "/",
        text: str = "",
    ) -> dict[str, Any]:
        """Run a program; what it said on both outputs is one text."""
        try:
            done = subprocess.run(
                words,
                input=text,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=within_s,
                cwd=folder,
                env={**os.environ, **(environment or {})},
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            said = error.stdout.decode(errors="replace") if error.stdout else ""
            return {"code": -1, "out": said, "late": True}
        return {"code": done.returncode, "out": done.stdout, "late": False}

    def op_write(self, path: str, data: str, mode: int = 0o644) -> None:
        """Write a file (base64)."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(base64.b64decode(data))
        target.chmod(mode)

    def op_read(self, path: str) -> str:
        """A file (base64)."""
        return base64.b64encode(Path(path).read_bytes()).decode()

    # ---- lines ---------------------------------------------------------------------------------------

    def op_chip(self, label: str, count: int, high: list[int]) -> str:
        """Make a chip whose lines `high` the world pulls up; the chip's name."""
        folder = CONFIG / "gpio-sim"
        if not folder.is_dir():
            subprocess.run(["modprobe", "configfs"], check=True)
            if not os.path.ismount(CONFIG):
                subprocess.run(["mount", "-t", "configfs", "configfs", CONFIG], check=True)
            subprocess.run(["modprobe", "gpio-sim"], check=True)
        own = folder / label
        bank = own / "bank0"
        bank.mkdir(parents=True)
        (bank / "num_lines").write_text(str(count))
        (bank / "label").write_text(label)
        (own / "live").write_text("1")
        name = (bank / "chip_name").read_text().strip()
        self._chips[label] = PLATFORM / (own / "dev_name").read_text().strip() / name
        self.op_drive(label, [[line, 1, 0] for line in high])
        return name

    def op_drive(self, label: str, steps: list[list[int]]) -> None:
        """The world pulls lines: [line, 1 high or 0 low, how many us to wait afterwards]."""
        for line, _, _ in steps:
            if (label, line) not in self._pulls:
                path = self._chips[label] / f"sim_gpio{line}" / "pull"
                self._pulls[label, line] = os.open(path, os.O_WRONLY)
        at_ns = time.monotonic_ns()
        for line, level, wait_us in steps:
            os.pwrite(self._pulls[label, line], _PULLS[level], 0)
            at_ns += wait_us * 1000
            left_ns = at_ns - time.monotonic_ns()
            if left_ns < -1_000_000:  # too late to keep the rhythm: keep the distance
                at_ns = time.monotonic_ns() + wait_us * 1000
                left_ns = wait_us * 1000
            if left_ns > 500_000:
                time.sleep((left_ns - 300_000) / 1e9)
            while time.monotonic_ns() < at_ns:
                pass

    def op_levels(self, label: str, lines: list[int]) -> list[int]:
        """What a meter shows on each line."""
        folder = self._chips[label]
        return [int((folder / f"sim_gpio{line}" / "value").read_text()) for line in lines]

    # ---- what happened -------------------------------------------------------------------------------

    def op_watch(self) -> list[str]:
        """Write down from now on what happens to the lines of every chip; the probes that could be set."""
        if not TRACE.joinpath("trace_clock").exists():
            subprocess.run(["mount", "-t", "tracefs", "tracefs", TRACE], check=True)
        (TRACE / "trace_clock").write_text("mono")
        (TRACE / "buffer_size_kb").write_text("4096")
        known = []
        for name, probe in _PROBES.items():
            try:
                events = os.open(TRACE / "kprobe_events", os.O_WRONLY | os.O_APPEND)
                try:
                    os.write(events, probe.encode() + b"\n")
                finally:
                    os.close(events)
                (TRACE / "events/hil" / name / "enable").write_text("1")
            except OSError:
                continue  # the host judges whether it can do without
            known.append(name)
        threading.Thread(target=self._read_trace, daemon=True).start()
        return known

    def op_settle(self) -> None:
        """Answer when everything that has happened so far has been told."""
        mark = f"mark {time.monotonic_ns()}"
        seen = self._marks[mark] = threading.Event()
        (TRACE / "trace_marker").write_text(mark)
        if not seen.wait(30):
            raise TimeoutError("the trace is not read")

    def _read_trace(self) -> None:
        pipe = os.open(TRACE / "trace_pipe", os.O_RDONLY)
        rest = ""
        while True:
            data = os.read(pipe, 65536).decode(errors="replace")
            *lines, rest = (rest + data).split("\n")
            rows: list[list[Any]] = []
            for line in lines:
                rows += self._rows(line)
            if rows:
                self._send({"lines": rows})
            for line in lines:
                _, _, mark = line.partition("tracing_mark_write: ")
                if mark:
                    self._marks.pop(mark.strip()).set()

    def _rows(self, line: str) -> list[list[Any]]:
        found = _EVENT.search(line)
        if found is None:
            if "LOST" in line:
                return [[0, "", "lost", 0, 0]]
            return []
        seconds, part, what, told = found.groups()
        fields = dict(_FIELD.findall(told))
        at_us = int(seconds) * 1_000_000 + int(part)
        if what == "synced" and fields["comm"].startswith('"python'):
            return [[at_us, "", what, -1, 0]]
        if "label" not in fields:
            return []
        label = fields["label"].strip('"')
        if what == "many":
            mask, bits = int(fields["mask"], 16), int(fields["bits"], 16)
            return [[at_us, label, "set", at, bits >> at & 1] for at in range(64) if mask >> at & 1]
        level = 1 if int(fields.get("value", 0)) else 0
        return [[at_us, label, what, int(fields["offset"]), level]]


def main() -> int:
    """Wait for the port, then serve."""
    for _ in range(1200):
        for path in PORTS.glob("*"):
            if (path / "name").read_text().strip() == NAME:
                Agent(Path("/dev") / path.name).serve()
        time.sleep(0.05)
    return 1


if __name__ == "__main__":
    sys.exit(main())
