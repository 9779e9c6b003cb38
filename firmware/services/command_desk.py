"""Where commands and a host's acknowledgements arrive: one at a time, in their order.

A message is read and its signature checked by an executor, so that the door's loop never waits for it;
`firmware.runtime.command_gate` decides whether it counts, `firmware.runtime.operations` does it. What is
remembered of a command, its record and its effects are one batch of the journal; its reply leaves when that
is durable. What lasts is never said to be done before; else a reply is as late as a door would wait. A
message is `heard`, and the next one taken, when its reply has left, or after `TURN_MS` where the store takes
its time.

What is no command, or nobody's, is recorded as refused and never answered; what the broker delivers again
of it is the same message, and counted once. While the journal cannot be read
nobody knows who was revoked and what was done before: commands wait, at the broker in the end.
"""

import os
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from firmware.access import record
from firmware.runtime import command_gate
from firmware.runtime.command_gate import Gate, Signed, Verdict
from firmware.runtime.operations import Operations
from firmware.runtime.operators import HOST, Operators
from firmware.runtime.ports import After, Message, Settled, Transport
from firmware.runtime.rejections import STORED, Rejections
from firmware.services import replies
from firmware.services.executor import Executor
from firmware.trust.identity import Identity

if TYPE_CHECKING:
    from firmware.runtime.controller import Controller

NONCE_MS = 60_000  #: how long a nonce stands
NONCE_BYTES = 16
TURN_MS = 250  #: how long the next message waits for a command whose answer takes long
REFUSED = 1024  #: of so many refused messages it is known that they were, should they come again
UNDER_WAY = 16  #: commands that may be under way; then the next message waits for one of them

_NEEDS_NUMBER = ("credential.enrol",)


