"""What is read of a signed message before anybody decides of it, and what is signed in answer. No I/O."""

import hashlib
from collections.abc import Callable
from typing import Any

from firmware.runtime.command_gate import Signed
from firmware.trust import canonical, envelope, sealing, signing
from firmware.trust.identity import Identity

TEXT_LIMIT = 1000  #: characters of a reply's message


def examine(
    payload: bytes,
    key_of: Callable[[object], str | None],
    identity: Identity,
    to: str,
) -> Signed:
    """What `payload` says and by whom: slow, and safe with anything. Raises `envelope.Flaw`.

    key_of  callable  name -> its public key (base64), or None; asked in the caller's thread
    """
    fields = envelope.read(payload)
    digest = hashlib.sha256(payload).hexdigest()
    known = key_of(fields.get("by"))
    if known is None or not signing.is_signed(fields, signing.key_bytes(known)):
        return Signed(fields, digest, None, None, "")
    if "reply_key" in fields and not _can_seal(fields["reply_key"]):
        return Signed(fields, digest, known, None, "reply_key is no key; expected an X25519 key")
    if "sealed" not in fields:
        args = fields.get("args")
        return Signed(fields, digest, known, args if isinstance(args, dict) else None, "")
    try:
        plain = identity.unseal(fields["sealed"], sealing.belongs_to(str(fields.get("id")), to))
        return Signed(fields, digest, known, envelope.read(plain), "")
    except sealing.SealError:
        text = "sealed cannot be opened; expected HPKE to this controller's key"
        return Signed(fields, digest, known, None, text)
    except envelope.Flaw as flaw:
        return Signed(fields, digest, known, None, f"sealed {flaw}")


def _can_seal(reply_key: object) -> bool:
    """Whether an answer could be sealed to it: found out before anything is done."""
    try:
        sealing.seal(b"", signing.key_bytes(reply_key), b"")
    except ValueError:
        return False
    return True


def reply(
    identity: Identity,
    id: str,
    to: str,
    ok: bool,
    answer: Any,
    reply_key: str | None = None,
) -> str:
    """The signed answer to command `id`, as it goes onto its topic.

    answer     a result (JSON), or (code, message)
    reply_key  where the result carries a number: the X25519 key that it is sealed to

    Raises `sealing.SealError`, `canonical.CanonicalError`.
    """
    made: dict[str, Any] = {"id": id, "ok": ok}
    if not ok:
        code, message = answer
        made["error"] = {"code": code, "message": message[:TEXT_LIMIT]}
    elif reply_key is None:
        made["result"] = answer
    else:
        plain = canonical.dumps(answer)
        belongs = sealing.belongs_to(id, to)
        made["sealed"] = sealing.seal(plain, signing.key_bytes(reply_key), belongs)
    return canonical.dumps(identity.signed(made)).decode()
