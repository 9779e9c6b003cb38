"""`firmware.services.link`: a child that dies, hangs or says what it never says harms nobody."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware.runtime import aio
from firmware.runtime.clock import MonotonicClock
from firmware.services import link, link_child, link_process
from firmware.services.link_channel import Gone, Life
from hal.backends.monotonic_ticks import MonotonicTicks

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_MS = 60_000
CONFIG: dict[str, Any] = {
    "enabled": True,
    "host": "127.0.0.1",
    "port": 9,
    "protocol": "auto",
    "tls": False,
    "ca": None,
    "cert": None,
    "key": None,
    "username": None,
    "password_file": None,
    "keepalive_s": 5,
    "reconnect_max_ms": 1000,
}


class Rig:
    """A link on a real loop, with a stub for a child."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.loop = aio.Loop(MonotonicClock(MonotonicTicks()), aio.PollWaiter())
        self.link = link_child.LinkProcess(config, "s", "c", self.loop, '{"state":"offline"}')
        self.said: list[Any] = []
        self.link.on_up = self.said.append
        self.link.on_health = lambda ok, text: self.said.append((ok, text))

    def until(self, holds: Callable[[], object]) -> None:
        """Run the loop until `holds`."""

        async def wait() -> None:
            end_ms = self.loop.now_ms() + PATIENCE_MS
            while not holds():
                assert self.loop.now_ms() < end_ms, self.said
                await aio.sleep_ms(1)

        self.loop.run(wait())


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Rig]]:
    rigs: list[Rig] = []

    def make(what: str) -> Rig:
        monkeypatch.setattr(link_child, "CHILD", "link_stub")
        monkeypatch.setattr(link, "RESTART_MS", 20)
        monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
        monkeypatch.setenv("LINK_STUB", what)
        rig = Rig(CONFIG)
        rigs.append(rig)
        rig.link.start()
        return rig

    yield make
    for rig in rigs:
        rig.link.kill()


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("dies", "link: its process ended"),
        ("noise", "link: a line that is no JSON; expected a record"),
        (
            "unknown",
            "link: a record of unknown kind; expected one of up, taken, message, health, choked, beat",
        ),
        ("endless", "link: a line without end; expected at most 393216 bytes"),
        ("fields", "link: up with other fields; expected on, protocol"),
        ("early", "link: taken without a broker; expected up before it"),
        ("stranger", "link: message without a broker; expected up before it"),
        ("deep", "link: a line that is no JSON; expected a record"),
    ],
)
def test_a_child_that_misbehaves_is_ended_told_once_and_started_again(
    start: Callable[[str], Rig], what: str, text: str
) -> None:
    rig = start(what)
    pids = {rig.link.pid}

    def three_were_started() -> bool:
        pids.add(rig.link.pid)
        return len(pids - {None}) >= 3

    rig.until(three_were_started)
    assert {said for said in rig.said if said is not False} == {(False, f"{text}; trying again")}
    assert not [pid for pid in pids - {None, rig.link.pid} if Path(f"/proc/{pid}").exists()]


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("greedy", "link: taken what was not sent; expected each token once"),
        ("flood", "link: a message before its turn; expected to be heard first"),
    ],
)
def test_a_child_that_says_more_than_it_may_is_replaced(
    start: Callable[[str], Rig], what: str, text: str
) -> None:
    rig = start(what)
    first = rig.link.pid
    rig.link.on_message = lambda message: rig.said.append(message.topic)
    rig.until(lambda: (False, f"{text}; trying again") in rig.said)
    rig.until(lambda: rig.link.pid not in (None, first))
    assert rig.said.count("command") <= rig.said.count(True)  # the second one was told to nobody


def test_a_child_that_does_not_read_counts_as_down_and_is_replaced(
    start: Callable[[str], Rig],
) -> None:
    rig = start("mute")
    rig.until(lambda: rig.said)
    first = rig.link.pid
    payload = "x" * 100_000
    for _ in range(20):
        rig.link.send(1, "t", payload, False)
    assert rig.said == [True]  # nobody is told in the middle of a send
    rig.until(lambda: len(rig.said) >= 3)
    assert rig.said[:3] == [
        True,
        False,
        (False, "link: its process hangs; expected it to read; trying again"),
    ]
    rig.until(lambda: rig.link.pid not in (None, first))


def test_a_message_that_is_too_long_is_told_and_not_sent(start: Callable[[str], Rig]) -> None:
    rig = start("mute")
    rig.until(lambda: rig.said)
    rig.link.send(1, "t", "x" * 400_000, False)
    assert rig.said[1][0] is False
    assert rig.said[1][1].startswith("link: a send of 4000")
    assert rig.said[1][1].endswith(" bytes; expected at most 393216")


def test_a_child_that_says_nothing_any_more_is_replaced_and_one_that_beats_is_not(
    start: Callable[[str], Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_child, "LOOK_MS", 60)
    rig = start("mute")
    rig.until(lambda: rig.said)
    first = rig.link.pid
    rig.until(lambda: rig.link.pid not in (None, first))
    text = "link: its process hangs; expected a sign of life each 10 s; trying again"
    assert rig.said[:3] == [True, False, (False, text)]
    alive = start("beats")
    alive.until(lambda: alive.said)
    first, end_ms = alive.link.pid, alive.loop.now_ms() + 60 * 4 * (link_child.SILENT_LIMIT + 1)
    alive.until(lambda: alive.loop.now_ms() >= end_ms)
    assert (alive.link.pid, alive.said) == (first, [True])


def test_the_links_process_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_process, "BEAT_MS", 1)
    ours, theirs = socket.socketpair()
    ours.settimeout(PATIENCE_MS / 1000)
    thread = threading.Thread(target=_run_link, args=(theirs,))
    thread.start()
    heard = b""
    while heard.count(b'{"kind":"beat"}\n') < 2:
        heard += ours.recv(100)
    ours.close()
    thread.join()
    assert set(heard.splitlines()) == {b'{"kind":"beat"}'}


def _run_link(door: socket.socket) -> None:
    with pytest.raises(Gone), door:
        link_process.LinkProcess(door, Life()).run()


def test_killed_it_tells_nobody_and_starts_nothing(start: Callable[[str], Rig]) -> None:
    rig = start("mute")
    rig.until(lambda: rig.said)
    pid = rig.link.pid
    rig.link.kill()
    rig.link.send(1, "t", "x", False)
    rig.until(lambda: not Path(f"/proc/{pid}").exists())
    assert rig.said == [True]
    assert rig.link.pid is None


def test_a_link_that_is_switched_off_starts_no_process() -> None:
    rig = Rig({**CONFIG, "enabled": False, "host": None})
    rig.link.start()
    assert rig.link.pid is None
    rig.link.stop()


def test_a_listener_that_fails_is_the_loops_to_tell(start: Callable[[str], Rig]) -> None:
    rig = start("mute")
    told: list[tuple[str, str]] = []
    rig.loop.on_error = lambda name, error: told.append((name, type(error).__name__))

    def fail(up: bool) -> None:
        raise KeyError(up)

    rig.link.on_up = fail
    rig.until(lambda: told)
    assert told == [("link", "KeyError")]


def test_the_childs_start_without_a_channel_is_one_line() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "firmware.services.link_process", "99"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 2
    assert run.stderr == "link: started without its channel; expected to be the door's child\n"
