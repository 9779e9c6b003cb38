"""The hash chain of a journal: every event names the one before, so none can vanish or change unseen.

``hash`` is SHA-256 over the event without ``hash`` in canonical form; ``prev`` is the hash of the event
before, 64 zeros for a journal's first.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from firmware.trust import canonical

START = "0" * 64  #: what the first event names as the one before
CHECKPOINT = "system.checkpoint"  #: an event that the controller signs, with all that is before it
CHECKPOINT_EVERY = 1000  #: the longest way from one to the next

_TAIL = len(',"hash":""}') + 64  # of the text that `seal` gives


def hash_of(event: dict[str, Any]) -> str:
    """The hash of a complete event, 64 hex digits. Raises `canonical.CanonicalError`."""
    bare = {key: value for key, value in event.items() if key != "hash"}
    return hashlib.sha256(canonical.dumps(bare)).hexdigest()


def seal(event: dict[str, Any], prev: str) -> str:
    """Complete `event` in place with ``prev`` and ``hash``; the same event as JSON, ready to be stored.

    The text is the canonical form with ``hash`` put last: it was serialised once anyway.
    Raises `canonical.CanonicalError` where the event has no canonical form.
    """
    event.pop("hash", None)
    event["prev"] = prev
    bare = canonical.dumps(event)
    event["hash"] = hashlib.sha256(bare).hexdigest()
    return f'{bare[:-1].decode()},"hash":"{event["hash"]}"}}'


def is_sealed(text: str) -> bool:
    """Whether `text` is still what `seal` gave: its hash is at its end, and right."""
    end = len(text) - _TAIL
    if end <= 0 or not text.startswith(',"hash":"', end) or not text.endswith('"}'):
        return False
    bare = text[:end] + "}"
    return hashlib.sha256(bare.encode("utf-8", "replace")).hexdigest() == text[-66:-2]


def checkpoint(controller: str, journal: str, upto: int, head: str, time: Any) -> dict[str, Any]:
    """What the signature of a checkpoint stands for: the journal up to `upto`, whose hash is `head`.

    controller  site/name
    time        of the checkpoint's own event; None where that has none
    """
    said = {"controller": controller, "journal": journal, "upto": upto, "head": head}
    return said if time is None else {**said, "time": time}


def signer(
    signed: Callable[[dict[str, Any]], dict[str, Any]], controller: str
) -> Callable[[str, int, str, Any], dict[str, str]]:
    """What a journal signs its checkpoints with: (journal, upto, head, time) -> their other fields.

    signed      fields -> the same with ``sig`` (`firmware.trust.identity.Identity.signed`)
    controller  site/name
    """

    def sign(journal: str, upto: int, head: str, time: Any) -> dict[str, str]:
        sig = signed(checkpoint(controller, journal, upto, head, time))["sig"]
        return {"controller": controller, "sig": sig}

    return sign


def verify(events: Iterable[dict[str, Any]]) -> tuple[bool, int | None, str]:
    """Check consecutive events of one journal: (whether all holds, first bad seq, why).

    They may begin anywhere; only from seq 1 on is the beginning itself checked. The seq is None where
    the event does not even carry one.
    """
    before: dict[str, Any] | None = None
    for event in events:
        seq = event.get("seq")
        why = _flaw(event, before)
        if why:
            return False, seq if isinstance(seq, int) else None, why
        before = event
    return True, None, ""


def _flaw(event: dict[str, Any], before: dict[str, Any] | None) -> str:
    seq = event.get("seq")
    if not isinstance(seq, int):
        return "carries no seq"
    if before is None:
        if seq == 1 and event.get("prev") != START:
            return "is a journal's first but names one before"
    elif event.get("journal") != before["journal"]:
        return "is of another journal"
    elif seq != before["seq"] + 1:
        return f"expected seq {before['seq'] + 1}"
    elif event.get("prev") != before["hash"]:
        return "does not name the hash of the event before"
    try:
        matches = event.get("hash") == hash_of(event)
    except canonical.CanonicalError:
        return "has no canonical form"
    return "" if matches else "does not match its hash"
