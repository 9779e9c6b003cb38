"""Commands from the simulator's desk: signed by its operator, sent over the real broker, answered by it.

What goes out here takes the way of any host's command; nothing reaches the controller beside the broker.
`send` and `wait` may be called by any thread, `heard` is the observer's.
"""

import json
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from firmware.trust import order
from host_tools import words
from host_tools.signer import LIFE_S, Answer, ReplyError, Signer
from sim.verbs import nearest

ANSWER_S = 5  #: how long a reply is waited for
LONGEST_LIFE_S = 60
KEPT = 256  #: replies that may come before somebody waits for them
REPLY = "reply/"

#: What anybody may ask for, by the words that there are for it; `stored` is a host's and no op.
OPS = sorted(
    key.removeprefix("op.")
    for key in words.load("en")
    if key.startswith("op.") and not key.endswith(".plain") and key != "op.stored"
)


class CommandError(ValueError):
    """Nothing was sent: one line, what was wrong and what was expected."""


class Dispatch:
    """The demo operator's commands to one controller.

    publish  callable (topic, payload) -> bool  whether the broker is there to take it
    now      callable () -> (UTC ms of the building, the nonce to quote or None)
    """

    def __init__(
        self,
        name: str,
        seed: bytes,
        to: str,
        public_key: dict[str, str],
        publish: Callable[[str, bytes], bool],
        now: Callable[[], tuple[int, str | None]],
    ) -> None:
        self._signer = Signer(name, seed, to, public_key)
        #: Somebody who knows our name and not our key: what he sends must do nothing.
        self._stranger = Signer(name, os.urandom(32), to, public_key)
        self._publish = publish
        self._now = now
        self._lock = threading.Lock()
        self._replies: OrderedDict[str, Any] = OrderedDict()
        self._came = threading.Condition(self._lock)

    def send(
        self, op: object, args: object, *, life_s: object = LIFE_S, stranger: bool = False
    ) -> dict[str, Any]:
        """Sign and send; the command. Raises `CommandError`: nothing was sent."""
        if not isinstance(op, str) or op not in OPS:
            near = nearest(str(op), OPS)
            raise CommandError(f"op: {json.dumps(op)} is unknown; the nearest known one is {near}")
        if not isinstance(args, dict):
            raise CommandError(f"{op}: args is no object; expected its arguments")
        if isinstance(life_s, bool) or not isinstance(life_s, int) or not 0 < life_s <= 60:
            raise CommandError(f"{op}: life_s is out of range; expected 1 to {LONGEST_LIFE_S}")
        signer = self._stranger if stranger else self._signer
        now_ms, nonce = self._now()
        try:
            with self._lock:
                command = signer.command(
                    op,
                    args,
                    now_ms=now_ms,
                    n=time.time_ns() // 1_000_000,
                    life_s=life_s,
                    nonce=nonce,
                )
        except ValueError as error:
            raise CommandError(f"{op}: {error}") from None
        if not self._publish("command", order.text(command)):
            raise CommandError(f"{op}: the broker is not there; expected it (nothing was sent)")
        return command

    def wait(self, command: dict[str, Any], wait_s: float = ANSWER_S) -> Answer | None:
        """The controller's verified answer; None: none in time. Raises `ReplyError`."""
        with self._came:
            self._came.wait_for(lambda: command["id"] in self._replies, wait_s)
            reply = self._replies.pop(command["id"], None)
        return None if reply is None else self._signer.answer(command, reply)

    def heard(self, topic: str, body: bytes) -> None:
        """Something came on a topic of the controller (below its root): replies are kept for `wait`."""
        if not topic.startswith(REPLY):
            return
        try:
            reply = json.loads(body)
        except (ValueError, RecursionError):
            reply = None
        with self._came:
            self._replies[topic.removeprefix(REPLY)] = reply
            while len(self._replies) > KEPT:
                self._replies.popitem(last=False)
            self._came.notify_all()


def answered(
    dispatch: Dispatch, command: dict[str, Any], wait_s: float
) -> tuple[int, dict[str, Any]]:
    """What `POST /api/command` says of a command that was sent: HTTP status and body.

    200 with the controller's answer, done or refused; 202 where none came: it is on its way until it ends.
    """
    told = {"id": command["id"], "expires": command["expires"], "command": command}
    try:
        answer = dispatch.wait(command, wait_s)
    except ReplyError as error:
        return 502, {"ok": False, **told, "error": {"code": "unbelievable", "message": str(error)}}
    if answer is None:
        line = f"sent, not answered; ends at {command['expires']}"
        return 202, {"ok": False, **told, "error": {"code": "no_answer", "message": line}}
    if answer.ok:
        return 200, {"ok": True, **told, "result": answer.result}
    return 200, {"ok": False, **told, "error": {"code": answer.code, "message": answer.message}}
