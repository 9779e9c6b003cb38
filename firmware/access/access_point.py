"""One direction through a portal, with its reader: who is shown to it, and what it answers.

Pure. Composes `verification` (what was shown so far), `attempts` (the block), `pairs` (two people) and
`signals` (light and buzzer). The first reason against somebody, in the contract's order, is the reader's,
then `credential.refusal`'s, then the PIN's, then `entry`'s (the rules of the house). A look-up is an
effect: the caller finds the key and comes back with `found`, so that no decision waits for a disk.
"""

from collections import namedtuple

from firmware.access import (
    attempts,
    credential,
    pairs,
    portal,
    record,
    schedule,
    signals,
    verification,
)
from firmware.access.access_point_rules import Rules as Rules
from firmware.access.deadlines import earliest
from firmware.access.record import Keep as Keep
from firmware.access.record import make
from firmware.access.secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.access.entry import Entry

CARD = "card"
CODE = "code"
PIN = "pin"

#: Find the key that belongs to what was shown.
#: access_point  str  where
#: kind          str  CARD, CODE or PIN
#: value         Secret  canonical card number, code text or digits
Lookup = namedtuple("Lookup", ("access_point", "kind", "value"))

#: An alarm that a decision causes; `kind` is its class.
Misuse = namedtuple("Misuse", ("kind", "access_point"))

#: Somebody was let in; never leaves the site.
#: access_point  str         where
#: key           Credential
Admitted = namedtuple("Admitted", ("access_point", "key"))

_WAYS = {CARD: "card", CODE: "qr", PIN: "pin"}  # how a key that was found by it was verified

BAD_READS_MS = (
    1000  #: at most one record of a bad read in this time: noise must not fill the journal
)


