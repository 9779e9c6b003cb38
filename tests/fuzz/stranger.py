"""Everything that a stranger, or somebody with a key and bad intentions, could put onto our topics."""

import base64
import json
from typing import Any, NamedTuple

from hypothesis import strategies as st

from firmware.runtime.operators import OPS
from firmware.trust import order, sealing, signing

OWNER = "op-demo"
FRIEND = "op-friend"  #: a caretaker
HOST = "host-1"
GONE = "op-gone"  #: revoked
STRANGER = "op-nobody"
SIGNERS = (OWNER, FRIEND, HOST, GONE, STRANGER)
TO = "sunrise/c-01"


class Sent(NamedTuple):
    """One message: `signer` whose key signs `fields` when the time is known, or `raw` as it is.

    shift_s    from now to `issued`
    unsigned   the signature is somebody's, over something else
    plain      what is sealed; None: nothing is, or garbage that stands in `fields`
    garbled    so many characters of what is sealed are missing
    times      how often the very same bytes come
    """

    topic: str
    raw: bytes | None
    fields: dict[str, Any]
    signer: str
    shift_s: int
    unsigned: bool
    retained: bool
    plain: Any
    garbled: int
    times: int


# ---- what is no message at all ---------------------------------------------------------------------

texts = st.text(max_size=40)
numbers = st.one_of(
    st.integers(-5, 70),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from((2**53 - 1, 2**53, -(2**53), 1e308, True, False)),
)
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), numbers, texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.text(max_size=12), inner, max_size=5)
    ),
    max_leaves=12,
)
tables = st.dictionaries(st.text(max_size=12), values, max_size=6)


def _deep(depth: int, opening: str, closing: str, core: str) -> bytes:
    return (opening * depth + core + closing * depth).encode()


raw = st.one_of(
    st.binary(max_size=300),
    values.map(lambda value: json.dumps(value).encode()),
    texts.map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.builds(
        _deep,
        st.sampled_from((1, 15, 16, 17, 18, 500, 100_000)),
        st.sampled_from(('{"a":', "[", '{"a":[')),
        st.sampled_from(("}", "]", "]}", "")),
        st.sampled_from(("1", "", '"]"', "null")),
    ),
    st.sampled_from(
        (
            b"",
            b"null",
            b"{}",
            b"[]",
            b'"text"',
            b"\xff\xfe{\x00}\x00",
            b"\xef\xbb\xbf{}",
            b'{"id":1,"id":2}',
            b'{"a":{"b":1,"b":1}}',
            b'{"by":NaN}',
            b'{"by":Infinity}',
            b'{"by":1e999}',
            b'{"n":' + b"9" * 5000 + b"}",
            b'{"n":-' + b"9" * 400 + b"}",
            b'{"n":0.' + b"1" * 100_000 + b"}",
            b'{"by":"\\ud800"}',
            b'{"\\udfff":1}',
            b'{"by":"op-demo","by":"op-demo"}',
            b'{"a":1}' + b" " * 262_144,
            b" " * 300_000,
            b'{"a":"' + b"x" * 262_137 + b'"}',
            b"{" * 300_000,
        )
    ),
)

# ---- signed nonsense -------------------------------------------------------------------------------

