"""Whatever stands in a board config, it becomes a board, or lines of what is wrong: never anything else.

``FUZZ_EXAMPLES`` sets how many examples each test tries, new ones each time; without it the same few.
"""

import datetime
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.access.credential import Rights
from firmware.runtime.wiring import Wiring
from hal import (
    board,
    board_policy,
    board_schema,
    board_states,
    board_tests,
    board_wires,
    board_wiring,
)
from hal.errors import BoardConfigError

ROOT = Path(__file__).parents[2]
RULES = str(ROOT / "board_configs/sim-all-rules.toml")

EXAMPLES = os.environ.get("FUZZ_EXAMPLES")
fuzz = settings(
    max_examples=int(EXAMPLES or 300),
    deadline=None,
    derandomize=EXAMPLES is None,  # the same ones at every test run, new ones when hunting
)

#: Where something may stand: every section, every name of the building, every key there is, some rows.
_SECTIONS: dict[str, list[str]] = {
    "controller": list(board_schema.CONTROLLER),
    "portals.front": list(board_schema.PORTAL),
    "portals.yard": list(board_schema.PORTAL),
    "access_points.front-in": list(board_schema.ACCESS_POINT),
    "access_points.yard-out": list(board_schema.ACCESS_POINT),
    "areas.house": list(board_policy.AREA),
    "areas.front": list(board_policy.AREA),
    "interlocks.entrance": list(board_policy.INTERLOCK),
    "levels.staff": list(board_policy.LEVEL),
    "schedules.night": list(board_schema.SCHEDULE),
    "partitions.cellar": list(board_policy.PARTITION),
    "automation.panic": list(board_policy.AUTOMATION),
    "alarms": [*board_schema.ALARMS, "meters-motion"],
    "alarms.meters-motion": list(board_schema.ALARM_POINT),
    "link": list(board_schema.LINK),
    "devices.front-strike": list(board_wiring.fields("lock")),
    "devices.front-reader": list(board_wiring.fields("wiegand_reader")),
    "devices.yard-magnet": list(board_wiring.fields("lock")),
    "relay_board": list(board_wiring.RELAY_BOARD),
}
PLACES = [
    *_SECTIONS,
    *(f"{section}.{key}" for section, keys in _SECTIONS.items() for key in keys),
    *(path.partition(".")[0] for path in _SECTIONS),
    "supplies",
    "cables",
    "holidays",
    "schema",
    "board",
    "",
    "automation.panic.do.output",
    "automation.panic.when.class",
    "automation.panic.if",
]
HUGE = "9" * 50 + "..."  #: stands for a number that Python itself does not write out
_WORDS = st.sampled_from(
    [
        "front",
        "yard",
        "house",
        "cellar",
        "meters-motion",
        "night",
        "day",
        "staff",
        "lamp",
        "front-strike",
    ]
    + ["locked", "unlocked", "card+pin", "hard", "alarm", "disarm", "302", "*", "portal.mode"]
    + ["2027-02-01T00:00", "2027-02-09T00:00", "2027-01-01", "04:00", "daily 00:00-24:00"]
    + ["alarm.raised", "intrusion", "panic", "a\nb", "\u2028", "é", "x" * 200]
)
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([HUGE, 1 << 70]),
    st.floats(),
    _WORDS,
    st.text(max_size=8),
    st.dates(),
    st.times(),
    st.datetimes(timezones=st.none() | st.just(datetime.UTC)),
)
_KEYS = st.sampled_from(
    ["schedule", "verification", "access_point", "deny", "from", "to", "keys", "type", "class"]
    + ["portal", "mode", "portals", "output", "for_ms", "alarm", "point", "area", "empty", "hours"]
    + ["points", "delayed", "rights", "partition", "armed", "en", "zh", "driver", "line", "x\ny"]
)
VALUES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(_KEYS | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


def _grown(value: Any) -> Any:
    """`value` with the number that `HUGE` stands for."""
    if isinstance(value, list):
        return [_grown(item) for item in value]
    if isinstance(value, dict):
        return {key: _grown(item) for key, item in value.items()}
    return 10**5000 if value == HUGE else value


def _lines_or_config(path: str, override: dict[str, object] | None = None) -> None:
    """Load it: a config that the controller can take, or problems that are one printable line each."""
    problems: list[str] = []
    try:
        config = board.load(path, override)
    except BoardConfigError as error:
        problems = error.problems
    if not problems:
        json.dumps(config)  # a microcontroller gets it as JSON
        board.warnings(config)
        assert board.claims(config)
        assert board_wires.wires(config)
        assert all(board_states.table(config, portal) for portal in config["portals"])
        assert all(
            board_tests.sentence(config, one, lang)
            for one in board_tests.tests(config)
            for lang in board_tests.LANGUAGES
        )
        assert Wiring(config).rights(Rights({}, {}, [], False, False))
        assert Wiring(config).plan()
    for line in problems:
        assert line.startswith(f"{path}: ")
        assert line.isprintable(), line
        assert line.count(": ") >= 2, line


@fuzz
@given(changes=st.dictionaries(st.sampled_from(PLACES), VALUES, min_size=1, max_size=5))
def test_any_value_anywhere_gives_lines_or_a_config(changes: dict[str, object]) -> None:
    _lines_or_config(RULES, _grown(changes))


@fuzz
@given(data=st.data())
def test_any_words_in_the_place_of_words_give_lines_or_a_config(data: st.DataObject) -> None:
    """Mostly right configs: a word of the building in place of another reaches the rules behind types."""
    places = data.draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=6, unique=True))
    _lines_or_config(RULES, {place: data.draw(_WORDS | st.lists(_WORDS)) for place in places})