class CommandDesk:
    """One controller's. `start` before the controller starts; its executor is the caller's to end.

    controller  Controller
    transport   Transport  what brings messages and carries replies
    identity    Identity   who this controller is
    first       dict       id -> (role, public key): who may command before `operator.set` was used
    executor    Executor   where messages are read
    random      callable   n -> n random bytes, for nonces
    """

    def __init__(
        self,
        controller: "Controller",
        transport: Transport,
        identity: Identity,
        first: dict[str, tuple[str, str]],
        executor: Executor,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        own = controller.config["controller"]
        self._to = f"{own['site']}/{own['name']}"
        self._controller = controller
        self._loop = controller.loop
        self._transport = transport
        self._identity = identity
        self._executor = executor
        self._random = random
        self._first = first
        #: Operations  the caller says there what this start of the controller can do
        self.operations = Operations(controller)
        self._take_kept()
        controller.journal.on_kept += (self._kept_after_all,)
        self._waiting: deque[Message] = deque()
        self._turn: Message | None = None
        self._refused: dict[int, None] = {}  # the newest of them, by what the broker and they say
        self._unsaid: dict[str, None] = {}  # commands that are done and not durable yet
        self._held: list[int] = []  # whose turn waits for a command under way to end: tokens
        self._look_ms: int | None = None
        self._ended = False

    def _take_kept(self) -> None:
        kept = self._controller.journal.kept
        #: Operators  who may sign
        self.operators = self.operations.operators = Operators(self._first, kept)
        self._gate = Gate(self._to, self.operators, kept)
        self._rejections = Rejections(kept, self._loop.now_ms())

    def _kept_after_all(self) -> None:
        """The journal could not be read when this began: now it is known who may command."""
        nonce = self._gate.nonce
        self._take_kept()
        self._gate.nonce = nonce
        self._begin()
        self._next()

    def start(self) -> None:
        """Publish a nonce and take messages; before the controller says who it is."""
        self._controller.publisher.public_key = self._identity.public_key
        self._transport.on_message = self._message
        self._renew()
        self._begin()
        self._nonce_later()
        self._look_later()

    def stop(self) -> None:
        """Take no more, and record what was refused; before the controller stops."""
        if not self._ended:
            self._ended = True
            now = self._controller.upkeep.now()
            self._record(self._rejections.flush(now.ms))

    def kill(self) -> None:
        """Do nothing more, where it stands: a power cut."""
        self._ended = True

    # ---- one message after the other ---------------------------------------------------------------

    def _message(self, message: Message) -> None:
        self._waiting.append(message)
        self._next()

    def _next(self) -> None:
        known = self._controller.journal.kept_known
        if self._turn is not None or not self._waiting or self._ended or not known:
            return
        message = self._turn = self._waiting.popleft()
        if message.retained or message.flaw:
            self._refuse_unread(message)
            return
        key_of, identity, to = self.operators.key_of, self._identity, self._to
        payload = message.payload

        def answer(signed: Signed | None, error: Exception | None) -> None:
            if self._ended:
                return
            if signed is None:  # a `Flaw`; anything else is no better from where we stand
                self._refuse_unread(message)
            elif message.topic == STORED:
                self._stored(message, signed)
            else:
                self._command(message, signed)

        self._executor.submit(lambda: replies.examine(payload, key_of, identity, to), answer)

    def _end_turn(self, token: int) -> None:
        """That message is dealt with: the broker may forget it, and the next one comes."""
        if self._turn is not None and token == self._turn.token and not self._ended:
            self._turn = None
            self._transport.heard(token)
            self._loop.call_at(self._loop.now_ms(), self._next)

    # ---- commands ----------------------------------------------------------------------------------

    def _command(self, message: Message, signed: Signed) -> None:
        utc_ms, trusted = self._begin()
        verdict = self._gate.judge(signed, utc_ms if trusted else None)
        if self._gate.quotes(signed):
            self._renew()
        if verdict.what == command_gate.RUN:
            self._run(message, signed, utc_ms)
        elif verdict.what == command_gate.REPEAT:
            if signed.fields["id"] not in self._unsaid:  # else its reply is to come
                self._send(signed.fields["id"], verdict.text)
            self._end_turn(message.token)
        elif verdict.what == command_gate.DROP:
            self._end_turn(message.token)
        else:
            self._refuse(message, signed, verdict)

    def _utc(self) -> tuple[int, bool]:
        """The latest time that is proven, UTC milliseconds, and whether it is to be trusted."""
        now, time = self._controller.upkeep.now(), self._controller.time
        return max(time.utc_ms_at(now.ms), time.floor_ms, now.utc_s * 1000), now.trusted

    def _begin(self) -> tuple[int, bool]:
        """Now, as `_utc`; what is older than a journal that was lost may have run: note when."""
        utc_ms, trusted = self._utc()
        if trusted:
            self._record(self._gate.begin(utc_ms))
        return utc_ms, trusted

    def _run(self, message: Message, signed: Signed, utc_ms: int) -> None:
        fields = signed.fields
        id, op, by = fields["id"], fields["op"], fields["by"]
        token = message.token  # a reply may wait long for the disk, and keeps no message that long

        def note(ok: bool, answer: Any) -> list[Any]:
            text = self._reply(signed, ok, answer)
            now_ms = self._loop.now_ms()
            if ok:
                told = {"command": id, "op": op, "by": by}
                made: list[Any] = [record.make(record.COMMAND_ACCEPTED, now_ms, None, told)]
            else:
                made = self._rejected(message, answer[0], fields)
            made += self._gate.finish(signed, ok, text, utc_ms)
            if not (ok and command_gate.lasts(op)):
                return [*made, After(lambda: leave(text)), After(over)]
            self._unsaid[id] = None
            if len(self._unsaid) > command_gate.SEEN_LIMIT:
                del self._unsaid[next(iter(self._unsaid))]
            return [*made, After(over), Settled(lambda: leave(text))]

        def leave(text: str) -> None:
            self._unsaid.pop(id, None)
            self._send(id, text)

        def over() -> None:
            self._end_turn(token)
            held, self._held = self._held, []
            for one in held:
                self._end_turn(one)

        def waited() -> None:
            if self._gate.under_way < UNDER_WAY:
                self._end_turn(token)
            elif self._turn is not None and token == self._turn.token:
                self._held.append(token)

        self.operations.run(op, signed.args, by, note)
        if self._gate.under_way:
            self._loop.call_at(self._loop.now_ms() + TURN_MS, waited)

    def _reply(self, signed: Signed, ok: bool, answer: Any) -> str:
        fields = signed.fields
        sealed = ok and fields["op"] in _NEEDS_NUMBER
        reply_key = fields.get("reply_key") if sealed else None
        return replies.reply(self._identity, fields["id"], self._to, ok, answer, reply_key)

    def _refuse(self, message: Message, signed: Signed, verdict: Verdict) -> None:
        effects = self._rejected(message, verdict.code, signed.fields)

        def leave() -> None:
            if verdict.answers:
                why = (verdict.code, verdict.text)
                self._send(signed.fields["id"], self._reply(signed, False, why))
            self._end_turn(message.token)

        self._record([*effects, After(leave)])

    def _refuse_unread(self, message: Message) -> None:
        """What is no message at all; nothing of it is repeated."""
        op = STORED if message.topic == STORED else None
        made = self._rejected(message, command_gate.BAD_COMMAND, {"op": op})
        self._record([*made, After(lambda: self._end_turn(message.token))])

    # ---- what the host has stored ------------------------------------------------------------------

    def _stored(self, message: Message, signed: Signed) -> None:
        fields = signed.fields
        reason = self._not_stored(signed)
        if reason:
            self._refuse_stored(message, reason, fields.get("by"))
            return

        def answer(ours: bool) -> None:
            if self._ended:
                return
            if ours:
                self._controller.upkeep.host_heard()
                self._end_turn(message.token)
            else:
                self._refuse_stored(message, command_gate.FAILED, fields["by"])

        self._controller.journal.stored(fields["journal"], fields["seq"], fields["hash"], answer)

    def _not_stored(self, signed: Signed) -> str:
        """Why an acknowledgement does not count; "": it does."""
        fields = signed.fields
        by = self.operators.find(fields.get("by"))
        if by is None:
            return command_gate.UNKNOWN_OPERATOR
        if signed.key != by.key:
            return command_gate.BAD_SIGNATURE
        if by.revoked:
            return command_gate.REVOKED
        if by.role != HOST:
            return command_gate.ROLE
        if fields.get("to") != self._to:
            return command_gate.WRONG_CONTROLLER
        journal, seq, hash = fields.get("journal"), fields.get("seq"), fields.get("hash")
        right = type(journal) is str and type(seq) is int and seq > 0 and type(hash) is str
        return "" if right else command_gate.BAD_COMMAND

    def _refuse_stored(self, message: Message, reason: str, by: object) -> None:
        made = self._rejected(message, reason, {"op": STORED, "by": by})
        self._record([*made, After(lambda: self._end_turn(message.token))])

    # ---- how ---------------------------------------------------------------------------------------

    def _rejected(self, message: Message, reason: str, fields: dict[str, Any]) -> list[Any]:
        if self._known(message):
            return []
        now_ms = self._loop.now_ms()
        made = self._rejections.add(
            now_ms, reason, fields.get("id"), fields.get("op"), fields.get("by")
        )
        self._look_later()
        return made

    def _known(self, message: Message) -> bool:
        """Whether the broker delivers once more what was refused; from now on this one is known, too."""
        one = hash((message.number, message.topic, message.payload, message.flaw))
        known = message.again and one in self._refused
        self._refused.pop(one, None)
        self._refused[one] = None
        if len(self._refused) > REFUSED:
            del self._refused[next(iter(self._refused))]
        return known

    def _look_later(self) -> None:
        """Come back to what was refused; a flood of it moves the time on, not another look."""
        due_ms = self._rejections.deadline_ms
        if due_ms is None or (self._look_ms is not None and self._look_ms <= due_ms):
            return
        self._look_ms = due_ms

        def look() -> None:
            if self._look_ms == due_ms and not self._ended:
                self._look_ms = None
                self._record(self._rejections.tick(self._loop.now_ms()))
                self._look_later()

        self._loop.call_at(due_ms, look)

    def _record(self, effects: list[Any]) -> None:
        if effects:
            self._controller.ask(lambda now: (None, effects))

    def _send(self, id: str, text: str) -> None:
        if not self._ended:
            topic = f"{self._controller.publisher.root}/reply/{id}"
            self._transport.send(0, topic, text, False)

    def _renew(self) -> None:
        """Another nonce; what quoted the one before is not fresh any more."""
        self._gate.nonce = self._random(NONCE_BYTES).hex()
        self._controller.publisher.say_nonce(self._gate.nonce)

    def _nonce_later(self) -> None:
        def due() -> None:
            if not self._ended:
                self._renew()
                self._nonce_later()

        self._loop.call_at(self._loop.now_ms() + NONCE_MS, due)
