"""People beside the demo's: every kind of key, some of which begin or end while the story is told."""

import random
from datetime import datetime, timedelta
from typing import Any

_HOURS = (
    ["mon-fri 08:00-12:00"],
    ["daily 06:00-22:00"],
    ["daily 22:00-06:00"],
    ["sat 09:00-12:00"],
)


def draw(
    rng: random.Random, config: dict[str, Any], start: datetime, hours: float
) -> list[dict[str, Any]]:
    """``[[person]]`` tables."""
    tables = []
    pins = rng.sample(range(100000, 999999), 24)
    for number in range(rng.randrange(2, 9)):
        person: dict[str, Any] = {"name": f"guest-{number}"}
        kind = rng.random()
        facility, card = rng.choice((12, 99)), 20000 + number
        if kind < 0.75 or number == 0:
            person["card"] = f"w26:{facility:03d}:{card:05d}"
        elif kind < 0.85:
            person["card"] = f"uid:04A1B2{number:02X}C3D4E5"[:18]
        if rng.random() < 0.6 or "card" not in person:
            person["pin"] = str(pins[2 * number])
            if rng.random() < 0.4:
                person["duress_pin"] = str(pins[2 * number + 1])
        if rng.random() < 0.15:
            person["duress_card"] = f"w26:{facility:03d}:{card + 500:05d}"
        if rng.random() < 0.25:
            person["qr"] = f"GUEST-{number}-{rng.randrange(10**8):08d}"
        _limits(rng, person, config, start, hours)
        tables.append(person)
    return tables


def _limits(
    rng: random.Random,
    person: dict[str, Any],
    config: dict[str, Any],
    start: datetime,
    hours: float,
) -> None:
    if rng.random() < 0.3:
        person["valid_to"] = _second(start, rng.uniform(-0.1, 1.0) * hours * 3600)
    if rng.random() < 0.15 and "valid_to" not in person:
        person["valid_from"] = _second(start, rng.uniform(0.0, 1.0) * hours * 3600)
    if rng.random() < 0.15:
        person["uses"] = rng.randrange(1, 4)
    if rng.random() < 0.1:
        person["first_use_minutes"] = rng.choice((1, 10, 60))
    if rng.random() < 0.2:
        person["hours"] = rng.choice(_HOURS)
    if rng.random() < 0.2:
        person["access_points"] = rng.sample(sorted(config["access_points"]), 1)
    if rng.random() < 0.1:
        person["deny"] = rng.sample(sorted(config["access_points"]), 1)
    if rng.random() < 0.2:
        person["state"] = rng.choice(("suspended", "lost", "cancelled"))
    for flag, chance in (("extended", 0.15), ("override", 0.1), ("acknowledges", 0.1)):
        if rng.random() < chance:
            person[flag] = True


def _second(start: datetime, after_s: float) -> str:
    return (start + timedelta(seconds=round(after_s))).isoformat().replace("+00:00", "Z")
