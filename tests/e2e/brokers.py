"""Real MQTT brokers for a test, on ports that the system chooses, stopped by their process id."""

import queue
import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path

from children import end_with_us

from sim.broker import EmbeddedBroker

PATIENCE_S = 60
MOSQUITTO = "/usr/sbin/mosquitto"


class Nats:
    """The simulator's own broker: NATS, MQTT 3.1.1 only."""

    protocol = "3.1.1"

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "nats"
        self._server = EmbeddedBroker("127.0.0.1", 0, str(self._folder))
        self.port = 0

    def start(self) -> None:
        """Start it, on the port it had before."""
        self._server.start()
        self.port = self._server.port

    def stop(self) -> None:
        """End it; what is retained is kept."""
        self._server.stop()

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._server.kill()

    def forget(self) -> None:
        """Lose everything it has kept; only while it is stopped."""
        shutil.rmtree(self._folder)


class Mosquitto:
    """mosquitto, MQTT 5 and 3.1.1. `lines` are added to its listener's configuration."""

    protocol = "5"

    def __init__(self, folder: Path, *lines: str) -> None:
        self._folder = folder / "mosquitto"
        self._lines = lines or ("allow_anonymous true",)
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, on the port it had before. Another's use of a port just chosen is tried around."""
        assert Path(MOSQUITTO).exists(), f"{MOSQUITTO} is missing; expected make test to install it"
        for _ in range(5):
            port = self.port or _free_port()
            if self._start_on(port):
                self.port = port
                return
        raise AssertionError(f"mosquitto does not start on port {port}")

    def stop(self) -> None:
        """End it; what is retained is kept."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._end(signal.SIGKILL)

    def hang(self) -> None:
        """Have it do nothing more, its connections open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def forget(self) -> None:
        """Lose everything it has kept; only while it is stopped."""
        for file in self._folder.glob("*.db"):
            file.unlink()

    def _start_on(self, port: int) -> bool:
        self._folder.mkdir(exist_ok=True)
        config = self._folder / "mosquitto.conf"
        config.write_text(
            f"listener {port} 127.0.0.1\n"
            + "\n".join(self._lines)
            + f"\nuser root\npersistence true\npersistence_location {self._folder}/\n"
        )
        self._process = subprocess.Popen(
            [MOSQUITTO, "-c", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=end_with_us,
        )
        running: queue.SimpleQueue[bool] = queue.SimpleQueue()
        threading.Thread(target=_follow, args=(self._process, running), daemon=True).start()
        if running.get(timeout=PATIENCE_S):
            return True
        self._end(signal.SIGKILL)
        return False

    def _end(self, number: signal.Signals) -> None:
        process = self._process
        if process is not None:
            self._process = None
            process.send_signal(signal.SIGCONT)  # one that hangs hears nothing but SIGKILL
            for _ in range(PATIENCE_S):
                process.send_signal(number)
                try:
                    process.wait(1)
                    return
                except subprocess.TimeoutExpired:
                    pass  # it was just starting, and mosquitto then forgets a SIGTERM
            raise AssertionError(f"mosquitto {process.pid} does not end")


Broker = Nats | Mosquitto


def _follow(process: subprocess.Popen[str], running: "queue.SimpleQueue[bool]") -> None:
    """Read its log to the end, so that it never waits; say when it runs, or that it ended."""
    assert process.stderr is not None
    with process.stderr as log:
        for line in log:
            if line.rstrip().endswith("running"):
                running.put(True)
    running.put(False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