class AccessPoint:
    """One access point of `door`, in a house with the rules `house`."""

    def __init__(self, name: str, rules: "Rules", door: portal.Portal, house: "Entry") -> None:
        self.name = name
        self.portal = door
        self.rules = rules
        #: bool  the housing of its reader is open: it refuses everybody
        self.tampered = False
        self.signals = signals.Signals()
        self.attempts = attempts.Attempts(
            rules.wrong_attempts, rules.wrong_window_ms, rules.block_ms
        )
        self.verification = verification.Verification(rules.way, rules.pin_timeout_ms)
        # Hears the PIN of a card that was refused: it may tell of duress, and nothing else comes of it.
        self._overhears = verification.Verification(rules.way, rules.pin_timeout_ms)
        self._house = house
        self.pair: pairs.Pair | None = None
        if rules.two_person != pairs.OFF:
            self.pair = pairs.Pair(rules.two_person, rules.second_person_ms)
        self._bad_read_ms: int | None = None

    @property
    def deadline_ms(self) -> "int | None":
        """Tick no later than this."""
        machines = (self.verification, self._overhears, self.attempts, self.signals)
        dues = [machine.deadline_ms for machine in machines]
        if self.pair is not None:
            dues.append(self.pair.deadline_ms)
        return earliest(dues)

    def blocked(self, now_ms: int) -> bool:
        """Whether it refuses everybody: too many wrong attempts, or its reader stands open."""
        return self.tampered or self.attempts.blocked(now_ms)

    def moment(self, now_ms: int) -> str:
        """The lasting moment that its light shows."""
        door = self.portal
        if door.fire and door.unlocked:
            return signals.FIRE
        if self.blocked(now_ms):
            return signals.PAUSED
        if door.unlocked and not door.held_free:
            return signals.LET_IN
        if self.verification.state != verification.IDLE:
            return signals.PIN_WANTED
        if self.pair is not None and self.pair.first is not None:
            return signals.PIN_WANTED
        if door.held_free:
            return signals.FREE
        if door.mode in (portal.LOCKED_DOWN, portal.BLOCKED):
            return signals.SHUT_OUT
        return signals.READY

    def shown(self, kind: str, value: str, now: "credential.Moment") -> "list[object]":
        """A card (its canonical number) or a code was read: look its key up."""
        self._overhears.handle(verification.SHOWN, now.ms)
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
        what = verification.DIGIT
        if key == "#":
            what = verification.ENTER
        elif key == "*":
            what = verification.CLEAR
        effects = self._overhear(what, key, now)
        effects += self._steps(self.verification.tick(now.ms), now)  # a PIN that came too late
        if not (self._takes_keys(now) or self.rules.visitor_digits):
            return effects
        return effects + self._steps(self.verification.handle(what, now.ms, key), now)

    def found(
        self,
        kind: str,
        key: "credential.Credential | None",
        usage: "credential.Usage",
        now: "credential.Moment",
    ) -> "list[object]":
        """The look-up's answer for what was shown: decide."""
        effects: list[object] = []
        if key is not None:
            effects += [Misuse(kind, self.name) for kind in credential.alarms_of(key)]
        if kind != PIN:
            self._overhears.handle(verification.SHOWN, now.ms)
        blocked = credential.READER_BLOCKED if self.blocked(now.ms) else None
        if key is None:
            reason = credential.WRONG_PIN if kind == PIN else credential.UNKNOWN_CREDENTIAL
            return effects + self._deny(blocked or reason, None, now)
        way = self._way(now)
        asks = kind != PIN and key.visit is None and way == verification.CARD_AND_PIN
        refused = blocked or self._refusal(key, usage, self._takes(kind, key, way), now)
        if refused is not None:
            idle = self.verification.state != verification.WANTED
            if asks and idle and key.duress_hash is not None:
                self._overhears.handle(verification.ASK, now.ms, (key, usage))
            return effects + self._deny(refused, key, now)
        if asks:
            steps = self.verification.handle(verification.ASK, now.ms, (key, usage))
            return effects + self._steps(steps, now)
        return effects + self._good(pairs.Person(key, usage, _WAYS[kind]), now)

    def tick(self, now: "credential.Moment") -> "list[object]":
        """Honour every deadline that has come."""
        effects = self._steps(self.verification.tick(now.ms), now)
        self._overhears.tick(now.ms)
        if self.pair is not None:
            effects += self._missing(self.pair.tick(now.ms), now)
        self.attempts.tick(now.ms)
        self.signals.last(self.moment(now.ms), self.portal.pre_alarm, now.ms)
        return effects

    def recall(self, numbers: "set[int]", now: "credential.Moment") -> "list[object]":
        """Keys of these record numbers were changed: one that waits must be shown again."""
        effects: list[object] = []
        card = self.verification.key
        if isinstance(card, tuple) and card[0].id in numbers:
            effects += self._steps(self.verification.handle(verification.SHOWN, now.ms), now)
        pair = self.pair
        if pair is not None and pair.first is not None and pair.first.key.id in numbers:
            first = pair.first
            pair.handle(pairs.LEAVE, now.ms)
            effects += self._missing([first], now, True)
        return effects

    def restore(self, kept: "dict[str, object]", now: "credential.Moment") -> None:
        """Go on with the wrong attempts and the block that were kept."""
        wrong = kept.get("attempts/" + self.name)
        if isinstance(wrong, list):
            self.attempts.restore([now.utc_s - at_s for at_s in wrong], now.ms)
        until_s = kept.get("block/" + self.name)
        if isinstance(until_s, int) and until_s > now.utc_s:
            self.attempts.block(now.ms, (until_s - now.utc_s) * 1000)

    # ---- what was shown ----------------------------------------------------------------------------

    def _way(self, now: "credential.Moment") -> str:
        """How somebody is verified now; the strictest way while nobody knows what time it is."""
        rules = self.rules
        way: str = rules.way
        if rules.way_at:
            rights = self._house.rights
            if not now.trusted:
                ways = [way] + [other for _, other in rules.way_at]
                way = min(ways, key=verification.STRICTEST.index)
            else:
                for name, other in rules.way_at:
                    hours = rights.schedules.get(name, ())
                    if schedule.covers(hours, rights.holidays, now.local_s):
                        way = other
                        break
        self.verification.way = way
        return way

    def _takes_keys(self, now: "credential.Moment") -> bool:
        self._way(now)
        return self.verification.takes_keys

    def _takes(self, kind: str, key: "credential.Credential", way: str) -> bool:
        """Whether what was shown is looked at here, this way."""
        if key.visit is not None:
            visitors: bool = self.rules.visitors
            return visitors
        if kind == PIN:
            return way in (verification.PIN, verification.CARD_OR_PIN)
        return way != verification.PIN

    def _steps(self, steps: "list[verification.Step]", now: "credential.Moment") -> "list[object]":
        effects: list[object] = []
        for step in steps:
            if step.action == verification.FIND_PIN:
                effects.append(Lookup(self.name, PIN, step.digits))
            elif step.key is None:
                effects += self._deny(self._late(None, now), None, now)
            elif step.action == verification.CHECK_PIN:
                effects += self._check(step.key, step.digits, now)
            else:
                quiet = step.action == verification.DISPLACED  # what is shown now is another's
                effects += self._deny(self._late(step.key, now), step.key[0], now, quiet)
        return effects

    def _overhear(self, what: str, key: str, now: "credential.Moment") -> "list[object]":
        """A key pressed after a card that was refused."""
        for step in self._overhears.handle(what, now.ms, key):
            is_pin = step.action == verification.CHECK_PIN
            if is_pin and credential.compare_pin(step.key[0], step.digits)[1]:
                return [Misuse(credential.DURESS, self.name)]
        return []

    def _check(
        self,
        shown: "tuple[credential.Credential, credential.Usage]",
        digits: str,
        now: "credential.Moment",
    ) -> "list[object]":
        """The PIN of a card is complete: what refused the card meanwhile refuses it now."""
        key, usage = shown
        right, forced = credential.compare_pin(key, digits)
        effects: list[object] = [Misuse(credential.DURESS, self.name)] if forced else []
        reason = self._refused_meanwhile(key, usage, now)
        if reason is None and not right:
            reason = credential.WRONG_PIN
            effects += self._house.wrong_pins.wrong(key.id, now)
        if reason is not None:
            return effects + self._deny(reason, key, now)
        return effects + self._good(pairs.Person(key, usage, "card+pin"), now)

    def _late(
        self,
        shown: "tuple[credential.Credential, credential.Usage] | None",
        now: "credential.Moment",
    ) -> str:
        """Why somebody who did not finish a PIN in time is refused."""
        if shown is None:
            return credential.READER_BLOCKED if self.blocked(now.ms) else credential.PIN_TIMEOUT
        return self._refused_meanwhile(shown[0], shown[1], now) or credential.PIN_TIMEOUT

    # ---- who is good -------------------------------------------------------------------------------

    def _refusal(
        self,
        key: "credential.Credential",
        usage: "credential.Usage",
        taken: bool,
        now: "credential.Moment",
    ) -> "str | None":
        """The first reason against a key, up to its own block."""
        house = self._house
        usage = house.usage(key, usage)
        reason = credential.refusal(
            key, usage, self.name, self.portal.mode, house.rights, now, taken
        )
        if reason is None and key.visit is None and house.wrong_pins.blocked(key.id, now.ms):
            return credential.CREDENTIAL_BLOCKED
        return reason

    def _refused_meanwhile(
        self, key: "credential.Credential", usage: "credential.Usage", now: "credential.Moment"
    ) -> "str | None":
        """What refuses somebody now who was good when the key was shown."""
        if self.blocked(now.ms):
            return credential.READER_BLOCKED
        return self._refusal(key, usage, True, now)

    def _good(self, person: "pairs.Person", now: "credential.Moment") -> "list[object]":
        """Somebody is who they should be: in they go, or wait for a second one, or the house refuses."""
        pair = self.pair
        if pair is None:
            reason, violated = self._house.refusal(self.rules, person.key, None, now)
            if reason is not None:
                return self._deny(reason, person.key, now)
            return self._grant([(person, violated)], now)
        effects = self._missing(pair.tick(now.ms), now)
        first = pair.first
        if first is None or not pair.completes(person.key):
            return effects + self._missing(pair.handle(pairs.PERSON, now.ms, person), now)
        reason = self._refused_meanwhile(first.key, first.usage, now)
        of_first = self._house.refusal(self.rules, first.key, None, now)
        reason = reason or of_first[0]
        if reason is not None:  # whoever came second waits in the place of the first
            pair.handle(pairs.LEAVE, now.ms)
            pair.handle(pairs.PERSON, now.ms, person)
            return effects + self._deny(reason, first.key, now)
        of_second = self._house.refusal(self.rules, person.key, first.key, now)
        if of_second[0] is not None:
            return effects + self._deny(of_second[0], person.key, now)
        pair.handle(pairs.PARTNER, now.ms)
        return effects + self._grant([(first, of_first[1]), (person, of_second[1])], now)

    def _missing(
        self, people: "list[pairs.Person]", now: "credential.Moment", quiet: bool = False
    ) -> "list[object]":
        """Nobody came for these: refuse them."""
        effects: list[object] = []
        for one in people:
            reason = self._refused_meanwhile(one.key, one.usage, now)
            effects += self._deny(reason or credential.SECOND_PERSON_MISSING, one.key, now, quiet)
        return effects

    # ---- what becomes of it ------------------------------------------------------------------------

    def _grant(
        self, people: "list[tuple[pairs.Person, bool]]", now: "credential.Moment"
    ) -> "list[object]":
        """Let everybody of `people` in, each with whether that breaks a soft rule; the last is awaited."""
        effects: list[object] = list(self.portal.conclude(now.ms))
        if self.attempts.granted():
            effects.append(Keep("attempts/" + self.name, None))
        who: dict[str, object] = {}
        extended = False
        for person, violated in people:
            key = person.key
            who = self._who(key)
            fields = dict(who)
            fields["verification"] = person.way
            fields["passback"] = "violated" if violated else None
            effects.append(make(record.ACCESS_GRANTED, now.ms, self.portal.name, fields))
            effects += self._house.granted(key, person.usage, now)
            effects.append(Admitted(self.name, key))
            extended = extended or key.extended
        overrides = self.portal.mode == portal.LOCKED_DOWN
        cause = record.OVERRIDE if overrides else record.CREDENTIAL
        effects += self.portal.release(cause, extended, who, now.ms)
        self.signals.show(signals.GRANTED, now.ms)
        return effects

    def _deny(
        self,
        reason: str,
        key: "credential.Credential | None",
        now: "credential.Moment",
        quiet: bool = False,
    ) -> "list[object]":
        fields: dict[str, object] = {"access_point": self.name} if key is None else self._who(key)
        fields["reason"] = reason
        effects: list[object] = [make(record.ACCESS_DENIED, now.ms, self.portal.name, fields)]
        if not quiet:
            self.signals.show(signals.REFUSED, now.ms)
        if reason not in (credential.UNKNOWN_CREDENTIAL, credential.WRONG_PIN):
            return effects
        if not self.attempts.wrong(now.ms):
            wrong = [now.utc_s - age_s for age_s in self.attempts.ages_s(now.ms)]
            return effects + [Keep("attempts/" + self.name, wrong)]
        self.signals.show(signals.PAUSE_BEGAN, now.ms)
        block_s = (self.attempts.blocked_until_ms - now.ms + 999) // 1000
        effects.append(Keep("block/" + self.name, now.utc_s + block_s))
        effects.append(Keep("attempts/" + self.name, None))
        effects.append(Misuse(credential.WRONG_ATTEMPTS, self.name))
        return effects

    def _who(self, key: "credential.Credential") -> "dict[str, object]":
        if key.visit is not None:
            return {"access_point": self.name, "visit": key.visit}
        return {"access_point": self.name, "credential": key.id, "holder": key.holder}
