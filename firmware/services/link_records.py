"""What the door process and its link tell each other: one JSON object a line, every one checked.

Both ends import this and nothing else of each other. What does not fit is a `LinkRecordError`, and the
end that meets one lets the other go: neither works with what it did not expect.
"""

import json
from typing import Any

LINE_BYTES = 262_144  #: the longest line, its newline included
TOKENS_LIMIT = 4096  #: tokens in one `taken`
READ_BYTES = 65_536  #: read at once

#: Kinds the link takes, and the type of each field.
#: config   first of all: [link] of the board config, root, client id, last will, version that worked
#: send     one message, QoS 1
#: stop     say `offline`, disconnect and end
TO_LINK: dict[str, dict[str, type]] = {
    "config": {"link": dict, "root": str, "client": str, "will": str, "protocol": str},
    "send": {"token": int, "topic": str, "payload": str, "retain": bool},
    "stop": {},
}

#: Kinds the door process takes.
#: up       the broker is there (and which MQTT version it speaks), or gone
#: taken    the broker has taken the messages of these tokens
#: health   one line for people
TO_DOOR: dict[str, dict[str, type]] = {
    "up": {"on": bool, "protocol": str},
    "taken": {"tokens": list},
    "health": {"ok": bool, "text": str},
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
        """The records that `data` completes. Raises `LinkRecordError`."""
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
        if kind == "taken" and not _tokens(record["tokens"]):
            raise LinkRecordError("link: taken without tokens; expected whole numbers")
        return record


def _tokens(tokens: list[Any]) -> bool:
    return len(tokens) <= TOKENS_LIMIT and all(type(token) is int for token in tokens)
