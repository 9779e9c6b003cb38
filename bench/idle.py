"""What the demo's processes cost while nothing happens: resident memory and processor time."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TextIO

WATCH_S = 20
TICKS = os.sysconf("SC_CLK_TCK")


def table(out: TextIO) -> None:
    """Start the simulator, leave it alone, and print what each of its processes took."""
    with tempfile.TemporaryDirectory(prefix="doorward-bench-") as folder:
        command = [sys.executable, "-m", "sim", "serve", "--port", "0", "--mqtt-port", "0"]
        process = subprocess.Popen([*command, "--state", folder], stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if re.match("Broker:", line):
                    break
            time.sleep(3)  # let it settle
            pids = _family(process.pid)
            before = {pid: _cpu_s(pid) for pid in pids}
            time.sleep(WATCH_S)
            print(f"idle for {WATCH_S} s{'':22}{'resident MB':>12}{'% of a core':>12}", file=out)
            total_mb = total_cpu = 0.0
            for pid in pids:
                mb = _resident_mb(pid)
                percent = (_cpu_s(pid) - before[pid]) / WATCH_S * 100
                total_mb += mb
                total_cpu += percent
                print(f"{_name(pid):34}{mb:12.1f}{percent:12.2f}", file=out)
            print(f"{'all':34}{total_mb:12.1f}{total_cpu:12.2f}", file=out)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _family(parent: int) -> list[int]:
    found = [parent]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                found += _family(int(entry.name))
    return found


def _name(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    if "-m" in words:
        return words[words.index("-m") + 1]
    return Path(words[0]).name


def _resident_mb(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