@fuzz
@given(
    cut=st.integers(0, 20_000),
    put=st.binary(max_size=12) | st.sampled_from([b"9" * 5000, b"[", b"[[", b'"', b"'''", b"= {"]),
    drop=st.integers(0, 40),
)
def test_any_bytes_in_the_file_give_lines_or_a_config(
    tmp_path_factory: pytest.TempPathFactory, cut: int, put: bytes, drop: int
) -> None:
    text = Path(RULES).read_bytes()
    place = cut % len(text)
    path = tmp_path_factory.getbasetemp() / "fuzzed.toml"
    path.write_bytes(text[:place] + put + text[place + drop :])
    _lines_or_config(str(path))


@pytest.mark.parametrize(
    ("number", "place", "line"),
    [
        ("9" * 5000, "portals.front.egress_ms", "line {n}: a number of thousands of digits; "),
        ("0x" + "f" * 5000, "portals.front.egress_ms",
         "portals.front.egress_ms: a number of thousands of digits is not allowed; expected "),
        ("-" + "9" * 4301, "portals.front.egress_ms", "line {n}: a number of thousands of digits; "),
    ],
)  # fmt: skip
def test_a_number_of_thousands_of_digits_is_one_line(
    tmp_path: Path, number: str, place: str, line: str
) -> None:
    section, _, key = place.rpartition(".")
    text = Path(RULES).read_text().replace(f"[{section}]", f"[{section}]\n{key} = {number}", 1)
    path = tmp_path / "digits.toml"
    path.write_text(text)
    with pytest.raises(BoardConfigError) as caught:
        board.load(str(path))
    at = text[: text.index(f"{key} = {number}")].count("\n") + 1
    (problem,) = caught.value.problems
    assert problem.startswith(f"{path}: {line.format(n=at)}")


def test_what_is_nested_deeper_than_anything_written_by_hand_is_one_line(tmp_path: Path) -> None:
    deep = "lock" + ".x" * 3000 + " = 1"
    text = Path(RULES).read_text().replace('lock = "front-strike"', deep)
    assert deep in text
    path = tmp_path / "deep.toml"
    path.write_text(text)
    with pytest.raises(BoardConfigError) as caught:
        board.load(str(path))
    assert any(
        "portals.front.lock: a value that is nested too deep is not allowed" in line
        for line in caught.value.problems
    )


def test_a_file_full_of_unknown_names_is_told_soon_and_not_without_end(tmp_path: Path) -> None:
    path = tmp_path / "long.toml"
    path.write_text("".join(f"key-{n} = 1\n" for n in range(60_000)))
    with pytest.raises(BoardConfigError) as caught:
        board.load(str(path))
    assert len(caught.value.problems) == 1000
