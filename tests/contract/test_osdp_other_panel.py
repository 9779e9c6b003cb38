"""The reader that the OSDP tests have as their peer, at a panel of somebody else: it is honest, and encrypts.

libosdp is at both ends of every other test, so what both got wrong would stand. The package `osdp` is an
implementation of its own; it is installed from `requirements/osdp-panel.txt` into a folder of its own, as its
import name is that of libosdp too.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from osdp_rig import KEY, Rig, until

ROOT = Path(__file__).parents[2]
PINNED = ROOT / "requirements" / "osdp-panel.txt"
INSTALL = "-m pip install --disable-pip-version-check --no-input --require-hashes -qq"
INSTALL_S = 300
CARD = "10110011100011110000111110"
LED = 2


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the package."""
    folder = tmp_path_factory.mktemp("osdp-panel")
    done = subprocess.run(
        [sys.executable, *INSTALL.split(), "--target", str(folder), "-r", str(PINNED)],
        capture_output=True,
        text=True,
        timeout=INSTALL_S,
        check=False,
    )
    assert done.returncode == 0, f"the package osdp cannot be had: {done.stderr}"
    return folder


@pytest.fixture
def rig() -> Iterator[Rig]:
    one = Rig()
    yield one
    one.close()


class _Panel:
    """The panel's process, and what it heard."""

    def __init__(self, rig: Rig, package: Path, key: bytes) -> None:
        self.heard: list[dict[str, Any]] = []
        script = str(Path(__file__).with_name("osdp_other_panel.py"))
        self._process = subprocess.Popen(
            [sys.executable, script, rig.port, "0", key.hex()],
            env={**os.environ, "PYTHONPATH": str(package)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it logs each time that nobody answers
            text=True,
        )
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def until(self, **what: Any) -> None:
        """It has heard that."""
        until(lambda: what in self.heard, f"never heard {what}")

    def light(self) -> None:
        """Have it light the reader."""
        assert self._process.stdin is not None
        self._process.stdin.write("light\n")
        self._process.stdin.flush()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.heard.append(json.loads(line))


@pytest.fixture
def panels(rig: Rig, package: Path) -> Iterator[Any]:
    running: list[_Panel] = []

    def start(key: bytes) -> _Panel:
        running.append(_Panel(rig, package, key))
        return running[-1]

    yield start
    for panel in running:
        panel.close()


def test_another_panel_with_the_key_hears_the_reader_in_its_secure_channel(
    rig: Rig, panels: Any
) -> None:
    peer = rig.peer(0)
    panel = panels(KEY)
    panel.until(reply="Ack", secure=True)
    rig.passed.clear()
    peer.card(CARD)
    panel.until(card=CARD)
    peer.keys(b"15")
    panel.until(keys="15")
    peer.status(1, 0)
    panel.until(tamper=True, power=False)
    panel.light()
    panel.until(lit=True)
    lit = until(lambda: [one for one in peer.commands if one.get("command") == LED])
    assert lit[0]["on_color"] == 1
    plain = {one["reply"] for one in panel.heard if one.get("secure") is False}
    assert plain <= {
        "Nak",
        "CrypticData",
        "InitialRMac",
    }  # before there is a channel, and its making
    assert int(CARD + "000000", 2).to_bytes(4, "big") not in rig.passed
    assert KEY not in rig.passed


def test_another_panel_with_another_key_hears_nothing_of_it(rig: Rig, panels: Any) -> None:
    peer = rig.peer(0)
    panel = panels(bytes(16))
    peer.card(CARD)
    until(lambda: panel.heard and rig.passed.count(b"\x53\x80") > 5, "it does not answer")
    assert [one for one in panel.heard if "card" in one or one.get("secure")] == []
