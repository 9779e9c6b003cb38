"""One direction through a portal, with its reader: who is shown to it, and what it answers.

Pure. Composes `verification` (what was shown so far), `attempts` (the block) and `signals` (light and
buzzer); `credential.refusal` decides. A look-up is an effect: the caller finds the key and comes back
with `found`, so that no decision waits for a disk.
"""

from collections import namedtuple

from firmware.access import attempts, credential, pin, portal, record, signals, verification
from firmware.access.record import make
from firmware.access.secret import Secret

CARD = "card"
CODE = "code"
PIN = "pin"

#: Find the key that belongs to what was shown.
#: access_point  str  where
#: kind          str  CARD, CODE or PIN
#: value         Secret  canonical card number, code text or digits
Lookup = namedtuple("Lookup", ("access_point", "kind", "value"))

#: Keep `value` (JSON, or None: forget it) under `key`, durably, with the records of the same answer.
Keep = namedtuple("Keep", ("key", "value"))

#: An alarm that a decision causes; `kind` is its class.
Misuse = namedtuple("Misuse", ("kind", "access_point"))

#: A card's PIN is complete: `check_again` decides, with the rights in force.
CheckPin = namedtuple("CheckPin", ("access_point", "step"))

#: What is so for one access point.
#: portal          str  the opening that it leads through
#: way             str  one of `verification.WAYS`
#: pin_timeout_ms  int
#: wrong_attempts, wrong_window_ms, block_ms  int  see `attempts`
Rules = namedtuple(
    "Rules",
    ("portal", "way", "pin_timeout_ms", "wrong_attempts", "wrong_window_ms", "block_ms"),
)

BAD_READS_MS = (
    1000  #: at most one record of a bad read in this time: noise must not fill the journal
)


