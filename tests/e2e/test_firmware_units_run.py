"""The unit files under a real systemd, in namespaces of its own: sandbox, watchdog, restarts for ever.

Needs root, and a kernel that gives namespaces, an overlay and a cgroup 2 hierarchy; elsewhere it is said that
it did not run. There is no GPIO chip here, so the lines are told as missing; what is tried is the rest, with
a real broker that only the link's service can reach.
"""

import base64
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
from brokers import Mosquitto
from link_rig import Seen
from service_rig import ROOT

from firmware.runtime.clock import iso
from firmware.trust import order, signing
from sim.observer import Observer

BOARD = ROOT / "board_configs/rpi4-one-door.toml"
TO = "my-site/c-03"
TOPIC = f"doorward/{TO}"
OPERATOR = "op-test"
SEED = bytes(range(32))
SCRIPT = Path(__file__).parent / "own_systemd.sh"
PATIENCE_S = 60
LINK = "doorward-link.service"
PR_SET_PDEATHSIG = 1

pytestmark = pytest.mark.needs("systemd", "udev", "mosquitto")


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

    def __init__(self, folder: Path, group: Path, python: str, port: int) -> None:
        self.group = group
        given = folder / "given"
        given.mkdir()
        whole, _, _ = BOARD.read_text().partition("[link]")
        (given / "board.toml").write_text(
            f'{whole}[link]\nhost = "127.0.0.1"\nport = {port}\ntls = false\n'
            "host_ack = false\nkeepalive_s = 5\nreconnect_max_ms = 1000\n"
        )
        key = base64.b64encode(signing.public_of(SEED)).decode()
        owner = {"id": OPERATOR, "role": "owner", "public_key": key}
        (given / "operators.json").write_text(json.dumps([owner]))
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
        command = [str(SCRIPT), python, str(ROOT), sysconfig.get_path("purelib")]
        command += [str(work), str(given)]
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

    def log(self, name: str = "door") -> str:
        """What the door process, or the link's, has said."""
        return self.run("cat", f"/var/log/{name}")

    def probed(self, name: str) -> object:
        """What a process was let do in the sandbox of the door or the link."""
        said = [line for line in self.log(name).splitlines() if line.startswith("probe ")]
        return json.loads(said[0].removeprefix("probe "))

    def until(self, name: str, *values: str, unit: str = "doorward-door.service") -> str:
        """Wait until a property of the door's service, or another, is one of `values`."""
        end_s = time.monotonic() + PATIENCE_S
        while (now := self.show(name, unit)) not in values:
            assert time.monotonic() < end_s, f"{name}={now}: {self.said.read_text()} {self.log()}"
            assert self._process.poll() is None, self.said.read_text()
            _a_moment()
        return now

    def restarted(self, times: int) -> None:
        """Wait until the door was started anew `times` times and decides."""
        self.until("NRestarts", str(times))
        self.until("ActiveState", "active")

    def strike(self, blow: signal.Signals, unit: str = "doorward-door") -> None:
        """Send a signal to the door process alone, or to the link."""
        self.run("systemctl", "kill", "--kill-who=main", f"--signal={blow.name}", unit)

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


class Broker:
    """A real broker on the machine's loopback, and what it says on the controller's topics."""

    def __init__(self, folder: Path) -> None:
        self._server = Mosquitto(folder)
        self._server.start()
        self.port = self._server.port
        self.seen = Seen()
        self._observer = Observer(
            "127.0.0.1",
            self.port,
            TOPIC,
            lambda topic, body, kept: self.seen.add((topic, body.decode())),
        )
        self._observer.start()
        assert self._observer.subscribed.wait(PATIENCE_S)

    def statuses(self, after: int = 0) -> list[str]:
        """What `status` said after its first `after` words: "online" or "offline"."""
        return _statuses(self.seen.items)[after:]

    def wait_statuses(self, after: int, *expected: str) -> None:
        """Wait until `status` has said these words, repetitions left out, after its first `after`."""

        def holds(items: list[tuple[str, str]]) -> bool:
            said = _statuses(items)[after:]
            return [now for now, was in zip(said, [None, *said], strict=False) if now != was] == [
                *expected
            ]

        self.seen.wait(f"status {expected}", holds)

    def ask(self, op: str, **args: object) -> dict[str, object]:
        """Send a signed command; its reply."""
        now_ms = time.time_ns() // 1_000_000
        # The time of this controller is not trusted: nobody sets its clock.
        items = self.seen.items
        said = [json.loads(body) for topic, body in items if topic == TOPIC + "/status"]
        made = order.make(
            op,
            args,
            id=os.urandom(16).hex(),
            to=TO,
            by=OPERATOR,
            seed=SEED,
            issued=iso(now_ms),
            expires=iso(now_ms + 30_000),
            n=now_ms,
            nonce=said[-1]["nonce"],
        )
        self._observer.publish("command", order.text(made))
        topic = f"{TOPIC}/reply/{made['id']}"
        found = self.seen.wait(topic, lambda items: [body for at, body in items if at == topic])
        return dict(json.loads(found[0]))

    def close(self) -> None:
        """End it."""
        self._observer.stop()
        self._server.kill()


