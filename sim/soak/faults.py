"""What breaks, when, and for how long. Faults overlap; each is mended, sooner or later.

A run has a weather of its own: how many faults an hour, and which kinds. Some strike while something
happens (a card is being decided, a record written), the others at any time.
"""

from collections.abc import Callable
from typing import Any

from sim import verbs
from sim.soak.steps import Draft

HOUR_MS = 3_600_000
_BUSY = ("present_card", "enter_pin", "press_rex", "leave", "force_door", "set_fire", "command")


class Faults:
    """Draws what breaks into a draft."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._rng = draft.rng
        self._devices = sorted(draft.config["devices"])
        self._portals = sorted(draft.config["portals"])
        self._readers = [n for n in self._devices if "reader" in n or "keypad" in n]
        self._kinds: list[tuple[int, Callable[[int], None]]] = [
            (10, self._power),
            (10, self._network),
            (5, self._clock),
            (6, self._line),
            (4, self._unplugged),
            (2, self._jammed),
            (2, self._supply),
            (8, self._storage),
            (3, self._memory),
            (4, self._disk),
            (8, self._broker),
            (4, self._reader),
            (2, self._chatter),
            (4, self._task),
            (3, self._process),
            (1, self._drift),
        ]

    def strike(self) -> None:
        """Draw the whole of it."""
        rng = self._rng
        hours = self._draft.end_ms / HOUR_MS
        an_hour = rng.choice((0.0, 2.0, 6.0, 12.0))
        weights = [weight * rng.choice((0, 1, 1, 4)) for weight, _ in self._kinds]
        if not any(weights):
            return
        busy_ms = self._draft.times(_BUSY)
        for _ in range(round(an_hour * hours * rng.uniform(0.5, 1.5))):
            at_ms = self._draft.any_ms()
            if busy_ms and rng.random() < 0.5:
                at_ms = rng.choice(busy_ms) + rng.randrange(0, 700)
            rng.choices(self._kinds, weights)[0][1](at_ms)

    def _power(self, at_ms: int) -> None:
        for _ in range(self._rng.choice((1, 1, 1, 3))):
            args: dict[str, Any] = {}
            if "at_write?" in dict(verbs.VERBS["cut_power"]) and self._rng.random() < 0.5:
                args["at_write"] = self._rng.randrange(1, 40)
            self._draft.add(at_ms, "cut_power", **args)
            back_ms = at_ms + self._draft.while_ms(1, 600_000)
            self._draft.add(back_ms, "restore_power")
            at_ms = back_ms + self._draft.while_ms(1, 20_000)

    def _network(self, at_ms: int) -> None:
        if self._rng.random() < 0.3:  # what is on its way is on its way for long
            self._draft.add(at_ms - 5000, "fail_broker", fault="slow", on=True)
            self._draft.add(at_ms + 5000, "fail_broker", fault="slow", on=False)
        for _ in range(self._rng.choice((1, 1, 1, 4))):
            self._draft.add(at_ms, "cut_network")
            back_ms = at_ms + self._draft.while_ms(1, 1_800_000)
            self._draft.add(back_ms, "restore_network")
            at_ms = back_ms + self._draft.while_ms(1, 20_000)

    def _clock(self, at_ms: int) -> None:
        rng = self._rng
        if rng.random() < 0.2:
            utc = rng.choice(
                ("1970-01-01T00:00:00Z", "2036-02-07T06:28:16Z", "2026-11-21T08:00:00Z")
            )
            self._draft.add(at_ms, "set_clock", utc=utc)
            return
        most_ms = rng.choice((3000, 60_000, HOUR_MS, 6 * HOUR_MS, 30 * HOUR_MS, 2000 * HOUR_MS))
        jump_ms = rng.randrange(-most_ms, most_ms)
        self._draft.add(at_ms, "set_clock", jump_ms=jump_ms)
        if rng.random() < 0.5:
            self._draft.add(
                at_ms + self._draft.while_ms(50, HOUR_MS), "set_clock", jump_ms=-jump_ms
            )

    def _line(self, at_ms: int) -> None:
        device = self._rng.choice(self._devices)
        fault = self._rng.choice(("cut", "short", "stuck"))
        if self._draft.add(at_ms, "fail_line", device=device, fault=fault):
            over_ms = at_ms + self._draft.while_ms(10, 600_000)
            self._draft.add(over_ms, "fail_line", device=device, fault="none")

    def _unplugged(self, at_ms: int) -> None:
        device = self._rng.choice(self._devices)
        self._draft.add(at_ms, "unplug", device=device, on=True)
        over_ms = at_ms + self._draft.while_ms(10, 600_000)
        self._draft.add(over_ms, "unplug", device=device, on=False)

    def _jammed(self, at_ms: int) -> None:
        portal = self._rng.choice(self._portals)
        self._draft.add(at_ms, "jam_lock", portal=portal, on=True)
        over_ms = at_ms + self._draft.while_ms(10, 300_000)
        self._draft.add(over_ms, "jam_lock", portal=portal, on=False)

    def _storage(self, at_ms: int) -> None:
        mode = self._rng.choice(("error", "full", "slow"))
        self._draft.add(at_ms, "fail_storage", on=True, mode=mode)
        over_ms = at_ms + self._draft.while_ms(1, 600_000)
        self._draft.add(over_ms, "fail_storage", on=False)

    def _memory(self, at_ms: int) -> None:
        """There is room for hardly anything, mostly while the disk takes nothing and much happens."""
        rng, draft = self._rng, self._draft
        over_ms = at_ms + draft.while_ms(1000, 900_000)
        draft.add(at_ms, "limit_memory", on=True)
        draft.add(over_ms, "limit_memory", on=False)
        if rng.random() < 0.8:
            mode = rng.choice(("error", "full", "slow"))
            draft.add(at_ms, "fail_storage", on=True, mode=mode)
            draft.add(at_ms + draft.while_ms(500, 600_000), "fail_storage", on=False)
        if rng.random() < 0.5:
            for _ in range(3):
                draft.add(at_ms + rng.randrange(9000), "fail_task", task="door", how="dies")
        points = sorted(draft.config["access_points"])
        for _ in range(rng.choice((0, 30, 60))):
            number = f"w26:099:{rng.randrange(40000, 60000):05d}"
            point = rng.choice(points)
            draft.add(at_ms, "present_card", access_point=point, number=number)
            at_ms += rng.randrange(20, 600)
        for portal in self._portals:
            draft.add(at_ms + rng.randrange(0, 5000), "leave", portal=portal)

    def _disk(self, at_ms: int) -> None:
        fault = self._rng.choice(("torn", "unsynced", "flip", "flip_read", "rot"))
        file = self._rng.choice(("journal", "journal", "keys"))
        if fault in ("torn", "unsynced"):
            self._power(at_ms + self._rng.randrange(1, 400))
        elif self._rng.random() < 0.5:
            return  # rare: what a disk forgets of itself, nothing can promise
        self._draft.add(at_ms, "fail_disk", fault=fault, file=file)

    def _broker(self, at_ms: int) -> None:
        fault = self._rng.choice(
            ("down", "slow", "duplicate", "reorder", "half_open", "lose_puback", "forget")
        )
        self._draft.add(at_ms, "fail_broker", fault=fault, on=True)
        if fault != "forget":
            over_ms = at_ms + self._draft.while_ms(20, 1_800_000)
            self._draft.add(over_ms, "fail_broker", fault=fault, on=False)

    def _reader(self, at_ms: int) -> None:
        if self._readers:
            device = self._rng.choice(self._readers)
            fault = self._rng.choice(("noise", "torn", "silent", "stuck"))
            self._draft.add(at_ms, "fail_reader", device=device, fault=fault)
            over_ms = at_ms + self._draft.while_ms(20, 600_000)
            self._draft.add(over_ms, "fail_reader", device=device, fault="none")

    def _chatter(self, at_ms: int) -> None:
        for _ in range(self._rng.choice((1, 3, 10))):
            self._draft.add(at_ms, "chatter_contact", device=self._rng.choice(self._devices))
            at_ms += self._rng.randrange(5, 3000)

    def _task(self, at_ms: int) -> None:
        task = self._rng.choice(("door", "door", *("feed-" + name for name in self._devices)))
        how = self._rng.choice(("dies", "hangs", "waits"))
        for _ in range(self._rng.choice((1, 1, 2, 5))):
            self._draft.add(at_ms, "fail_task", task=task, how=how)
            at_ms += self._draft.while_ms(100, 60_000)

    def _process(self, at_ms: int) -> None:
        process = self._rng.choice(("door", "link"))
        for _ in range(self._rng.choice((1, 1, 3))):
            self._draft.add(at_ms, "kill_process", process=process)
            at_ms += self._draft.while_ms(10, 20_000)

    def _drift(self, at_ms: int) -> None:
        self._draft.add(at_ms, "drift_clock", ppm=self._rng.randrange(-500, 501))

    def _supply(self, at_ms: int) -> None:
        verb = self._rng.choice(("fail_mains", "fail_battery"))
        self._draft.add(at_ms, verb, on=True)
        self._draft.add(at_ms + self._draft.while_ms(100, HOUR_MS), verb, on=False)
