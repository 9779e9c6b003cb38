"""The worked examples of docs/protocol.md: every byte follows from a few fixed keys.

    PYTHONPATH=. python tests/contract/protocol_examples.py     puts them into the document

A block of the document belongs here if ``<!-- example: NAME -->`` stands in the line before it.
"""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from pyhpke import KEMKey
from pyhpke.kem_key import KEMKeyPair

from firmware.trust import canonical, chain, order, sealing, signing
from firmware.trust.identity import Identity

FILE = Path(__file__).parents[2] / "docs" / "protocol.md"
BLOCK = re.compile(r"(<!-- example: ([a-z-]+) -->\n```[a-z]*\n)([^`]*?)(\n```)")

TO = "sunrise/c-01"
OPERATOR = bytes(range(0x20))
HOST = bytes(range(0x20, 0x40))
CONTROLLER = bytes(range(0x40, 0x80))  # Ed25519 seed, then X25519 private key
EPHEMERAL = bytes(range(0x80, 0xA0))
TIMES: dict[str, Any] = {"issued": "2026-11-21T08:15:00Z", "expires": "2026-11-21T08:15:30Z"}
_MARKS = {"v": 1, "journal": "5f3a9c01", "boot": 7, "clock": "trusted"}


def b64(data: bytes) -> str:
    """Base64 with padding, as everywhere in the protocol."""
    return base64.b64encode(data).decode()


def examples() -> dict[str, str]:
    """Name: what stands in its block."""
    identity = Identity.of(CONTROLLER)
    release = order.make(
        "portal.release",
        {"portal": "front"},
        id="9f0c1e62a4d84b5c8e7f00112233445a",
        to=TO,
        by="op-ling",
        seed=OPERATOR,
        n=41,
        **TIMES,
    )
    sealed = _sealed_command(base64.b64decode(identity.public_key["seal"]))
    events = _events(identity)
    stored = order.acknowledgement(
        to=TO, journal="5f3a9c01", seq=3, hash=events[2]["hash"], by="host-1", seed=HOST
    )
    answer = identity.signed({"id": release["id"], "ok": True, "result": {"done": "released"}})
    said = _vouched(events)
    return {
        "keys": "\n".join(
            [
                f"operator op-ling  seed      {OPERATOR.hex()}",
                f"                  public    {b64(signing.public_of(OPERATOR))}",
                f"host host-1       seed      {HOST.hex()}",
                f"                  public    {b64(signing.public_of(HOST))}",
                f"controller sign   seed      {CONTROLLER[:32].hex()}",
                f"                  public    {identity.public_key['sign']}",
                f"controller seal   private   {CONTROLLER[32:].hex()}",
                f"                  public    {identity.public_key['seal']}",
            ]
        ),
        "event-canonical": _text(_without(events[0], "hash")),
        "event": _text(events[0]),
        "event-next": _text(events[1]),
        "checkpoint-canonical": _text(said),
        "checkpoint": _text(events[2]),
        "command-canonical": _text(_without(release, "sig")),
        "command-signature": release["sig"],
        "command": order.text(release).decode(),
        "sealed-plain": _SEALED_PLAIN,
        "sealed-ephemeral": EPHEMERAL.hex(),
        "sealed-additional": json.dumps(f"{sealed['id']}\n{TO}"),
        "sealed": order.text(sealed).decode(),
        "reply-canonical": _text(_without(answer, "sig")),
        "reply": _text(answer),
        "stored-canonical": _text(_without(stored, "sig")),
        "stored": order.text(stored).decode(),
    }


_SEALED_PLAIN = (
    '{"credential":{"id":1042,"holder":311,"cards":["w26:012:34567"],'
    '"levels":["tenant"],"version":3}}'
)


def _sealed_command(public: bytes) -> dict[str, Any]:
    """A command as a host makes it, but with a key that a host draws at random."""
    made: dict[str, Any] = {
        "v": 1,
        "id": "0b7d5e90c1f24a3386d2aabbccddeeff",
        "to": TO,
        "op": "credential.upsert",
        "by": "op-ling",
        "n": 42,
        **TIMES,
    }
    private = X25519PrivateKey.from_private_bytes(EPHEMERAL)
    pair = KEMKeyPair(
        KEMKey.from_pyca_cryptography_key(private),
        KEMKey.from_pyca_cryptography_key(private.public_key()),
    )
    reader = KEMKey.from_pyca_cryptography_key(X25519PublicKey.from_public_bytes(public))
    enc, context = sealing.prepare().create_sender_context(reader, eks=pair)
    belongs = sealing.belongs_to(made["id"], TO)
    made["sealed"] = b64(enc + context.seal(_SEALED_PLAIN.encode(), aad=belongs))
    made["sig"] = signing.sign(made, OPERATOR)
    return made


def _events(identity: Identity) -> list[dict[str, Any]]:
    """A journal's first three records, the third a checkpoint."""
    first = {
        "type": "system.journal_started",
        "time": "2026-11-21T08:15:02.100Z",
        "previous": {"journal": "0c77aa12", "seq": 90311},
    }
    second = {
        "type": "access.denied",
        "time": "2026-11-21T08:15:02.417Z",
        "portal": "front",
        "access_point": "front-in",
        "credential": 1042,
        "holder": 311,
        "reason": "outside_schedule",
    }
    made: list[dict[str, Any]] = []
    for fields in (first, second):
        _chain(made, fields)
    third = {"type": "system.checkpoint", "time": second["time"], "upto": 2, "controller": TO}
    third["head"] = made[1]["hash"]
    third["sig"] = identity.signed(_vouched([*made, third]))["sig"]
    _chain(made, third)
    return made


def _vouched(events: list[dict[str, Any]]) -> dict[str, Any]:
    """What the checkpoint at the end signs."""
    said = {key: events[-1][key] for key in ("upto", "head", "time")}
    return {"controller": TO, "journal": "5f3a9c01", **said}


def _chain(made: list[dict[str, Any]], fields: dict[str, Any]) -> None:
    seq = len(made) + 1
    event = {**_MARKS, "id": f"c-01:5f3a9c01:{seq}", "seq": seq, **fields}
    event["prev"] = made[-1]["hash"] if made else chain.START
    event["hash"] = hashlib.sha256(canonical.dumps(event)).hexdigest()
    made.append(event)


def _without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}


def _text(value: dict[str, Any]) -> str:
    return canonical.dumps(value).decode()


def filled(document: str) -> str:
    """`document` with every example's block as it must be."""
    made = examples()
    return BLOCK.sub(lambda found: found[1] + made[found[2]] + found[4], document)


if __name__ == "__main__":
    FILE.write_text(filled(FILE.read_text(encoding="utf-8")), encoding="utf-8")