def _statuses(items: list[tuple[str, str]]) -> list[str]:
    return [json.loads(body)["state"] for topic, body in items if topic == TOPIC + "/status"]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    one = Broker(tmp_path_factory.mktemp("broker"))
    yield one
    one.close()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, broker: Broker) -> Iterator[OwnSystemd]:
    """One systemd for the tests of this file; they follow each other."""
    cgroups = _cgroups()
    python = _python()
    tools = all(shutil.which(name) for name in ("unshare", "nsenter", "pivot_root"))
    if os.getuid() != 0 or cgroups is None or python is None or not tools:
        pytest.skip("NOT RUN UNDER A SYSTEMD: needs root, namespaces and a cgroup 2 hierarchy")
    folder = tmp_path_factory.mktemp("systemd")
    one = OwnSystemd(folder, cgroups / f"doorward-test-{os.getpid()}", python, broker.port)
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


def test_the_doors_sandbox_lets_through_what_it_needs_and_no_network(own: OwnSystemd) -> None:
    assert own.probed("door") == {
        "clock": True,
        "user": True,
        "internet": "OSError",
        "device": "yes",
        "made device": "PermissionError",
        "program": "OSError",
        "state": "yes",
    }


def test_the_links_sandbox_lets_through_the_network_and_no_device_and_no_record(
    own: OwnSystemd, broker: Broker
) -> None:
    broker.wait_statuses(0, "online")  # so it has run
    assert own.probed("link") == {
        "clock": False,
        "user": True,
        "internet": "yes",
        "device": "FileNotFoundError",
        "made device": "PermissionError",
        "program": "OSError",
        "state": "PermissionError",
    }


def test_a_signed_command_comes_through_the_link_to_the_door_and_its_reply_back(
    own: OwnSystemd, broker: Broker
) -> None:
    refused = broker.ask("portal.release", portal="yard")  # there is no chip here, so no lock moves
    assert refused["error"] == {"code": "failed", "message": "lock_fault"}
    reply = broker.ask("portal.mode", portal="yard", mode="blocked")
    assert reply["ok"] is True, reply
    broker.seen.wait("the mode", lambda items: [b for _, b in items if '"portal.mode"' in b])
    assert own.show("MainPID") != own.show("MainPID", LINK)
    assert own.show("User", LINK) == "doorward-link"


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
def test_a_link_that_dies_ends_or_hangs_comes_back_and_the_door_goes_on(
    own: OwnSystemd, broker: Broker, blow: signal.Signals
) -> None:
    door, link, said = own.show("MainPID"), own.show("NRestarts", LINK), len(broker.statuses())
    own.strike(blow, LINK)
    own.until("NRestarts", str(int(link) + 1), unit=LINK)
    broker.wait_statuses(said, "offline", "online")
    assert own.show("MainPID") == door
    assert broker.ask("alarm.silence")["ok"] is True


def test_the_link_comes_back_to_a_door_that_was_started_again(
    own: OwnSystemd, broker: Broker
) -> None:
    before, said = int(own.show("NRestarts")), len(broker.statuses())
    own.strike(signal.SIGKILL)
    own.restarted(before + 1)
    broker.wait_statuses(said, "offline", "online")
    assert broker.ask("alarm.silence")["ok"] is True


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
