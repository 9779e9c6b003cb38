"""What the door process and its link tell each other: one JSON object a line, every one checked.

Both ends import this and nothing else of each other. What does not fit is a `LinkRecordError`, and the
end that meets one lets the other go: neither works with what it did not expect.
"""

import base64
import binascii
import json
from typing import Any

PAYLOAD_BYTES = 262_144  #: the longest message that is handed to the door (CONTRACT.md, section 3)
LINE_BYTES = 393_216  #: the longest line, its newline included: such a payload in base64 fits
TOKENS_LIMIT = 4096  #: tokens in one `taken`
TEXT_CHARS = 1000  #: in one line for people
FLAW_CHARS = 200
READ_BYTES = 65_536  #: read at once

COMMAND = "command"
STORED = "stored"
TOPICS = (COMMAND, STORED)  #: what we hear, below the root
PROTOCOLS = ("5", "3.1.1")

#: What people are told when messages kept at the broker end one connection or process after the other.
DROPPING = (
    "link: what the broker keeps for this controller makes no sense; "
    "expected messages; having it dropped"
)
TOO_LONG = "too_long"  #: the flaw of a message of more than `PAYLOAD_BYTES`

#: Kinds the link takes, and the type of each field.
#: config   first of all: [link] of the board config, root, client id, last will, version that worked,
#:          whether to have the broker drop what it kept for us
#: send     one message, QoS 1
#: heard    the message of that token is dealt with
#: stop     say `offline`, disconnect and end
TO_LINK: dict[str, dict[str, type]] = {
    "config": {
        "link": dict,
        "root": str,
        "client": str,
        "will": str,
        "protocol": str,
        "clean": bool,
    },
    "send": {"token": int, "topic": str, "payload": str, "retain": bool},
    "heard": {"token": int},
    "stop": {},
}

#: Kinds the door process takes.
#: up       the broker is there (and which MQTT version it speaks), or gone
#: taken    the broker has taken the messages of these tokens
#: message  came on a topic of ours: base64, or nothing but a flaw; no other of its topic until `heard`;
#:          whether the broker says that it has sent it before, and its message id
#: health   one line for people
#: choked   the link ends, because what the broker sent does not fit
TO_DOOR: dict[str, dict[str, type]] = {
    "up": {"on": bool, "protocol": str},
    "taken": {"tokens": list},
    "message": {
        "token": int,
        "topic": str,
        "payload": str,
        "retained": bool,
        "flaw": str,
        "again": bool,
        "number": int,
    },
    "health": {"ok": bool, "text": str},
    "choked": {},
    "beat": {},
}


class LinkRecordError(ValueError):
    """The other end of the channel said what it never says; let it go."""


def encode(kind: str, **fields: Any) -> bytes:
    """One line. Raises `LinkRecordError` if it would be longer than `LINE_BYTES`."""
    fields["kind"] = kind
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    line = text.encode("utf-8", "replace") + b"\n"
    if len(line) > LINE_BYTES:
        raise LinkRecordError(f"link: a {kind} of {len(line)} bytes; expected at most {LINE_BYTES}")
    return line


class Lines:
    """Cuts what was read into records of the given kinds."""

    def __init__(self, kinds: dict[str, dict[str, type]]) -> None:
        self._kinds = kinds
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """The records that `data` completes; a message's payload is bytes. Raises `LinkRecordError`."""
        self._rest += data
        *lines, rest = self._rest.split(b"\n")
        if len(rest) >= LINE_BYTES:
            raise LinkRecordError(f"link: a line without end; expected at most {LINE_BYTES} bytes")
        self._rest = rest
        return [self._record(line) for line in lines]

    def _record(self, line: bytearray) -> dict[str, Any]:
        if len(line) >= LINE_BYTES:
            raise LinkRecordError(
                f"link: a line of {len(line)} bytes; expected at most {LINE_BYTES}"
            )
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            # What it was is not repeated: it could hold anything.
            raise LinkRecordError("link: a line that is no JSON; expected a record") from None
        if not isinstance(record, dict):
            raise LinkRecordError("link: a line that is no object; expected a record")
        kind = record.get("kind")
        fields = self._kinds.get(kind) if isinstance(kind, str) else None
        if fields is None:
            raise LinkRecordError(
                f"link: a record of unknown kind; expected one of {', '.join(self._kinds)}"
            )
        if record.keys() - {"kind"} != fields.keys() or any(
            type(record[name]) is not form for name, form in fields.items()
        ):
            raise LinkRecordError(f"link: {kind} with other fields; expected {', '.join(fields)}")
        if kind in _CHECKS:
            _CHECKS[kind](record)
        return record


def _check_taken(record: dict[str, Any]) -> None:
    tokens = record["tokens"]
    if len(tokens) > TOKENS_LIMIT or any(type(token) is not int for token in tokens):
        raise LinkRecordError("link: taken without tokens; expected whole numbers")


def _check_up(record: dict[str, Any]) -> None:
    if record["protocol"] not in PROTOCOLS:
        raise LinkRecordError(f"link: up with no version; expected one of {', '.join(PROTOCOLS)}")


def _check_health(record: dict[str, Any]) -> None:
    if not _is_line(record["text"], TEXT_CHARS):
        raise LinkRecordError(
            f"link: health that is no line; expected at most {TEXT_CHARS} printable characters"
        )


def _check_message(record: dict[str, Any]) -> None:
    if record["topic"] not in TOPICS:
        raise LinkRecordError(
            f"link: a message on no topic of ours; expected one of {', '.join(TOPICS)}"
        )
    try:
        payload = base64.b64decode(record["payload"], validate=True)
    except (binascii.Error, ValueError):
        raise LinkRecordError("link: a message that is no base64; expected its payload") from None
    if len(payload) > PAYLOAD_BYTES:
        raise LinkRecordError(
            f"link: a message of {len(payload)} bytes; expected at most {PAYLOAD_BYTES}"
        )
    if not _is_line(record["flaw"], FLAW_CHARS):
        raise LinkRecordError(
            f"link: a flaw that is no line; expected at most {FLAW_CHARS} printable characters"
        )
    if record["flaw"] and payload:
        raise LinkRecordError("link: a flaw with a payload; expected the one or the other")
    record["payload"] = payload


def _is_line(text: str, limit: int) -> bool:
    return len(text) <= limit and text.isprintable()


_CHECKS = {
    "taken": _check_taken,
    "up": _check_up,
    "health": _check_health,
    "message": _check_message,
}
