"""A host in virtual time: keeps every event, says so on `stored`, and sends signed commands.

It checks what any host can check: an `id` means one event for ever, a journal has no gap, each event's
hash is that of its content and the chain holds. What does not fit is a line in ``problems``. It acknowledges
in batches, after a while; it may fall silent, or be away. The demo's operator stands at the same desk.
"""

import base64
import hashlib
import json
import random
from typing import Any

from firmware.runtime import aio
from firmware.runtime.clock import iso
from firmware.trust import chain, order, signing
from sim.virtual_broker import VirtualBroker

OPERATOR = "op-demo"
HOST = "host-demo"
STAFF = {"op-keeper": "caretaker", "op-desk": "manager", "op-fitter": "installer"}

ACK_MS = 1000  #: from the first new event to the word that it is stored
RELEASE_MS = 30_000  #: how long a release that is asked for may take to arrive
LIFE_MS = 300_000  #: and anything else


def seed_of(config: dict[str, Any], who: str) -> bytes:
    """The Ed25519 seed of a simulated operator or host: no secret, the same in every run."""
    box = config["controller"]
    name = f"doorward simulator {who} {box['site']}/{box['name']}"
    return hashlib.sha256(name.encode()).digest()


def operators(config: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Who may sign for a simulated controller from its first start on: id -> (role, public key)."""
    return {
        who: (role, base64.b64encode(signing.public_of(seed_of(config, who))).decode())
        for who, role in ((OPERATOR, "owner"), (HOST, "host"))
    }


def staff(config: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Who else may sign in the soak, as `operators`: each role that is neither an owner's nor a host's."""
    return {
        who: (role, base64.b64encode(signing.public_of(seed_of(config, who))).decode())
        for who, role in STAFF.items()
    }


class Stored:
    """What the host has of one journal."""

    def __init__(self, name: str) -> None:
        self.name = name
        #: seq -> hash of each event
        self.hashes: dict[int, str] = {}
        #: int  every event up to this one is here, from the first that may be expected
        self.upto = 0
        #: int  acknowledged up to here
        self.told = 0


class VirtualHost:
    """One host of one controller.

    config  dict             the board's
    seeded  random.Random    ids of commands
    keep    bool             whether the events themselves are kept, and not only their hashes
    """

    def __init__(
        self,
        loop: aio.Loop,
        broker: VirtualBroker,
        config: dict[str, Any],
        wall: Any,
        seeded: random.Random,
        keep: bool = True,
    ) -> None:
        box = config["controller"]
        self.to = f"{box['site']}/{box['name']}"
        self.root = "doorward/" + self.to
        #: bool  events are acknowledged on `stored`
        self.acknowledges = bool(config["link"]["host_ack"])
        self.ack_ms = ACK_MS
        #: dict  journal -> what the host has of it
        self.journals: dict[str, Stored] = {}
        #: dict  id -> event, if they are kept
        self.events: dict[str, dict[str, Any]] = {}
        #: list of str  ids in the order in which they first came
        self.order: list[str] = []
        #: int  events that came again
        self.again = 0
        #: list of str  what does not fit
        self.problems: list[str] = []
        #: dict  the newest `status`; {} before the first
        self.status: dict[str, Any] = {}
        #: dict  id of a command -> what it was
        self.sent: dict[str, dict[str, Any]] = {}
        #: dict  id of a command -> its arguments, whether they were sealed or not
        self.asked: dict[str, dict[str, Any]] = {}
        #: dict  id of a command -> when it was sent, by the loop
        self.sent_ms: dict[str, int] = {}
        #: list of str  the nonces of `status`, the newest last
        self.nonces: list[str] = []
        #: dict  id of a command -> the replies that came for it
        self.replies: dict[str, list[dict[str, Any]]] = {}
        self._loop = loop
        self._wall = wall
        self._random = seeded
        self._keep = keep
        self._seeds = {who: seed_of(config, who) for who in (OPERATOR, *STAFF)}
        self._host_seed = seed_of(config, HOST)
        self._last_n = 0
        self._due = False
        self.client = broker.client("host", self.root + "/#", self._message)

    # ---- commands ----------------------------------------------------------------------------------

    def command(
        self,
        op: str,
        args: dict[str, Any],
        life_ms: int | None = None,
        n: int | None = None,
        retained: bool = False,
        by: str = OPERATOR,
        **more: Any,
    ) -> dict[str, Any]:
        """Sign a command of the demo's operator, or of `staff`, and publish it; what was sent.

        n     left out: UTC milliseconds, ever more
        more  other arguments of `firmware.trust.order.make`, such as ``nonce``
        """
        now_ms = self._wall.utc_ms()
        if life_ms is None:
            life_ms = RELEASE_MS if op == "portal.release" else LIFE_MS
        self._last_n = max(self._last_n + 1, now_ms if n is None else n)
        seal_key = None
        if order.is_sealed(op):
            seal_key = signing.key_bytes(self.status.get("public_key", {}).get("seal"))
        given: dict[str, Any] = {
            "id": self._random.randbytes(16).hex(),
            "to": self.to,
            "by": by,
            "seed": self._seeds[by],
            "issued": _seconds(now_ms),
            "expires": _seconds(now_ms + life_ms),
            "seal_key": seal_key,
            "n": self._last_n if n is None else n,
            **more,
        }
        made = order.make(op, args, **given)
        self.send(made, args, retained)
        return made

    def send(self, made: dict[str, Any], args: dict[str, Any], retained: bool = False) -> None:
        """Publish a command that was signed."""
        self.sent[made["id"]] = made
        self.asked[made["id"]] = args
        self.sent_ms[made["id"]] = self._loop.now_ms()
        self.publish("command", order.text(made), retained)

    def publish(self, topic: str, payload: bytes, retained: bool = False) -> None:
        """Put anything on a topic of the controller."""
        text = payload.decode("utf-8", "surrogateescape")
        self.client.publish(f"{self.root}/{topic}", text, retained)

    # ---- events ------------------------------------------------------------------------------------

    def missing(self, journal: str) -> list[int]:
        """The seqs of a journal that lie between those that are here."""
        hashes = self.journals[journal].hashes
        return [seq for seq in range(min(hashes), max(hashes)) if seq not in hashes]

    def acknowledge(self) -> None:
        """Say on `stored` what is here, now; nothing where nothing is new."""
        self._due = False
        for stored in self.journals.values():
            if stored.upto > stored.told:
                stored.told = stored.upto
                self._tell(stored, stored.upto)

    def _tell(self, stored: Stored, seq: int) -> None:
        made = order.acknowledgement(
            to=self.to,
            journal=stored.name,
            seq=seq,
            hash=stored.hashes[seq],
            by=HOST,
            seed=self._host_seed,
        )
        self.publish("stored", order.text(made))

    def _message(self, topic: str, payload: str, retained: bool) -> None:
        name = topic[len(self.root) + 1 :]
        if name == "event":
            self._event(json.loads(payload))
        elif name == "status":
            self.status = {**self.status, **json.loads(payload)}
            nonce = self.status.get("nonce")
            if nonce is not None and nonce not in self.nonces[-1:]:
                self.nonces = [*self.nonces[-7:], nonce]
        elif name.startswith("reply/"):
            self._reply(name[len("reply/") :], json.loads(payload))

    def _event(self, event: dict[str, Any]) -> None:
        stored = self.journals.get(event["journal"])
        if stored is None:
            stored = self.journals[event["journal"]] = Stored(event["journal"])
        seq, known = event["seq"], stored.hashes.get(event["seq"])
        if known is not None:
            self.again += 1
            if known != event["hash"]:
                self.problems.append(f"{event['id']}: came again and is another")
        else:
            self._first(stored, seq, event)
        # A host that has been told something again says again that it has it.
        if self.acknowledges and not self._due and (known is None or seq <= stored.told):
            self._due = True
            stored.told = min(stored.told, seq - 1) if known is not None else stored.told
            self._loop.call_at(self._loop.now_ms() + self.ack_ms, self._acknowledge_soon)

    def _acknowledge_soon(self) -> None:
        if self.acknowledges and self.client.online:
            self.acknowledge()
        else:
            self._due = False

    def _first(self, stored: Stored, seq: int, event: dict[str, Any]) -> None:
        if event["hash"] != chain.hash_of(event):
            self.problems.append(f"{event['id']}: hash is not that of its content")
        before, after = stored.hashes.get(seq - 1), stored.hashes.get(seq + 1)
        if (before is not None and before != event["prev"]) or (
            seq == 1 and event["prev"] != chain.START
        ):
            self.problems.append(f"{event['id']}: does not follow the event before it")
        if after is not None and self._keep:
            follower = self.events[f"{event['id'].rpartition(':')[0]}:{seq + 1}"]
            if follower["prev"] != event["hash"]:
                self.problems.append(f"{follower['id']}: does not follow the event before it")
        stored.hashes[seq] = event["hash"]
        while stored.upto + 1 in stored.hashes:
            stored.upto += 1
        self.order.append(event["id"])
        if self._keep:
            self.events[event["id"]] = event

    def _reply(self, id: str, reply: dict[str, Any]) -> None:
        self.replies.setdefault(id, []).append(reply)
        key = self.status.get("public_key", {}).get("sign")
        if id not in self.sent:
            self.problems.append(f"reply/{id}: to a command that nobody sent")
        elif key is not None and not signing.is_signed(reply, signing.key_bytes(key)):
            self.problems.append(f"reply/{id}: its signature is not the controller's")


def _seconds(utc_ms: int) -> str:
    return iso(utc_ms // 1000 * 1000).replace(".000Z", "Z")
