"""Whoever owns the broker and no key: sends what was overheard again, changed, late, kept, or made up.

Verb `forge_command`. ``never`` names the commands that must not run, and why; ``words`` are the messages on
`stored` that must not count. Where somebody who may sign has signed, they signed what must be refused.
"""

import random
from typing import Any

from firmware.runtime.clock import iso
from firmware.trust import order, signing
from sim.fake_clock import FakeWall
from sim.virtual_broker import VirtualBroker
from sim.virtual_host import HOST, OPERATOR, VirtualHost, seed_of

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
        config: dict[str, Any],
    ) -> None:
        #: dict  id of a command -> why it must never run
        self.never: dict[str, str] = {}
        #: set of str  what was put on `stored`
        self.words: set[str] = set()
        self._broker = broker
        self._host = host
        self._wall = wall
        self._portals = portals
        self._random = seeded
        self._config = config

    def forge(self, how: str) -> None:
        """Send one forgery (`sim.verb_table`), or a hundred of them for "flood"."""
        if how == "flood":
            for _ in range(FLOOD):
                self._signed("stale")
        elif how in ("elsewhere", "stale", "retained"):
            self._signed(how)
        elif how == "old_nonce":
            self._old_nonce()
        elif how == "low_n":
            args = {"portal": self._random.choice(self._portals), "mode": "locked"}
            self._host.command("portal.mode", args, None, 1)
        elif how == "unsealed":
            self._unsealed()
        elif how == "stored":
            self._stored()
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

    def _old_nonce(self) -> None:
        """The operator's own word of an hour ago, which quotes a nonce that is not the newest, or none."""
        issued_ms = self._wall.utc_ms() // 1000 * 1000 - STALE_MS
        more: dict[str, Any] = {"issued": _time(issued_ms), "expires": _time(issued_ms + LIFE_MS)}
        nonces = [*self._host.nonces[:-1], self._random.randbytes(16).hex()]
        args = {"portal": self._random.choice(self._portals)}
        more["nonce"] = nonces[0] if self._random.random() < 0.5 else nonces[-2:][0]
        made = self._host.command("portal.release", args, None, None, **more)
        self.never[made["id"]] = "old nonce"

    def _unsealed(self) -> None:
        """The operator's own word, in the open where it has to be sealed."""
        now_ms = self._wall.utc_ms()
        asked: list[tuple[str, dict[str, Any]]] = [
            ("credential.remove", {"credential": 1001}),
            ("operator.set", {"operator": "op-two", "revoked": True}),
        ]
        op, args = self._random.choice(asked)
        made = {**self._made(op, args, OPERATOR), "n": now_ms}
        made["sig"] = signing.sign(made, seed_of(self._config, OPERATOR))
        self.never[made["id"]] = "unsealed"
        self._host.send(made, args)

    def _stored(self) -> None:
        """A host's word that it has everything, by others, for others, or about what is not so."""
        rng, host = self._random, self._host
        journal, seq, hash = "%08x" % rng.randrange(1 << 32), 1, rng.randbytes(32).hex()
        for stored in host.journals.values():
            if stored.hashes:
                journal, seq = stored.name, max(stored.hashes)
                hash = stored.hashes[seq]
        made: dict[str, Any] = {"to": host.to, "journal": journal, "seq": seq, "hash": hash}
        how = rng.choice(("unsigned", "by a stranger", "by an operator", "elsewhere", "not so"))
        signs = OPERATOR if how == "by an operator" else HOST
        made["by"] = signs
        if how == "elsewhere":
            made["to"] = "sunrise/c-99"
        elif how == "not so":
            made["hash"] = rng.randbytes(32).hex()
        seed = rng.randbytes(32) if how == "by a stranger" else seed_of(self._config, signs)
        made["sig"] = "A" * 86 + "==" if how == "unsigned" else signing.sign(made, seed)
        payload = order.text(made).decode()
        self.words.add(payload)
        self._broker.route(host.root + "/stored", payload, False)

    def _made(self, op: str, args: dict[str, Any], by: str) -> dict[str, Any]:
        """A fresh command, as yet unsigned."""
        issued_ms = self._wall.utc_ms() // 1000 * 1000
        return {
            "v": 1,
            "id": self._random.randbytes(16).hex(),
            "to": self._host.to,
            "op": op,
            "args": args,
            "issued": _time(issued_ms),
            "expires": _time(issued_ms + LIFE_MS),
            "by": by,
        }

    def _unsigned(self, how: str) -> dict[str, Any]:
        heard = list(self._host.sent.values())
        if how == "stranger" or not heard:
            args = {"portal": self._random.choice(self._portals)}
            return {**self._made("portal.release", args, OPERATOR), "sig": "A" * 86 + "=="}
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
