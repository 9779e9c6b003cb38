"""`firmware.services.link_records`: whole records come through, anything else is refused."""

import base64
import json
import random

import pytest

from firmware.services.link_records import (
    LINE_BYTES,
    PAYLOAD_BYTES,
    TO_DOOR,
    TO_LINK,
    Lines,
    LinkRecordError,
    encode,
)

SEND = {"kind": "send", "token": 5, "topic": "a/b", "payload": '{"zh":"大门"}\n', "retain": True}


def _line(record: object) -> bytes:
    return json.dumps(record).encode() + b"\n"


def _send(payload: str) -> bytes:
    return encode("send", token=1, topic="t", payload=payload, retain=False)


def _message(**changed: object) -> bytes:
    fields = {
        "token": 1,
        "topic": "command",
        "payload": "",
        "retained": False,
        "flaw": "",
        "again": False,
        "number": 7,
    }
    return _line({"kind": "message", **fields, **changed})


def test_the_longest_message_comes_through_as_the_bytes_it_was() -> None:
    payload = bytes(range(256)) * (PAYLOAD_BYTES // 256)
    line = _message(payload=base64.b64encode(payload).decode())
    assert Lines(TO_DOOR).feed(line)[0]["payload"] == payload


def test_records_come_through_whole_however_they_are_torn() -> None:
    data = encode("send", token=5, topic="a/b", payload='{"zh":"大门"}\n', retain=True) * 20
    cuts = random.Random(1)
    for _ in range(50):
        lines = Lines(TO_LINK)
        seen = []
        rest = data
        while rest:
            size = cuts.randint(1, 200)
            seen += lines.feed(rest[:size])
            rest = rest[size:]
        assert seen == [SEND] * 20


def test_text_that_is_no_unicode_is_sent_as_question_marks() -> None:
    line = encode("health", ok=False, text="a\ud800b")
    assert Lines(TO_DOOR).feed(line)[0]["text"] == "a?b"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"\n", "link: a line that is no JSON; expected a record"),
        (b"\xff\xfe\n", "link: a line that is no JSON; expected a record"),
        (b"[" * 100_000 + b"\n", "link: a line that is no JSON; expected a record"),
        (_line([1]), "link: a line that is no object; expected a record"),
        (
            _line({}),
            "link: a record of unknown kind; expected one of up, taken, message, health, choked, beat",
        ),
        (
            _line({"kind": []}),
            "link: a record of unknown kind; expected one of up, taken, message, health, choked, beat",
        ),
        (
            _line(SEND),
            "link: a record of unknown kind; expected one of up, taken, message, health, choked, beat",
        ),
        (
            _line({"kind": "health", "ok": True}),
            "link: health with other fields; expected ok, text",
        ),
        (
            _line({"kind": "health", "ok": 1, "text": ""}),
            "link: health with other fields; expected ok, text",
        ),
        (
            _line({"kind": "taken", "tokens": [1], "more": 1}),
            "link: taken with other fields; expected tokens",
        ),
        (
            _line({"kind": "taken", "tokens": [True]}),
            "link: taken without tokens; expected whole numbers",
        ),
        (
            _line({"kind": "taken", "tokens": [1] * 5000}),
            "link: taken without tokens; expected whole numbers",
        ),
        (
            _line({"kind": "up", "on": True, "protocol": "4"}),
            "link: up with no version; expected one of 5, 3.1.1",
        ),
        (
            _line({"kind": "health", "ok": True, "text": "fine\nlink: a line of another's"}),
            "link: health that is no line; expected at most 1000 printable characters",
        ),
        (
            _message(topic="event"),
            "link: a message on no topic of ours; expected one of command, stored",
        ),
        (_message(payload="e3"), "link: a message that is no base64; expected its payload"),
        (
            _message(payload="A" * ((PAYLOAD_BYTES // 3 + 1) * 4)),
            "link: a message of 262146 bytes; expected at most 262144",
        ),
        (
            _message(payload="e30=", flaw="too_long"),
            "link: a flaw with a payload; expected the one or the other",
        ),
        (
            _message(flaw="a\nb"),
            "link: a flaw that is no line; expected at most 200 printable characters",
        ),
    ],
)
def test_what_is_no_record_is_refused_with_one_line(line: bytes, text: str) -> None:
    with pytest.raises(LinkRecordError) as refused:
        Lines(TO_DOOR).feed(line)
    assert str(refused.value) == text


def test_a_line_may_be_as_long_as_the_limit_and_no_longer() -> None:
    empty = len(_send(""))
    longest = _send("x" * (LINE_BYTES - empty))
    assert len(longest) == LINE_BYTES
    assert len(Lines(TO_LINK).feed(longest)) == 1
    with pytest.raises(LinkRecordError, match="a send of 393217 bytes; expected at most 393216"):
        _send("x" * (LINE_BYTES - empty + 1))
    with pytest.raises(LinkRecordError, match="a line of 393216 bytes"):
        Lines(TO_LINK).feed(b" " + longest)
    with pytest.raises(LinkRecordError, match="a line without end"):
        Lines(TO_DOOR).feed(b"x" * LINE_BYTES)


def test_random_bytes_end_in_records_or_a_refusal() -> None:
    chance = random.Random(2)
    good = encode("up", on=True, protocol="5") + encode("taken", tokens=[1, 2])
    for _ in range(2000):
        data = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            records = Lines(TO_DOOR).feed(bytes(data))
        except LinkRecordError:
            records = []
        assert all(record["kind"] in TO_DOOR for record in records)
