"""What somebody tries who owns the broker and wants in: beside the forgeries of every day (`sim.soak.life`).

Drawn after people and faults, by chances of its own: it strikes where a controller has just begun.
"""

from sim.soak.steps import Draft

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
