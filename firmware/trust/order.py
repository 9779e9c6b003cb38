"""Makes a signed command (CONTRACT.md, section 3) and opens its reply: what a host and the simulator do."""

import json
from typing import Any

from firmware.trust import canonical, sealing, signing

#: Ops whose arguments are sealed; also every op that begins with ``credential.``.
SEALED = ("operator.set", "config.apply", "intercom.directory")

RELEASE_MS = 60_000  #: the longest life of a `portal.release`
LIFE_MS = 86_400_000  #: and of any other


def is_sealed(op: str) -> bool:
    """Whether the arguments of `op` must be sealed."""
    return op.startswith("credential.") or op in SEALED


def make(
    op: str,
    args: dict[str, Any],
    *,
    id: str,
    to: str,
    by: str,
    seed: bytes,
    issued: str,
    expires: str,
    seal_key: bytes | None = None,
    n: int | None = None,
    nonce: str | None = None,
    reply_key: str | None = None,
) -> dict[str, Any]:
    """A signed command, ready to be sent as JSON.

    id         32 lower-case hex digits, never used before
    to         site/controller
    by, seed   the operator, and its Ed25519 seed
    issued, expires   UTC, such as 2026-11-21T08:15:00Z
    seal_key   the controller's ``public_key.seal``, needed where `is_sealed`
    n          rises with every command of this operator
    nonce      that of the controller's `status`, where the clocks may differ
    reply_key  X25519, base64: the reply's result is sealed to it

    Raises `firmware.trust.sealing.SealError`, `firmware.trust.canonical.CanonicalError`.
    """
    made: dict[str, Any] = {"v": 1, "id": id, "to": to, "op": op, "by": by}
    made.update(issued=issued, expires=expires)
    given = {"n": n, "nonce": nonce, "reply_key": reply_key}
    made.update({key: value for key, value in given.items() if value is not None})
    if is_sealed(op):
        if seal_key is None:
            raise sealing.SealError(f"{op}: no key to seal to; expected the controller's")
        plain = json.dumps(args, ensure_ascii=False).encode()
        made["sealed"] = sealing.seal(plain, seal_key, sealing.belongs_to(id, to))
    else:
        made["args"] = args
    made["sig"] = signing.sign(made, seed)
    return made


def acknowledgement(
    *, to: str, journal: str, seq: int, hash: str, by: str, seed: bytes
) -> dict[str, Any]:
    """A host's signed word for the topic `stored`: it has every record up to and including `seq`."""
    made = {"to": to, "journal": journal, "seq": seq, "hash": hash, "by": by}
    return {**made, "sig": signing.sign(made, seed)}


def text(command: dict[str, Any]) -> bytes:
    """A command or an acknowledgement as it goes onto the topic: canonical JSON."""
    return canonical.dumps(command)
