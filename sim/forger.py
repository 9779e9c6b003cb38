"""Whoever owns the broker and no key: sends what was overheard again, changed, late, kept, or made up.

Verb `forge_command`. ``never`` names the commands that must not run, and why.
"""

import random
from typing import Any

from firmware.runtime.clock import iso
from firmware.trust import order
from sim.fake_clock import FakeWall
from sim.virtual_broker import VirtualBroker
from sim.virtual_host import VirtualHost

FLOOD = 100  #: stale releases, as after an outage
STALE_MS = 3_600_000
LIFE_MS = 30_000


class Forger:
    """Stands between one host and its controller."""

    def __init__(
        self,
        broker: VirtualBroker,
        host: VirtualHost,
        wall: FakeWall,
        portals: list[str],
        seeded: random.Random,
    ) -> None:
        #: dict  id of a command -> why it must never run
        self.never: dict[str, str] = {}
        self._broker = broker
        self._host = host
        self._wall = wall
        self._portals = portals
        self._random = seeded

    def forge(self, how: str) -> None:
        """Send one forgery (`sim.verb_table`), or a hundred of them for "flood"."""
        if how == "flood":
            for _ in range(FLOOD):
                self._signed("stale")
        elif how in ("elsewhere", "stale", "retained"):
            self._signed(how)
        elif how == "junk":
            noise = self._random.randbytes(self._random.randrange(1, 400))
            self._put(noise.decode("latin-1"))
        else:
            self._put(order.text(self._unsigned(how)).decode())

    def _signed(self, how: str) -> None:
        """The operator's own word, but for another controller, from long ago, or kept by the broker."""
        more: dict[str, Any] = {}
        if how == "elsewhere":
            more["to"] = "sunrise/c-99"
        elif how == "stale":
            issued_ms = self._wall.utc_ms() // 1000 * 1000 - STALE_MS
            more["issued"], more["expires"] = _time(issued_ms), _time(issued_ms + LIFE_MS)
        args = {"portal": self._random.choice(self._portals)}
        made = self._host.command("portal.release", args, None, None, how == "retained", **more)
        self.never[made["id"]] = how

    def _unsigned(self, how: str) -> dict[str, Any]:
        heard = list(self._host.sent.values())
        if how == "stranger" or not heard:
            return {
                "v": 1,
                "id": self._random.randbytes(16).hex(),
                "to": self._host.to,
                "op": "portal.release",
                "args": {"portal": self._random.choice(self._portals)},
                "issued": _time(self._wall.utc_ms() // 1000 * 1000),
                "expires": _time(self._wall.utc_ms() // 1000 * 1000 + LIFE_MS),
                "by": "op-demo",
                "sig": "A" * 86 + "==",
            }
        fields = dict(self._random.choice(heard if how == "altered" else heard[-3:]))
        if how == "altered":
            fields.pop("sealed", None)
            fields["op"], fields["id"] = "portal.release", self._random.randbytes(16).hex()
            fields["args"] = {"portal": self._random.choice(self._portals)}
        elif self.never.get(fields["id"]) == "retained":
            del self.never[fields["id"]]  # what the broker kept may be sent like any other, once
        return fields  # or again, word for word: runs at most once, whoever sends it

    def _put(self, payload: str) -> None:
        self._broker.route(self._host.root + "/command", payload, False)


def _time(utc_ms: int) -> str:
    return iso(utc_ms).replace(".000Z", "Z")
