"""The unit files under a real systemd, in namespaces of its own: sandbox, watchdog, restarts for ever.

Needs root, and a kernel that gives namespaces, an overlay and a cgroup 2 hierarchy; elsewhere it is said that
it did not run. There is no GPIO chip here, so the lines are told as missing; what is tried is the rest.
"""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from service_rig import ROOT

SCRIPT = Path(__file__).parent / "own_systemd.sh"
PATIENCE_S = 60
PR_SET_PDEATHSIG = 1

pytestmark = pytest.mark.needs("systemd", "udev")


def _cgroups() -> Path | None:
    """Where the kernel's cgroup 2 hierarchy is mounted."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(where)
    return None


def _python() -> str | None:
    """Our interpreter, or one of the same version, where a service that sees no home finds it."""
    for path in (os.path.realpath(sys.executable), "/usr/bin/python3"):
        if not path.startswith(("/root/", "/home/", "/tmp/")) and os.access(path, os.X_OK):
            asked = [path, "-c", "import sys; print(sys.version_info[:2])"]
            done = subprocess.run(asked, capture_output=True, text=True, check=False)
            if done.stdout.strip() == str(sys.version_info[:2]):
                return path
    return None


def _die_with_us() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class OwnSystemd:
    """A systemd that runs nothing but Doorward."""

    def __init__(self, folder: Path, group: Path, python: str) -> None:
        self.group = group
        self.group.mkdir()
        self._said = (folder / "said.txt").open("wb")
        work = folder / "work"
        work.mkdir()
        inner = [
            "unshare",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount",
            "--cgroup",
            "--ipc",
            "--uts",
        ]
        command = [str(SCRIPT), python, str(ROOT), sysconfig.get_path("purelib"), str(work)]
        self._process = subprocess.Popen(
            [
                "sh",
                "-c",
                'echo $$ > "$0" && exec "$@"',
                str(group / "cgroup.procs"),
                *inner,
                *command,
            ],
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=self._said,
            preexec_fn=_die_with_us,
        )
        self.said = folder / "said.txt"

    def run(self, *command: str) -> str:
        """What a command says that is run beside that systemd."""
        pid = self._process.pid
        first = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if not first:
            return ""
        done = subprocess.run(
            ["nsenter", "-t", first[0], "-a", *command],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        return done.stdout

    def show(self, name: str, unit: str = "doorward-door.service") -> str:
        """One property of a unit."""
        return self.run("systemctl", "show", "--value", "-p", name, unit).strip()

    def log(self) -> str:
        """What the door process has said."""
        return self.run("cat", "/var/log/door")

    def until(self, name: str, *values: str) -> str:
        """Wait until a property of the door is one of `values`."""
        end_s = time.monotonic() + PATIENCE_S
        while (now := self.show(name)) not in values:
            assert time.monotonic() < end_s, f"{name}={now}: {self.said.read_text()} {self.log()}"
            assert self._process.poll() is None, self.said.read_text()
            _a_moment()
        return now

    def restarted(self, times: int) -> None:
        """Wait until the door was started anew `times` times and decides."""
        self.until("NRestarts", str(times))
        self.until("ActiveState", "active")

    def strike(self, blow: signal.Signals) -> None:
        """Send a signal to the door process alone."""
        self.run("systemctl", "kill", "--kill-who=main", f"--signal={blow.name}", "doorward-door")

    def close(self) -> None:
        """End it and all that it started."""
        self._process.kill()
        self._process.wait()
        self._said.close()
        end_s = time.monotonic() + PATIENCE_S
        for one in [*sorted(self.group.glob("**/"), reverse=True)]:
            while one.exists() and time.monotonic() < end_s:
                try:
                    one.rmdir()
                except OSError:
                    _a_moment()  # its last process is being ended


def _a_moment() -> None:
    """Let the others run for a moment."""
    time.sleep(0.05)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnSystemd]:
    """One systemd for the tests of this file; they follow each other."""
    cgroups = _cgroups()
    python = _python()
    tools = all(shutil.which(name) for name in ("unshare", "nsenter", "pivot_root"))
    if os.getuid() != 0 or cgroups is None or python is None or not tools:
        pytest.skip("NOT RUN UNDER A SYSTEMD: needs root, namespaces and a cgroup 2 hierarchy")
    folder = tmp_path_factory.mktemp("systemd")
    one = OwnSystemd(folder, cgroups / f"doorward-test-{os.getpid()}", python)
    try:
        one.until("ActiveState", "active")
        yield one
    finally:
        one.close()


def test_the_door_decides_in_its_sandbox_and_says_so(own: OwnSystemd) -> None:
    assert own.show("StatusText").endswith(" decides")
    assert own.show("User") == "doorward-door"
    assert "Traceback" not in own.log()
    listening = own.show("ActiveState", "doorward-door.socket")
    assert listening == "active"


def test_the_sandbox_lets_through_what_the_door_needs_and_nothing_else(own: OwnSystemd) -> None:
    said = next(line for line in own.log().splitlines() if line.startswith("probe "))
    assert json.loads(said.removeprefix("probe ")) == {
        "clock": True,
        "user": True,
        "internet": "OSError",
        "program": "OSError",
        "state": "yes",
    }


@pytest.mark.parametrize("blow", [signal.SIGSTOP, signal.SIGKILL, signal.SIGTERM])
def test_a_hung_dead_or_ended_door_is_made_safe_and_started_again(
    own: OwnSystemd, blow: signal.Signals
) -> None:
    before, was = int(own.show("NRestarts")), own.show("MainPID")
    safe = own.log().count("safe: ")
    own.strike(blow)
    own.restarted(before + 1)
    assert own.show("MainPID") != was
    # Without a chip it says what it could not drive, and so that it ran.
    assert own.log().count("safe: ") == safe + 1
    assert own.log().count("Fatal Python error: Aborted") == 1, "only a hang is aborted"


def test_it_never_gives_up(own: OwnSystemd) -> None:
    before = int(own.show("NRestarts"))
    for times in range(1, 9):
        own.strike(signal.SIGKILL)
        own.restarted(before + times)
