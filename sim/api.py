"""The simulator's HTTP side, on loopback: the page, `/api/world`, `/api/act`, `/api/command`, `/api/events`.

Standard library threads in front of the desk's one loop: a request asks the loop and waits for its
answer. Everything that comes in is limited; a page of another origin may read nothing and do nothing.
"""

import gzip
import json
import queue
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from host_tools.signer import LIFE_S
from sim import dispatch
from sim.desk import Desk
from sim.world import VerbError

BODY_LIMIT = 64 * 1024
NEWS_LIMIT = 2000  #: messages that one slow page may be behind before it is let go
KEEP_ALIVE_S = 15
ANSWER_S = 20  #: how long a request waits for a controller that is starting
FIRST_EVENTS = 200

_HERE = Path(__file__).parent / "page"
_WORDS = Path(__file__).parent.parent / "host_tools" / "words"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".svg": "image/svg+xml",
}
_POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"


class Newsroom:
    """Hands every piece of news to every page that listens."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = threading.Lock()
        self._listeners: list[queue.Queue[tuple[str, dict[str, Any]] | None]] = []
        desk.on_news = self._tell

    def listen(self) -> "queue.Queue[tuple[str, dict[str, Any]] | None]":
        """News from now on; None means that the listener was too slow, or that all is over."""
        news: queue.Queue[tuple[str, dict[str, Any]] | None] = queue.Queue(NEWS_LIMIT)
        with self._lock:
            self._listeners.append(news)
        return news

    def leave(self, news: "queue.Queue[tuple[str, dict[str, Any]] | None]") -> None:
        """Listen no longer."""
        with self._lock:
            if news in self._listeners:
                self._listeners.remove(news)

    def close(self) -> None:
        """Let every listener go."""
        with self._lock:
            for news in self._listeners:
                while not news.empty():
                    news.get_nowait()
                news.put_nowait(None)
            self._listeners = []

    def _tell(self, kind: str, what: dict[str, Any]) -> None:
        with self._lock:
            for news in list(self._listeners):
                try:
                    news.put_nowait((kind, what))
                except queue.Full:
                    self._listeners.remove(news)
                    news.get_nowait()
                    news.put_nowait(None)


class Server(ThreadingHTTPServer):
    """The HTTP server of one desk."""

    daemon_threads = True
    allow_reuse_address = True

    desk: Desk
    newsroom: Newsroom

    def __init__(self, host: str, port: int) -> None:
        super().__init__((host, port), Handler)  # the port is ours; nobody is answered yet
        self.loopback = _is_loopback(host)

    def open(self, desk: Desk) -> None:
        """Begin to answer, in a thread of its own."""
        self.desk = desk
        self.newsroom = Newsroom(desk)
        threading.Thread(target=self.serve_forever, name="http", daemon=True).start()

    def close(self) -> None:
        """Let every page go."""
        self.newsroom.close()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A page that went away in the middle of an answer is nobody's error."""


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        """The page's files, the world, the events."""
        url = urlsplit(self.path)
        stranger = self._stranger()
        if stranger:
            self._json(403, {"ok": False, "error": stranger})
        elif url.path == "/api/world":
            self._world()
        elif url.path == "/api/events":
            self._events(url.query)
        elif url.path == "/api/story":
            story = self._ask(self.server.desk.story)
            self._json(200, story) if story else self._starting()
        else:
            self._file(url.path)

    def do_POST(self) -> None:
        """`/api/act`: a verb of the world. `/api/command`: a signed command of the demo's operator."""
        path = urlsplit(self.path).path
        if path not in ("/api/act", "/api/command"):
            line = f"{self.path}: unknown; expected /api/act or /api/command"
            self._json(404, {"ok": False, "error": line})
            return
        stranger = self._stranger()
        if stranger:
            self._json(403, {"ok": False, "error": stranger})
            return
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if not 0 <= length <= BODY_LIMIT:
            self.close_connection = True
            self._json(422, {"ok": False, "error": f"body: expected at most {BODY_LIMIT} bytes"})
            return
        try:
            asked = json.loads(self.rfile.read(length) or b"null")
        except (ValueError, RecursionError):
            asked = None
        needed = "do" if path == "/api/act" else "op"
        if not isinstance(asked, dict) or not isinstance(asked.get(needed), str):
            example = '{"do": VERB, ...}' if path == "/api/act" else '{"op": OP, "args": {...}}'
            self._json(422, {"ok": False, "error": f"body: expected a JSON object {example}"})
        elif path == "/api/command":
            self._command(asked)
        else:
            verb = asked.pop("do")
            answer = self._ask(lambda: self._act(verb, asked))
            if answer is None:
                self._starting()
            elif answer == "":
                self._json(200, {"ok": True})
            else:
                self._json(422, {"ok": False, "error": answer})

    def _command(self, asked: dict[str, Any]) -> None:
        """Send it over the broker and wait for the controller's word; the desk's loop waits for nothing."""
        known = {"op", "args", "life_s", "wait_s", "stranger"}
        wait_s = asked.get("wait_s", dispatch.ANSWER_S)
        line = ""
        if not set(asked) <= known:
            line = f"{sorted(set(asked) - known)[0]}: unknown; expected one of {', '.join(sorted(known))}"
        elif type(wait_s) is not int or not 0 <= wait_s <= dispatch.ANSWER_S:
            line = f"wait_s: is out of range; expected 0 to {dispatch.ANSWER_S}"
        elif type(asked.get("stranger", False)) is not bool:
            line = "stranger: is neither true nor false; expected one of them"
        sender = self.server.desk.dispatch
        try:
            if line:
                raise dispatch.CommandError(line)
            command = sender.send(
                asked["op"],
                asked.get("args", {}),
                life_s=asked.get("life_s", LIFE_S),
                stranger=asked.get("stranger", False),
            )
        except dispatch.CommandError as error:
            self._json(422, {"ok": False, "error": str(error)})
            return
        self._json(*dispatch.answered(sender, command, wait_s))

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads an access log of a desk."""

    def _act(self, verb: str, args: dict[str, Any]) -> str:
        try:
            self.server.desk.act(verb, args)
        except VerbError as error:
            return str(error)
        return ""

    def _world(self) -> None:
        """Answers only when the controller decides and its locks are at rest, or its power is off."""
        desk = self.server.desk
        answer = None
        for _ in range(ANSWER_S * 20):
            answer = self._ask(
                lambda: desk.world_now() if desk.at_rest or not desk.machine.power else {}
            )
            if answer != {}:
                break
            threading.Event().wait(0.05)
        self._json(200, answer) if answer else self._starting()

    def _events(self, query: str) -> None:
        desk = self.server.desk
        after = parse_qs(query).get("after_seq", [""])[0]
        if after and not after.isdigit():
            self._json(422, {"ok": False, "error": "after_seq: expected a whole number"})
            return
        news = self.server.newsroom.listen()
        recent: list[dict[str, Any]] | None = self._ask(lambda: list(desk.recent))
        if recent is None:
            self.server.newsroom.leave(news)
            self._starting()  # "nothing has happened" would never be taken back
            return
        if after:
            recent = [event for event in recent if event.get("seq", 0) > int(after)]
        else:
            recent = recent[-FIRST_EVENTS:]
        self.send_response(200)
        self._headers("text/event-stream; charset=utf-8")
        self.send_header("X-Accel-Buffering", "no")
        self.close_connection = True
        self.send_header("Connection", "close")
        self.end_headers()
        told = set()
        try:
            with desk.watched():
                for event in recent:
                    told.add(event.get("id"))
                    self._news("event", event)
                while True:
                    try:
                        item = news.get(timeout=KEEP_ALIVE_S)
                    except queue.Empty:
                        self.wfile.write(b": here\n\n")
                        continue
                    if item is None:
                        return
                    if told and item[0] == "event" and item[1].get("id") in told:
                        continue  # it came between the look back and the first live one
                    self._news(*item)
        except OSError:
            return
        finally:
            self.server.newsroom.leave(news)

    def _news(self, kind: str, what: dict[str, Any]) -> None:
        data = json.dumps(what, ensure_ascii=False, separators=(",", ":"))
        self.wfile.write(f"event: {kind}\ndata: {data}\n\n".encode())

    def _file(self, path: str) -> None:
        name = "index.html" if path == "/" else path.removeprefix("/")
        folder = _HERE
        if name.startswith("words/"):
            folder, name = _WORDS, name.removeprefix("words/")
        file = folder / name
        if "/" in name or file.suffix not in _TYPES or not file.is_file():
            self._json(404, {"ok": False, "error": f"{path}: unknown; expected / or /api/..."})
            return
        body = file.read_bytes()
        self.send_response(200)
        self._headers(_TYPES[file.suffix])
        self.send_header("Vary", "Accept-Encoding")
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, 6)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _json(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer, ensure_ascii=False).encode()
        self.send_response(status)
        self._headers(_TYPES[".json"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _headers(self, type: str) -> None:
        self.send_header("Content-Type", type)
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-cache")

    def _stranger(self) -> str:
        """Why whoever asks is no page of ours; "" if it is one, or no page at all."""
        origin, host = self.headers.get("Origin"), self.headers.get("Host")
        if origin is not None and origin.partition("://")[2] != host:
            return "Origin: another site; expected this page's own"
        # Another site's name can be made to point at loopback; then only the name tells.
        if self.server.loopback and host is not None and not _is_loopback(host):
            return "Host: another name; expected localhost or a loopback address"
        return ""

    def _starting(self) -> None:
        self._json(503, {"ok": False, "error": "the controller is starting; try again"})

    def _ask(self, question: Callable[[], Any]) -> Any:
        """The loop's answer to `question`; None if it gives none in time, and then it is not asked later."""
        answered = threading.Event()
        given_up = threading.Event()
        answer: list[Any] = [None]

        def ask() -> None:
            try:
                if not given_up.is_set():
                    answer[0] = question()
            finally:
                answered.set()

        self.server.desk.ask(ask)
        if not answered.wait(ANSWER_S):
            given_up.set()
        return answer[0]


def _is_loopback(host: str) -> bool:
    """Whether a host, with a port or without, is this machine as only it can name itself."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
