"""Whoever listens for the page misses nothing: the controller reaches its broker no sooner than it does."""

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from host_rig import PATIENCE_S, until

import hal.board
from sim import api, observer
from sim.desk import Desk
from sim.observer import Observer

CONNECT, SUBSCRIBE = 0x10, 0x82
GRANTED, REFUSED = 0x01, 0x80


class Broker:
    """Says only what the test has it say, in MQTT 3.1.1, on a port that the system chose."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE_S)
        self.address: tuple[str, int] = self._listener.getsockname()
        self._plugs: list[socket.socket] = []

    def accept(self) -> socket.socket:
        """The next client."""
        plug = self._listener.accept()[0]
        plug.settimeout(PATIENCE_S)
        self._plugs.append(plug)
        return plug

    def close(self) -> None:
        """Gone."""
        for plug in (self._listener, *self._plugs):
            plug.close()


@pytest.fixture
def broker() -> Iterator[Broker]:
    one = Broker()
    yield one
    one.close()


def _read(plug: socket.socket, kind: int) -> bytes:
    """The next packet, which must be of this kind: what stands behind its head."""
    head = plug.recv(2, socket.MSG_WAITALL)
    assert head[0] == kind
    assert head[1] < 0x80
    return plug.recv(head[1], socket.MSG_WAITALL)


def _let_in(plug: socket.socket, code: int = 0) -> None:
    _read(plug, CONNECT)
    plug.sendall(bytes([0x20, 2, 0, code]))


def _answer(plug: socket.socket, code: int) -> None:
    """To the next subscription."""
    plug.sendall(bytes([0x90, 3, *_read(plug, SUBSCRIBE)[:2], code]))


def _carries(desk: Desk) -> bool:
    try:
        socket.create_connection(("127.0.0.1", desk.cable.port), PATIENCE_S).close()
    except ConnectionRefusedError:
        return False
    return True


@contextmanager
def _running(desk: Desk) -> Iterator[None]:
    thread = threading.Thread(target=desk.run)
    thread.start()
    try:
        yield
    finally:
        desk.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def test_a_controller_reaches_its_broker_only_while_somebody_listens_there_for_the_page(
    broker: Broker, tmp_path: Path
) -> None:
    config = hal.board.load("board_configs/demo-sim.toml")
    desk = Desk(config, str(tmp_path), broker.address, 0)
    assert not _carries(desk)
    with _running(desk):
        listener = broker.accept()
        _let_in(listener)
        subscription = _read(listener, SUBSCRIBE)
        assert not _carries(desk)
        listener.sendall(bytes([0x90, 3, *subscription[:2], GRANTED]))
        controller = broker.accept()
        assert controller.recv(1)[0] == CONNECT
        listener.close()
        until("nobody gets through", lambda: not _carries(desk))
        asked = threading.Event()

        def unplug_and_plug() -> None:
            desk.act("cut_network", {})
            desk.act("restore_network", {})
            asked.set()

        desk.ask(unplug_and_plug)
        assert asked.wait(PATIENCE_S)
        assert not _carries(desk)


def test_a_broker_that_lets_nobody_listen_still_has_the_controller(
    broker: Broker, tmp_path: Path
) -> None:
    config = hal.board.load("board_configs/demo-sim.toml")
    desk = Desk(config, str(tmp_path), broker.address, 0)
    with _running(desk):
        _let_in(broker.accept(), code=5)
        until("the cable carries", lambda: _carries(desk))


def test_a_subscription_that_is_refused_is_asked_for_until_it_is_granted(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observer, "AGAIN_S", 0.01)
    monkeypatch.setattr(observer, "RECONNECT_MAX_S", 1)
    told: list[bool] = []
    one = Observer(*broker.address, "doorward/a/b", lambda *message: None, told.append)
    one.start()
    try:
        plug = broker.accept()
        _let_in(plug)
        _answer(plug, REFUSED)
        _answer(plug, REFUSED)
        subscription = _read(plug, SUBSCRIBE)
        assert told == [True]  # that is its last word, as far as anybody need wait for it
        assert not one.subscribed.is_set()
        plug.sendall(bytes([0x90, 3, *subscription[:2], GRANTED]))
        assert one.subscribed.wait(PATIENCE_S)
        plug.close()
        until("it knows that it is deaf", lambda: told == [True, False])
        assert not one.subscribed.is_set()
    finally:
        one.stop()


class Silent:
    """A desk whose loop answers when the test lets it."""

    def __init__(self) -> None:
        self.questions: list[Callable[[], None]] = []
        self.ask: Callable[[Callable[[], None]], None] = self.questions.append
        self.recent: list[dict[str, Any]] = []
        self.done: list[str] = []
        self.on_news: Any = None

    def story(self) -> dict[str, Any]:
        return {"start": "", "steps": []}

    def act(self, verb: str, args: dict[str, Any]) -> None:
        self.done.append(verb)


@contextmanager
def _serving(desk: Silent) -> Iterator[api.Server]:
    server = api.Server("127.0.0.1", 0)
    server.open(desk)  # type: ignore[arg-type]
    try:
        yield server
    finally:
        server.close()


def _status(server: api.Server, method: str, path: str, body: str | None = None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/api/events", "/api/story"])
def test_what_is_not_known_in_time_is_never_told_as_nothing(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(api, "ANSWER_S", 0.01)
    with _serving(Silent()) as server:
        assert _status(server, "GET", path) == 503
        assert server.newsroom._listeners == []


def test_an_act_that_was_answered_with_try_again_is_not_done_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(api, "ANSWER_S", 0.01)
    desk = Silent()
    with _serving(desk) as server:
        assert _status(server, "POST", "/api/act", json.dumps({"do": "press_ack"})) == 503
        for question in desk.questions:
            question()
        assert desk.done == []
        monkeypatch.setattr(api, "ANSWER_S", PATIENCE_S)
        desk.ask = lambda question: question()
        assert _status(server, "POST", "/api/act", json.dumps({"do": "press_ack"})) == 200
        assert desk.done == ["press_ack"]