ids = st.one_of(
    st.integers(0, 5).map(lambda number: f"{number:032x}"),  # so few that they come again
    st.text("0123456789abcdef", min_size=32, max_size=32),
    st.sampled_from(("", "0" * 31, "0" * 33, "A" * 32, "../reply", "#", "+", "a/b" * 10)),
    values,
)
portals = st.sampled_from(("front", "yard", "Front", "", "*", "controller"))
names = st.one_of(
    portals,
    st.sampled_from(("front-in", "lobby-panic", "fire", "siren", "day", "tenant", OWNER, FRIEND)),
)
pieces = st.one_of(
    names,
    values,
    st.sampled_from(
        (
            *("locked", "blocked", "locked_open", "tamper", "fire", "duress", "owner", "host"),
            *("2026-11-21T08:15:00Z", "2026-11-21T23:59:60Z", "9999-99-99T99:99:99Z"),
            *("2026-11-21T08:00", "1970-01-01T00:00:00Z", "mon-fri 08:00-18:00"),
            base64.b64encode(bytes(32)).decode(),
        )
    ),
    st.sampled_from((1, 1001, 1002, 2**53 - 1, 2**53)),
)
KNOWN = (
    *("portal", "mode", "point", "class", "until", "partition", "from", "to", "keys", "area"),
    *("holder", "credential", "utc", "schedule", "hours", "holidays", "level", "rights", "upsert"),
    *("remove", "operator", "role", "public_key", "revoked", "from_seq", "to_seq", "config"),
)
args = st.one_of(
    values,
    st.dictionaries(st.sampled_from(KNOWN), pieces, max_size=4),
    st.dictionaries(
        st.sampled_from(KNOWN), st.one_of(st.lists(tables, max_size=3), tables), max_size=3
    ),
    st.dictionaries(
        st.just("credential"),
        st.dictionaries(
            st.sampled_from(("id", "holder", "cards", "pin", "version", "state", "uses", "levels")),
            pieces,
            max_size=5,
        ),
        max_size=1,
    ),
)
ops = st.one_of(st.sampled_from(OPS), st.sampled_from(("", "stored", "portal", "__init__")), values)
#: What stands in place of what a host would say; a field that is `DROPPED` is left out.
DROPPED = "\x00dropped"
changes = st.fixed_dictionaries(
    {},
    optional={
        "v": st.one_of(st.just(DROPPED), values),
        "id": st.one_of(st.just(DROPPED), ids),
        "to": st.one_of(st.just(DROPPED), st.just("sunrise/c-02"), values),
        "by": st.one_of(st.just(DROPPED), st.sampled_from(SIGNERS), values),
        "issued": st.one_of(st.just(DROPPED), pieces),
        "expires": st.one_of(st.just(DROPPED), pieces),
        "n": st.one_of(st.just(DROPPED), numbers, values),
        "nonce": values,
        "reply_key": st.one_of(values, st.just(base64.b64encode(bytes(32)).decode())),
        "sealed": values,
        "args": st.one_of(st.just(DROPPED), args),
        "colour": values,
    },
)


def _sent(topic: str) -> st.SearchStrategy[Sent]:
    stored = st.fixed_dictionaries(
        {},
        optional={
            "journal": st.one_of(st.just(DROPPED), values),
            "seq": st.one_of(st.just(DROPPED), numbers, values),
            "hash": st.one_of(st.just(DROPPED), st.just("0" * 64), values),
            "to": st.one_of(st.just(DROPPED), values),
            "by": st.one_of(st.just(DROPPED), st.sampled_from(SIGNERS), values),
            "colour": values,
        },
    )
    asked = st.builds(
        lambda op, given, changed: {"op": op, "args": given, **changed}, ops, args, changes
    )
    return st.builds(
        Sent,
        st.just(topic),
        st.one_of(st.none(), st.none(), raw),
        asked if topic == "command" else st.one_of(stored, asked),
        st.sampled_from(SIGNERS),
        st.sampled_from((0, 0, 0, -20, -31, -86400, 59, 61, 10**7)),
        st.booleans() if topic == "stored" else st.sampled_from((False, False, False, True)),
        st.sampled_from((False,) * 7 + (True,)),
        st.one_of(st.none(), args),
        st.sampled_from((0, 0, 0, 1, 40)),
        st.sampled_from((1, 1, 1, 2, 30)),
    )


messages = st.lists(st.one_of(_sent("command"), _sent("command"), _sent("stored")), max_size=12)


class Tables(NamedTuple):
    """What a message is made with, at the moment when it is sent."""

    seeds: dict[str, bytes]
    seal_key: bytes
    now: str
    later: str
    n: int
    head: dict[str, Any]


def payload(sent: Sent, known: Tables) -> bytes:
    """The bytes of a message. What has no canonical form, and so no signature, goes as it is."""
    if sent.raw is not None:
        return sent.raw
    if sent.topic == "command":
        made: dict[str, Any] = {"v": 1, "id": f"{known.n:032x}", "to": TO, "by": sent.signer}
        made.update(issued=known.now, expires=known.later, n=known.n)
    else:
        made = {"to": TO, "by": sent.signer, **known.head}
    made.update(sent.fields)
    made = {key: value for key, value in made.items() if value != DROPPED}
    if sent.topic == "command" and sent.plain is not None:
        made.pop("args", None)
        plain = json.dumps(sent.plain).encode()
        belongs = sealing.belongs_to(str(made.get("id")), TO)
        text = sealing.seal(plain, known.seal_key, belongs)
        made["sealed"] = text[: len(text) - sent.garbled]
    try:
        over = {**made, "more": 1} if sent.unsigned else made
        made["sig"] = signing.sign(over, known.seeds[sent.signer])
        return order.text(made)
    except ValueError:
        return json.dumps(made).encode()
