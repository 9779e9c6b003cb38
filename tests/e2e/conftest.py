"""Starts the real simulator for a test, on ports that the system chooses, and stops it by its pid."""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60


class Demo:
    """One running `sim serve`."""

    def __init__(self, state: Path, *options: str) -> None:
        self.state = state
        command = [sys.executable, "-m", "sim", "serve", "--port", "0"]
        if "--mqtt" not in options:
            command += ["--mqtt-port", "0"]
        self.process = subprocess.Popen(
            [*command, "--state", str(state), *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = self.broker = ""
        for line in self.process.stdout:
            page = re.match(r"Page: +(http://\S+)", line)
            broker = re.match(r"Broker: +(\S+)", line)
            if page:
                self.url = page[1]
            if broker:
                self.broker = broker[1]
                break
        assert self.url, "the simulator ended before it said its address"

    def world(self) -> dict[str, Any]:
        """`GET /api/world`."""
        with urllib.request.urlopen(self.url + "api/world", timeout=PATIENCE_S) as answer:
            world: dict[str, Any] = json.load(answer)
        return world

    def try_act(self, do: str, **args: Any) -> tuple[int, dict[str, Any]]:
        """`POST /api/act`: the status and the answer."""
        body = json.dumps({"do": do, **args}).encode()
        request = urllib.request.Request(self.url + "api/act", body, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def act(self, do: str, **args: Any) -> None:
        """A verb that must begin."""
        status, answer = self.try_act(do, **args)
        assert status == 200, answer

    def events(self, after_seq: int = 0) -> Iterator[dict[str, Any]]:
        """`GET /api/events`: the controller's events, as they come, for as long as patience lasts."""
        until = time.monotonic() + PATIENCE_S
        url = f"{self.url}api/events?after_seq={after_seq}"
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            kind = ""
            for raw in answer:
                if time.monotonic() > until:
                    return
                line = raw.decode().rstrip("\n")
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif line.startswith("data: ") and kind == "event":
                    yield json.loads(line.removeprefix("data: "))

    def wait_for(self, type: str, after_seq: int = 0, **fields: Any) -> dict[str, Any]:
        """The first event of `type` with these fields."""
        for event in self.events(after_seq):
            if event["type"] == type and all(event.get(k) == v for k, v in fields.items()):
                return event
        raise AssertionError(f"no {type} with {fields}")

    def stop(self, how: int = signal.SIGTERM) -> int:
        """End it by its pid; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(PATIENCE_S)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture
def start_demo(tmp_path: Path) -> Iterator[Any]:
    """Starts simulators: `start_demo(*options)`; all are stopped at the end."""
    running: list[Demo] = []

    def start(*options: str, state: Path | None = None) -> Demo:
        demo = Demo(state or tmp_path / "state", *options)
        running.append(demo)
        return demo

    yield start
    for demo in running:
        demo.stop()


@pytest.fixture
def demo(start_demo: Any) -> Demo:
    """A freshly started simulator of the demo building."""
    started: Demo = start_demo()
    return started


@pytest.fixture(scope="module")
def shared_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One simulator for all tests of a module that only ask."""
    started = Demo(tmp_path_factory.mktemp("shared"))
    yield started
    started.stop()
