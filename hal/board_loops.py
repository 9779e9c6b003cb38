"""A supervised loop's thresholds from the resistors that were fitted.

The board pulls the loop up through `pull_up_ohm`; at the contact one resistor stands in series and one across
the contact. In permille of the supply: a short is 0, closed ``series / (series + pull_up)``, open
``(series + across) / (series + across + pull_up)``, a cut wire 1000. A threshold stands half-way between two
states at their worst (every resistor off by `tolerance_percent`, the cable adding `CABLE_OHM`).
"""

from typing import Any

from hal.schema import Fields, Problems, optional, whole

#: what a long thin cable adds, both ways: 100 m of 0.22 mm2
CABLE_OHM = 20
#: permille between the worst cases of two states: noise, converter, hysteresis
APART = 60

RESISTORS = ("series_ohm", "across_ohm", "pull_up_ohm")

FIELDS: Fields = {
    **{key: optional(whole(100, 100_000, "ohm")) for key in RESISTORS},
    "tolerance_percent": optional(whole(1, 10, "%"), 5),
}

Config = dict[str, Any]


def fill(entry: Config, given: Any, path: str, problems: Problems) -> None:
    """Put the thresholds of a supervised contact's resistors into `entry`.

    given  the table as it stands in the file
    """
    named = [key for key in RESISTORS if entry[key] is not None]
    if not named:
        return
    if "thresholds_permille" in given:
        problems.add(
            f"{path}.thresholds_permille",
            f"stands beside {named[0]}; expected the resistors or the thresholds, not both",
        )
        return
    for key in RESISTORS:
        if entry[key] is None:
            problems.add(f"{path}.{key}", f"missing; expected all three of {', '.join(RESISTORS)}")
            return
    series, across, pull_up = [entry[key] for key in RESISTORS]
    found = thresholds(series, across, pull_up, entry["tolerance_percent"])
    if found is None:
        problems.add(
            f"{path}.series_ohm",
            "these resistors do not tell the four states apart at this tolerance; "
            "expected such as series_ohm = 1100, across_ohm = 3300, pull_up_ohm = 2200",
        )
        return
    entry["thresholds_permille"] = found


def thresholds(series: int, across: int, pull_up: int, percent: int) -> list[int] | None:
    """Where short, closed, open and cut meet, permille; None: some of them lie too close."""
    most, least = 1 + percent / 100, 1 - percent / 100

    def worst(ohm: int) -> tuple[float, float]:
        low, high = ohm * least, ohm * most + CABLE_OHM
        return low / (low + pull_up * most), high / (high + pull_up * least)

    shorted = (0.0, CABLE_OHM / (CABLE_OHM + pull_up * least))
    bands = [shorted, worst(series), worst(series + across), (1.0, 1.0)]
    found = []
    for below, above in zip(bands, bands[1:], strict=False):
        if above[0] - below[1] < APART / 1000:
            return None
        found.append(round((below[1] + above[0]) * 500))
    return found
