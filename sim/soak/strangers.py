"""What somebody tries who wants in: beside the forgeries of every day (`sim.soak.life`).

Whoever owns the broker says what was overheard again, and forges; whoever may sign signs what their role may
not, or when they were revoked.

Drawn after people and faults, by chances of its own: it strikes where a controller has just begun.
"""

from typing import Any

from sim.soak.steps import Draft
from sim.verb_table import CHOICES

HOUR_MS = 3_600_000
AN_HOUR = 4.0  #: attempts, beside those after a restart
DECIDES_MS = 3500  #: from the return of power to the first decision, and a moment more


class Strangers:
    """Draws what they do into a draft that has everything else."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._rng = draft.rng
        self._portals = sorted(draft.config["portals"])

    def strike(self) -> None:
        """Draw the whole of it."""
        for ends_ms, back_ms in self._draft.restarts():
            if self._rng.random() < 0.4:
                self._overheard(ends_ms, back_ms)
        at_ms = 0.0
        while at_ms < self._draft.end_ms:
            at_ms += self._rng.expovariate(AN_HOUR / HOUR_MS)
            self._rng.choice((self._forgery, self._forgery, self._staff))(round(at_ms))

    def _forgery(self, at_ms: int) -> None:
        how = self._rng.choice(("old_nonce", "low_n", "unsealed", "stored", "stored"))
        for _ in range(self._rng.choice((1, 1, 3))):
            self._draft.add(at_ms, "forge_command", how=how)
            at_ms += self._draft.while_ms(1, 5000)

    def _staff(self, at_ms: int) -> None:
        """Some of the staff command; one of them is revoked, or has another role, and takes no notice."""
        rng, draft = self._rng, self._draft
        name = rng.choice(CHOICES["staff"])
        self._asks(at_ms, name)
        if rng.random() < 0.6:
            change: dict[str, Any] = {"operator": name}
            if rng.random() < 0.7:
                change["revoked"] = rng.random() < 0.7
            else:
                change["role"] = rng.choice(("caretaker", "manager", "installer"))
            at_ms += draft.while_ms(1, 60_000)
            draft.add(at_ms, "command", op="operator.set", args=change)
            for _ in range(3):
                at_ms += draft.while_ms(100, 30_000)
                self._asks(at_ms, name)

    def _asks(self, at_ms: int, name: str) -> None:
        portal = self._rng.choice(self._portals)
        asked: list[tuple[str, dict[str, Any]]] = [
            ("portal.release", {"portal": portal}),
            ("portal.release", {"portal": portal}),
            ("portal.mode", {"portal": portal, "mode": "locked"}),
            ("alarm.silence", {}),
            ("events.replay", {"from_seq": 1, "to_seq": 3}),
            ("credential.remove", {"credential": 9000}),
            ("config.apply", {"config": "nothing of the kind"}),
            ("operator.set", {"operator": name, "role": "owner"}),
        ]
        op, args = self._rng.choice(asked)
        self._draft.add(at_ms, "command_by", by=name, op=op, args=args)

    def _overheard(self, ends_ms: int, back_ms: int) -> None:
        """A command just before a controller ends is said again when it has begun, and is still fresh."""
        rng, draft = self._rng, self._draft
        begins_ms = back_ms + DECIDES_MS
        op, args = "alarm.silence", {}
        if begins_ms - ends_ms < 15_000:  # it lives for 30 s
            op, args = "portal.release", {"portal": rng.choice(self._portals)}
        draft.add(ends_ms - draft.while_ms(20, 6000), "command", op=op, args=args)
        for _ in range(rng.choice((1, 2, 3))):
            draft.add(begins_ms + draft.while_ms(1, 8000), "forge_command", how="again")
