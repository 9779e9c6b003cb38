"""What people do: quiet hours, rush hours, bursts; those who may, those who may not, and mishaps."""

import base64
from collections.abc import Callable
from typing import Any

from firmware.runtime.clock import iso
from firmware.wire import card_number
from sim.fake_clock import zone_offset
from sim.soak.steps import Draft

HOUR_MS = 3_600_000

#: Visits an hour by the hour of the local day.
RATES = (3, 2, 2, 2, 3, 5, 10, 30, 25, 8, 6, 8, 14, 8, 6, 6, 10, 25, 30, 15, 8, 5, 3, 2)


class Life:
    """Draws what people do into a draft."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._rng = draft.rng
        self._points = sorted(draft.config["access_points"])
        self._portals = sorted(draft.config["portals"])
        self._names = [somebody.name for somebody in draft.people]
        self._alarm_points = sorted(draft.config["alarms"]["points"])
        self._kinds: list[tuple[int, Callable[[int], None]]] = [
            (40, self._visit),
            (8, self._pin),
            (6, self._stranger),
            (4, self._burst),
            (14, self._leave),
            (3, self._press),
            (3, self._prop),
            (2, self._force),
            (3, self._push),
            (2, self._code),
            (2, self._panic),
            (3, self._sensor),
            (6, self._acknowledge),
            (1, self._fire),
            (2, self._lid),
            (8, self._command),
            (2, self._keys),
            (2, self._rarely),
            (3, self._forgery),
            (2, self._ended),
        ]

    def live(self) -> None:
        """Draw the whole of it."""
        rng = self._rng
        offset_s = zone_offset(self._draft.config["controller"]["timezone"])
        busy = rng.choice((1.0, 3.0, 6.0))
        weights = [weight for weight, _ in self._kinds]
        at_ms = 0.0
        while at_ms < self._draft.end_ms:
            utc_s = (self._draft.start_ms + int(at_ms)) // 1000
            rate = RATES[(utc_s + offset_s(utc_s)) // 3600 % 24] * busy
            at_ms += (
                rng.expovariate(rate / HOUR_MS) if rng.random() < 0.8 else rng.uniform(50, 9000)
            )
            rng.choices(self._kinds, weights)[0][1](int(at_ms))

    # ---- one visit ---------------------------------------------------------------------------------

    def _portal_of(self, point: str) -> str:
        return str(self._draft.config["access_points"][point]["portal"])

    def _show(self, at_ms: int, point: str, name: str) -> None:
        """Show what they have: a card, a code or the PIN, on this reader."""
        draft, rng = self._draft, self._rng
        person = next(one for one in draft.people if one.name == name)
        if person.card is not None and rng.random() < 0.9:
            card = person.duress_card if rng.random() < 0.1 else None
            if card is not None:
                draft.add(at_ms, "present_card", access_point=point, number=card)
            else:
                draft.add(at_ms, "present_card", access_point=point, person=name)
        elif person.qr is not None:
            draft.add(at_ms, "show_qr", access_point=point, person=name)
        pins = [pin for pin in (person.pin, person.pin, person.duress_pin) if pin is not None]
        if pins and rng.random() < 0.4:
            pin = rng.choice(pins)
            draft.add(at_ms + rng.randrange(900, 8000), "enter_pin", access_point=point, digits=pin)

    def _visit(self, at_ms: int) -> None:
        draft, rng = self._draft, self._rng
        point = rng.choice(self._points)
        portal = self._portal_of(point)
        self._show(at_ms, point, rng.choice(self._names))
        if rng.random() < 0.25:  # the other of two people, or somebody behind them
            self._show(at_ms + rng.randrange(0, 9000), point, rng.choice(self._names))
        enters_ms = at_ms + rng.choice((400, 900, 1500, 3000, 4900, 5100, 7000))
        if rng.random() < 0.8:
            draft.add(enters_ms, "walk_through", portal=portal)

    def _ended(self, at_ms: int) -> None:
        """Whose key has just ended tries it again, and again when the clock was set back."""
        draft, rng = self._draft, self._rng
        ended = [one for one in draft.people if one.valid_to_s is not None and one.card is not None]
        if not ended:
            return
        person = rng.choice(ended)
        over_ms = (
            int(person.valid_to_s or 0) * 1000 - draft.start_ms + rng.randrange(-3000, 120_000)
        )
        at_ms = over_ms if over_ms > 0 else at_ms
        point = rng.choice(self._points)
        draft.add(at_ms, "present_card", access_point=point, person=person.name)
        if rng.random() < 0.4:
            back_ms = draft.while_ms(1000, 20 * HOUR_MS)
            draft.add(at_ms + 5000, "set_clock", jump_ms=-back_ms)
            draft.add(at_ms + 8000, "present_card", access_point=point, person=person.name)
            draft.add(at_ms + draft.while_ms(9000, 600_000), "set_clock", jump_ms=back_ms)

    def _pin(self, at_ms: int) -> None:
        rng = self._rng
        pins = [one.pin for one in self._draft.people if one.pin is not None]
        pins += [one.duress_pin for one in self._draft.people if one.duress_pin is not None]
        point = rng.choice(self._points)
        digits = rng.choice([*pins, "7777", "123456", "9*9"])
        if self._draft.add(at_ms, "enter_pin", access_point=point, digits=digits):
            self._draft.add(at_ms + 2500, "walk_through", portal=self._portal_of(point))

    def _stranger(self, at_ms: int) -> None:
        point = self._rng.choice(self._points)
        for _ in range(self._rng.choice((1, 1, 2, 6))):
            number = f"w26:099:{self._rng.randrange(40000, 60000):05d}"
            self._draft.add(at_ms, "present_card", access_point=point, number=number)
            at_ms += self._rng.randrange(500, 4000)

    def _burst(self, at_ms: int) -> None:
        for _ in range(self._rng.randrange(4, 20)):
            self._show(at_ms, self._rng.choice(self._points), self._rng.choice(self._names))
            at_ms += self._rng.randrange(20, 900)

    def _code(self, at_ms: int) -> None:
        text = self._rng.choice(("DOORWARD-VISIT-0000-0000", "https://example.org/", "V1;x"))
        point = self._rng.choice(self._points)
        self._draft.add(at_ms, "show_qr", access_point=point, text=text)

    # ---- doors -------------------------------------------------------------------------------------

    def _leave(self, at_ms: int) -> None:
        self._draft.add(at_ms, "leave", portal=self._rng.choice(self._portals))

    def _press(self, at_ms: int) -> None:
        portal = self._rng.choice(self._portals)
        for _ in range(self._rng.choice((1, 1, 1, 3))):
            self._draft.add(at_ms, "press_rex", portal=portal)
            at_ms += self._rng.randrange(10, 2000)

    def _prop(self, at_ms: int) -> None:
        portal = self._rng.choice(self._portals)
        self._draft.add(at_ms, "leave", portal=portal)
        self._draft.add(at_ms + self._rng.randrange(200, 1200), "prop_door", portal=portal)
        closed_ms = at_ms + self._draft.while_ms(5000, 400_000)
        self._draft.add(closed_ms, "close_door", portal=portal)

    def _force(self, at_ms: int) -> None:
        portal = self._rng.choice(self._portals)
        self._draft.add(at_ms, "force_door", portal=portal)
        self._draft.add(at_ms + self._draft.while_ms(50, 200_000), "close_door", portal=portal)

    def _push(self, at_ms: int) -> None:
        portal = self._rng.choice(self._portals)
        self._draft.add(at_ms, "push_door", portal=portal)
        self._draft.add(at_ms + self._draft.while_ms(10, 90_000), "close_door", portal=portal)

    # ---- alarms ------------------------------------------------------------------------------------

    def _panic(self, at_ms: int) -> None:
        if self._alarm_points:
            self._draft.add(at_ms, "press_panic", point=self._rng.choice(self._alarm_points))

    def _sensor(self, at_ms: int) -> None:
        if not self._alarm_points:
            return
        point = self._rng.choice(self._alarm_points)
        if self._draft.add(at_ms, "trip_sensor", point=point, on=True):
            over_ms = at_ms + self._draft.while_ms(20, 300_000)
            self._draft.add(over_ms, "trip_sensor", point=point, on=False)

    def _acknowledge(self, at_ms: int) -> None:
        self._draft.add(at_ms, "press_ack")

    def _fire(self, at_ms: int) -> None:
        over_ms = at_ms + self._draft.while_ms(5, 120_000)
        if self._draft.add(at_ms, "set_fire", on=True):
            self._draft.add(over_ms, "set_fire", on=False)
            self._draft.add(over_ms + self._rng.randrange(500, 20_000), "press_ack")

    # ---- commands ----------------------------------------------------------------------------------

    def _command(self, at_ms: int) -> None:
        rng, draft = self._rng, self._draft
        portal = rng.choice(self._portals)
        kind = rng.random()
        if kind < 0.5:
            draft.add(at_ms, "command", op="portal.release", args={"portal": portal})
            if rng.random() < 0.3:  # somebody has overheard it
                again_ms = at_ms + draft.while_ms(1, 25_000)
                draft.add(again_ms, "forge_command", how="again")
        elif kind < 0.7:
            mode = rng.choice(("unlocked", "blocked", "locked_down", "locked_open", "locked"))
            draft.add(at_ms, "command", op="portal.mode", args={"portal": portal, "mode": mode})
            back = {"portal": portal, "mode": "locked"}
            back_ms = at_ms + draft.while_ms(100, 900_000)
            draft.add(back_ms, "command", op="portal.mode", args=back)
        elif kind < 0.85:
            op = rng.choice(("alarm.acknowledge", "alarm.silence"))
            draft.add(at_ms, "command", op=op, args={})
        elif kind < 0.95:
            args = {"from_seq": rng.randrange(1, 200)}
            draft.add(at_ms, "command", op="events.replay", args=args)
        else:
            draft.add(at_ms, "command", op="portal.release", args={"portal": "nowhere"})

    def _keys(self, at_ms: int) -> None:
        """Somebody's key is changed, sealed: it ends, is given back, or a new one is made."""
        rng, draft = self._rng, self._draft
        person = rng.choice(draft.people)
        kind = rng.random()
        key: dict[str, Any] = {
            "id": person.credential,
            "holder": person.holder,
            "state": rng.choice(("active", "active", "suspended", "lost", "cancelled")),
            "levels": ["everywhere"],
            "version": 2 + at_ms // 1000,
        }
        if person.card is not None:
            key["cards"] = [card_number.parse(person.card)]
        if person.pin is not None:
            key["pin"] = person.pin
        if kind < 0.4:
            draft.add(at_ms, "command", op="credential.upsert", args={"credential": key})
        elif kind < 0.6:
            args: dict[str, Any] = {"credential": person.credential}
            draft.add(at_ms, "command", op="credential.remove", args=args)
        elif kind < 0.7:
            args = {"upsert": [key], "remove": [person.credential + 1000]}
            if rng.random() < 0.5:
                args.update(version=2 + at_ms // 1000, page=1, pages=rng.choice((1, 1, 2)))
            draft.add(at_ms, "command", op="credential.sync", args=args)
        else:
            self._enrol(at_ms)
            return
        point = rng.choice(self._points)
        self._show(at_ms + draft.while_ms(1, 60_000), point, person.name)

    def _enrol(self, at_ms: int) -> None:
        rng, draft = self._rng, self._draft
        point = rng.choice(self._points)
        number = f"w26:077:{rng.randrange(40000, 60000):05d}"
        args: dict[str, Any] = {"access_point": point, "timeout_s": rng.randrange(1, 60)}
        if rng.random() < 0.7:
            new = {"id": 7000 + rng.randrange(50), "levels": ["everywhere"], "pin": "864209"}
            args["credential"] = {**new, "version": 2 + at_ms // 1000}
        draft.add(at_ms, "command", op="credential.enrol", args=args)
        for _ in range(2):
            at_ms += draft.while_ms(100, 40_000)
            draft.add(at_ms, "present_card", access_point=point, number=number)

    def _rarely(self, at_ms: int) -> None:
        """What an owner rarely asks for."""
        rng, draft = self._rng, self._draft
        utc_s = (draft.start_ms + at_ms) // 1000
        until = _utc(utc_s + rng.randrange(-60, 4 * 3600))
        key = base64.b64encode(rng.randbytes(32)).decode()
        wrong_s = round(rng.choice((-1, 1)) * draft.while_ms(1000, 400_000_000) / 1000)
        hours = {"schedule": "spare", "hours": ["daily 09:00-17:00"]}
        asked: list[tuple[str, dict[str, Any]]] = [
            ("passback.forgive", {}),
            ("level.set", {"level": "spare", "rights": []}),
            ("schedule.set", hours),
            ("operator.set", {"operator": "op-two", "role": "caretaker", "public_key": key}),
            ("operator.set", {"operator": "op-two", "revoked": True}),
            ("config.apply", {"config": "nothing of the kind"}),
            ("clock.set", {"utc": _utc(utc_s)}),
            ("clock.set", {"utc": _utc(utc_s + rng.choice((0, wrong_s)))}),
        ]
        for point in self._alarm_points:
            kind = draft.config["alarms"]["points"][point]["class"]
            shelved = {"point": point, "class": kind, "until": until}
            asked.append(("alarm.shelve", shelved))
        for name in sorted(draft.config["partitions"]):
            asked.append(("partition.arm", {"partition": name}))
            asked.append(("partition.disarm", {"partition": name}))
        op, args = rng.choice(asked)
        draft.add(at_ms, "command", op=op, args=args)
        if rng.random() < 0.2:
            draft.add(at_ms + draft.while_ms(1, 5000), "forge_command", how="again")

    def _forgery(self, at_ms: int) -> None:
        kinds = ("again", "altered", "stranger", "elsewhere", "stale", "retained", "junk")
        how = self._rng.choice((*kinds, *kinds, "flood"))
        self._draft.add(at_ms, "forge_command", how=how)

    def _lid(self, at_ms: int) -> None:
        devices: list[Any] = [*self._draft.config["devices"], *self._alarm_points]
        device = self._rng.choice(sorted(devices))
        if self._draft.add(at_ms, "tamper", device=device, on=True):
            over_ms = at_ms + self._draft.while_ms(20, 300_000)
            self._draft.add(over_ms, "tamper", device=device, on=False)


def _utc(utc_s: int) -> str:
    return iso(utc_s * 1000).replace(".000Z", "Z")
