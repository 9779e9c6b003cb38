"""`firmware.services.link_socket`: the link calls; whoever calls, says or does not read, the door goes on."""

import json
import os
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from test_firmware_services_link import CONFIG, PATIENCE_MS

from firmware.runtime import aio
from firmware.runtime.clock import MonotonicClock
from firmware.services import link
from firmware.services.link_listener import Listener
from firmware.services.link_records import encode
from firmware.services.link_socket import LinkSocket
from hal.backends.monotonic_ticks import MonotonicTicks

PAUSE_MS = 20


class Rig:
    """A door that is called at a path, on a real loop."""

    def __init__(self, path: str, config: dict[str, Any]) -> None:
        self.path = path
        self.loop = aio.Loop(MonotonicClock(MonotonicTicks()), aio.PollWaiter())
        self.link = LinkSocket(config, "s", "c", self.loop, '{"state":"offline"}', Listener(path))
        self.said: list[Any] = []
        self.links: list[socket.socket] = []
        self.link.on_up = self.said.append
        self.link.on_health = lambda ok, text: self.said.append((ok, text))
        self.link.start()

    def until(self, holds: Callable[[], object]) -> None:
        """Run the loop until `holds`."""

        async def wait() -> None:
            end_ms = self.loop.now_ms() + PATIENCE_MS
            while not holds():
                assert self.loop.now_ms() < end_ms, self.said
                await aio.sleep_ms(1)

        self.loop.run(wait())

    def call(self, say: bytes = b"") -> socket.socket:
        """A link that calls, and says this at once."""
        one = socket.socket(socket.AF_UNIX)
        one.connect(self.path)
        one.setblocking(False)
        one.sendall(say)
        self.links.append(one)
        return one

    def hear(self, one: socket.socket) -> list[dict[str, Any]]:
        """What the door says to that link, up to the first whole record."""
        heard = bytearray()

        def whole() -> bool:
            try:
                heard.extend(one.recv(65_536))
            except BlockingIOError:
                return False
            return heard.endswith(b"\n")

        self.until(whole)
        return [json.loads(line) for line in heard.splitlines()]

    def let_go(self, one: socket.socket) -> None:
        """Run until the door has closed that link's channel."""

        def gone() -> bool:
            try:
                while one.recv(65_536):
                    pass
            except BlockingIOError:
                return False
            except ConnectionResetError:
                pass
            return True

        self.until(gone)


UP = encode("up", on=True, protocol="5")


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setattr(link, "RESTART_MS", PAUSE_MS)
    one = Rig(str(tmp_path / "link.sock"), CONFIG)
    yield one
    one.link.kill()
    for each in one.links:
        each.close()


def test_whoever_calls_is_told_the_config_first_and_carries_what_is_sent(rig: Rig) -> None:
    one = rig.call(UP)
    rig.until(lambda: rig.said == [True])
    rig.link.send(7, "t", "{}", False)
    first, second = rig.hear(one)
    assert (first["kind"], first["client"]) == ("config", "s-c")
    assert (second["kind"], second["token"]) == ("send", 7)


def test_the_path_is_for_the_doors_user_and_group_and_gone_after_a_clean_end(rig: Rig) -> None:
    assert stat.S_IMODE(os.stat(rig.path).st_mode) == 0o660
    rig.link.stop()
    assert not os.path.exists(rig.path)


def test_the_path_of_a_door_that_died_is_taken_over(tmp_path: Path) -> None:
    path = str(tmp_path / "link.sock")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    rig = Rig(path, CONFIG)
    rig.call(UP)
    rig.until(lambda: True in rig.said)
    rig.link.kill()


def test_a_path_that_cannot_be_bound_is_one_line_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "RESTART_MS", PAUSE_MS)
    path = tmp_path / "there" / "link.sock"
    rig = Rig(str(path), CONFIG)
    assert rig.said == [
        (
            False,
            f"link: {path}: no such file or directory; "
            "expected a free path that may be bound (--link-socket); trying again",
        )
    ]
    path.parent.mkdir()
    rig.until(path.exists)
    rig.call(UP)
    rig.until(lambda: True in rig.said)
    rig.link.kill()