class AccessPoint:
    """One access point of `door`."""

    def __init__(self, name: str, rules: "Rules", door: portal.Portal) -> None:
        self.name = name
        self.portal = door
        self.signals = signals.Signals()
        self.attempts = attempts.Attempts(
            rules.wrong_attempts, rules.wrong_window_ms, rules.block_ms
        )
        self.verification = verification.Verification(rules.way, rules.pin_timeout_ms)
        self._bad_read_ms: int | None = None

    @property
    def deadline_ms(self) -> "int | None":
        """Tick no later than this."""
        machines = (self.verification, self.attempts, self.signals)
        dues = [machine.deadline_ms for machine in machines]
        due_ms = [at_ms for at_ms in dues if at_ms is not None]
        return min(due_ms) if due_ms else None

    def moment(self, now_ms: int) -> str:
        """The lasting moment that its light shows."""
        door = self.portal
        if door.fire and door.unlocked:
            return signals.FIRE
        if self.attempts.blocked(now_ms):
            return signals.PAUSED
        if door.unlocked and not door.held_free:
            return signals.LET_IN
        if self.verification.state != verification.IDLE:
            return signals.PIN_WANTED
        if door.held_free:
            return signals.FREE
        if door.mode in (portal.LOCKED_DOWN, portal.BLOCKED):
            return signals.SHUT_OUT
        return signals.READY

    def shown(self, kind: str, value: str, now: "credential.Moment") -> "list[object]":
        """A card (its canonical number) or a code was read: look its key up."""
        dropped = self._steps(self.verification.handle(verification.SHOWN, now.ms), now)
        return dropped + [Lookup(self.name, kind, Secret(value))]

    def bad_read(self, now: "credential.Moment") -> "list[object]":
        """Something was read that is no card."""
        if self._bad_read_ms is not None and now.ms - self._bad_read_ms < BAD_READS_MS:
            return []
        self._bad_read_ms = now.ms
        return self._deny(credential.BAD_READ, None, now)

    def pressed(self, key: str, now: "credential.Moment") -> "list[object]":
        """A key of the keypad: ``0``-``9``, ``#`` ends, ``*`` starts over."""
        self.signals.show(signals.KEY, now.ms)
        late = self._steps(self.verification.tick(now.ms), now)  # an awaited PIN that came too late
        if not self.verification.takes_keys:
            return late
        what = verification.DIGIT
        if key == "#":
            what = verification.ENTER
        elif key == "*":
            what = verification.CLEAR
        return late + self._steps(self.verification.handle(what, now.ms, key), now)

    def found(
        self,
        kind: str,
        key: "credential.Credential | None",
        usage: "credential.Usage",
        rights: "credential.Rights",
        now: "credential.Moment",
    ) -> "list[object]":
        """The look-up's answer for what was shown: decide."""
        effects: list[object] = []
        if key is not None and key.state in (credential.LOST, credential.CANCELLED):
            effects.append(Misuse(credential.CREDENTIAL_MISUSE, self.name))
        if self.attempts.blocked(now.ms):
            return effects + self._deny(credential.READER_BLOCKED, key, now)
        if kind == PIN and key is None:
            return effects + self._deny(credential.WRONG_PIN, None, now)
        reason = credential.refusal(key, usage, self.name, self.portal.mode, rights, now)
        if reason is None and kind != PIN and not self.verification.takes_cards:
            reason = credential.NO_RIGHT
        if reason is not None:
            return effects + self._deny(reason, key, now)
        assert key is not None  # refusal has said unknown_credential otherwise
        if kind == CARD and self.verification.way == verification.CARD_AND_PIN:
            self.verification.handle(verification.ASK, now.ms, (key, usage))
            return effects
        way = {CARD: "card", CODE: "qr", PIN: "pin"}[kind]
        return effects + self._grant(key, usage, way, now)

    def tick(self, now: "credential.Moment") -> "list[object]":
        """Honour every deadline that has come."""
        effects = self._steps(self.verification.tick(now.ms), now)
        self.attempts.tick(now.ms)
        self.signals.last(self.moment(now.ms), self.portal.pre_alarm, now.ms)
        return effects

    def check_again(
        self,
        rights: "credential.Rights",
        shown: "tuple[credential.Credential, credential.Usage]",
        digits: str,
        now: "credential.Moment",
    ) -> "list[object]":
        """The PIN of a card is complete: what refused the card meanwhile refuses it now."""
        card, usage = shown
        if self.attempts.blocked(now.ms):
            return self._deny(credential.READER_BLOCKED, card, now)
        reason = credential.refusal(card, usage, self.name, self.portal.mode, rights, now)
        if reason is not None:
            return self._deny(reason, card, now)
        if card.pin_hash is None or not pin.same(pin.salted(card.pin_salt, digits), card.pin_hash):
            return self._deny(credential.WRONG_PIN, card, now)
        return self._grant(card, usage, "card+pin", now)

    def _steps(self, steps: "list[verification.Step]", now: "credential.Moment") -> "list[object]":
        effects: list[object] = []
        for step in steps:
            if step.action == verification.FIND_PIN:
                effects.append(Lookup(self.name, PIN, step.digits))
            elif step.action == verification.CHECK_PIN:
                effects.append(CheckPin(self.name, step))
            else:
                card = step.key[0] if step.key is not None else None
                effects = effects + self._deny(credential.PIN_TIMEOUT, card, now)
        return effects

    def _grant(
        self,
        key: "credential.Credential",
        usage: "credential.Usage",
        way: str,
        now: "credential.Moment",
    ) -> "list[object]":
        self.attempts.granted()
        who = {"access_point": self.name, "credential": key.id, "holder": key.holder}
        fields: dict[str, object] = dict(who)
        fields["verification"] = way
        effects: list[object] = list(self.portal.conclude(now.ms))
        effects.append(make(record.ACCESS_GRANTED, now.ms, self.portal.name, fields))
        spent = credential.spend(key, usage, now)
        if spent is not None:
            effects.append(Keep("use/%d" % key.id, [spent.spent, spent.first_used_s]))
        overrides = self.portal.mode == portal.LOCKED_DOWN
        cause = record.OVERRIDE if overrides else record.CREDENTIAL
        effects += self.portal.release(cause, key.extended, who, now.ms)
        self.signals.show(signals.GRANTED, now.ms)
        return effects

    def _deny(
        self, reason: str, key: "credential.Credential | None", now: "credential.Moment"
    ) -> "list[object]":
        fields: dict[str, object] = {"access_point": self.name, "reason": reason}
        if key is not None:
            fields["credential"] = key.id
            fields["holder"] = key.holder
        effects: list[object] = [make(record.ACCESS_DENIED, now.ms, self.portal.name, fields)]
        self.signals.show(signals.REFUSED, now.ms)
        if reason in (credential.UNKNOWN_CREDENTIAL, credential.WRONG_PIN) and self.attempts.wrong(
            now.ms
        ):
            self.signals.show(signals.PAUSE_BEGAN, now.ms)
            block_s = (self.attempts.blocked_until_ms - now.ms + 999) // 1000
            effects.append(Keep("block/" + self.name, now.utc_s + block_s))
            effects.append(Misuse(credential.WRONG_ATTEMPTS, self.name))
        return effects
