"""A story drawn from a seed: which building, who lives there, what happens there, and what breaks.

The story is complete before it is run, as the tables of a scenario file; nothing in it depends on what
the controller does. The same seed and hours give the same story.
"""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import hal.board
from hal.errors import BoardConfigError
from sim.soak import key_sets, people
from sim.soak.faults import Faults
from sim.soak.life import Life
from sim.soak.steps import Draft
from sim.soak.story import Tables
from sim.soak.strangers import Strangers

HOUR_MS = 3_600_000
BOARDS = (
    "board_configs/demo-sim.toml",
    "board_configs/demo-sim.toml",
    "board_configs/sim-all-rules.toml",
)

_STARTS = (  # days and hours on which something turns
    "2026-11-21T08:00:00Z",
    "2026-11-22T23:30:00Z",  # Monday 07:30 in Shanghai
    "2026-12-31T15:20:00Z",
    "2027-02-28T15:50:00Z",
    "2027-06-01T00:00:00Z",
    "2028-02-29T11:58:00Z",
)

#: Paths into a board config and values that each may take; one that a board refuses is left out.
_OVERRIDES: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("controller.rtc", (False,)),
    ("controller.timezone", ("Europe/Berlin", "UTC")),
    ("controller.untrusted_time", ("allow", "refuse")),
    ("controller.credential_wrong_attempts", (3, 5)),
    ("portals.front.on_fire", ("latch",)),
    ("portals.front.relock", ("close",)),
    ("portals.yard.relock", ("close",)),
    ("portals.front.mode", ("blocked", "locked_down", "unlocked")),
    ("portals.yard.mode", ("blocked", "locked_down", "locked_open", "unlocked")),
    ("portals.front.release_ms", (1000, 12000)),
    ("portals.yard.release_ms", (1000, 12000)),
    ("portals.front.open_ms", (10000, 20000)),
    ("access_points.front-in.verification", ("card", "pin", "card+pin", "card-or-pin")),
    ("access_points.yard-in.anti_passback", ("soft", "hard", "timed")),
    ("access_points.yard-out.anti_passback", ("soft", "hard")),
    ("access_points.yard-in.two_person", ("any",)),
    ("alarms.fire.reset", ("manual",)),
    ("alarms.siren_max_ms", (20000, 60000)),
    ("alarms.repeat_ms", (60000, 300000)),
    ("alarms.tamper_blocks", ("active", "acknowledged")),
    ("link.host_ack", (True,)),
)


def draw(seed: int, hours: float, board: str | None = None) -> Tables:
    """The story of `seed`: the tables of a scenario file that goes on for `hours`.

    board  str | None  a board config of one's own; None: one of the simulator's, drawn from the seed
    """
    rng = random.Random(f"doorward soak {seed}")
    path = board if board is not None else rng.choice(BOARDS)
    override, config = _board(rng, path)
    start = _start(rng)
    end_ms = round(hours * HOUR_MS)
    tables: Tables = {
        "board": path,
        "start": start.isoformat().replace("+00:00", "Z"),
        "end_ms": end_ms,
        "override": override,
        "person": people.draw(rng, config, start, hours),
    }
    draft = Draft(rng, config, tables, end_ms)
    Life(draft).live()
    Faults(draft).strike()
    draft.rng = random.Random(f"doorward soak strangers {seed}")
    Strangers(draft).strike()
    draft.rng = random.Random(f"doorward soak key sets {seed}")
    key_sets.draw(draft)
    tables["step"] = draft.sorted()
    return tables


def _board(rng: random.Random, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    override: dict[str, Any] = {}
    config = hal.board.load(path)
    for _ in range(rng.choice((0, 0, 1, 2, 4))):
        where, values = rng.choice(_OVERRIDES)
        tried = {**override, where: rng.choice(values)}
        try:
            config = hal.board.load(path, tried)
        except BoardConfigError:
            continue
        override = tried
    return override, config


def _start(rng: random.Random) -> datetime:
    start = datetime.fromisoformat(rng.choice(_STARTS).replace("Z", "+00:00"))
    if rng.random() < 0.6:
        start = datetime(2026, 11, 20, tzinfo=UTC) + timedelta(seconds=rng.randrange(86400 * 400))
    return start