@pytest.mark.parametrize("there", ["a file", "a living door"])
def test_what_is_anothers_is_left_alone(tmp_path: Path, there: str) -> None:
    path = tmp_path / "link.sock"
    with socket.socket(socket.AF_UNIX) as living:
        if there == "a file":
            path.write_text("mine")
        else:
            living.bind(str(path))
            living.listen()
        rig = Rig(str(path), CONFIG)
        reason = "is there, and no socket" if there == "a file" else "used by another doorward"
        assert [text.split(";")[0] for _, text in rig.said] == [f"link: {path}: {reason}"]
        rig.link.kill()
    assert path.exists()


@pytest.mark.parametrize(
    ("says", "text"),
    [
        (b"\x00\xff\n", "link: a line that is no JSON; expected a record"),
        (b'{"kind":"open"}\n', "link: a record of unknown kind"),
        (b"a" * 150_000, None),
        (encode("taken", tokens=[1]), "link: taken without a broker; expected up before it"),
        (UP + encode("taken", tokens=[1]), "link: taken what was not sent"),
    ],
)
def test_a_link_that_talks_nonsense_is_let_go_and_the_next_one_is_taken(
    rig: Rig, says: bytes, text: str | None
) -> None:
    one = rig.call(says)
    if text is None:
        rig.until(lambda: rig.link._channel is not None)
        rest = memoryview(b"a" * 400_000)
        while rest and not any(type(said) is tuple for said in rig.said):
            try:
                rest = rest[one.send(rest) :]
            except BlockingIOError:
                rig.loop.turn()
        text = "link: a line without end"
    rig.let_go(one)
    assert [said[1].startswith(text) for said in rig.said if type(said) is tuple] == [True]
    rig.said.clear()
    rig.call(UP)
    rig.until(lambda: rig.said == [True])


def test_a_link_that_never_reads_is_let_go(rig: Rig) -> None:
    one = rig.call(UP)
    rig.until(lambda: rig.said == [True])
    for _ in range(20):
        rig.link.send(1, "t", "x" * 100_000, False)
    rig.let_go(one)
    assert rig.said[1:] == [
        False,
        (False, "link: its process hangs; expected it to read; trying again"),
    ]


def test_a_second_link_takes_the_place_of_the_first(rig: Rig) -> None:
    one = rig.call(UP)
    rig.until(lambda: rig.said == [True])
    two = rig.call(UP)
    rig.let_go(one)
    rig.until(lambda: rig.said[-1] is True and len(rig.said) > 1)
    text = "link: another one came; expected one at a time; the newer one stays"
    assert rig.said == [True, (False, text), False, True]
    assert rig.hear(two)[0]["kind"] == "config"


def test_what_the_first_link_still_says_is_heard_by_nobody(rig: Rig) -> None:
    rig.link.on_message = lambda message: rig.said.append(message.topic)
    one = rig.call(UP)
    rig.until(lambda: rig.said == [True])
    rig.call()
    one.sendall(
        encode(
            "message",
            token=1,
            topic="stored",
            payload="",
            retained=False,
            flaw="too_long",
            again=False,
            number=1,
        )
    )
    rig.let_go(one)
    rig.said.clear()
    rig.call(UP)
    rig.until(lambda: True in rig.said)
    assert "stored" not in rig.said


def test_whoever_calls_again_and_again_is_answered_more_and_more_rarely(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[int] = []
    real = rig.link._pause_ms

    def pause_ms() -> int:
        pauses.append(real())
        return pauses[-1]

    monkeypatch.setattr(rig.link, "_pause_ms", pause_ms)
    while len(pauses) < 5:
        before = len(pauses)
        rig.call().close()
        rig.until(lambda before=before: len(pauses) > before)  # type: ignore[misc]
    # The first pause was fixed before the test changed what it begins with.
    assert all(later == 2 * earlier for earlier, later in zip(pauses, pauses[1:], strict=False))


def test_a_clean_end_says_stop_and_notes_what_the_broker_still_takes(rig: Rig) -> None:
    taken: list[int] = []
    rig.link.on_taken = taken.append
    one = rig.call(UP)
    rig.until(lambda: rig.said == [True])
    rig.link.send(3, "t", "{}", False)
    one.sendall(encode("taken", tokens=[3]))
    one.shutdown(socket.SHUT_WR)
    rig.link.stop()
    assert taken == [3]
    assert [record["kind"] for record in rig.hear(one)] == ["config", "send", "stop"]


def test_a_link_that_is_switched_off_is_called_by_nobody(tmp_path: Path) -> None:
    path = str(tmp_path / "link.sock")
    rig = Rig(path, {**CONFIG, "enabled": False, "host": None})
    assert not os.path.exists(path)
    rig.link.stop()
