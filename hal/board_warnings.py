"""What a board config may say and somebody may still wonder at: one line each, for `doorward --check`.

Takes a right config (`hal.board.load`). What surprises about pins is `hal.board_lines.warnings`.
"""

from typing import Any

from hal import schema
from hal.board_policy_rules import forgives, ways

Config = dict[str, Any]

_STAYS = ("blocked", "locked_down", "unlocked", "locked_open")  #: modes that no hours change


def warnings(config: Config) -> list[str]:
    """What is allowed by the rules and may still surprise."""
    told: list[str] = []
    for name, entry in config["schedules"].items():
        told += _hours(f"schedules.{name}.hours", entry["hours"])
    for area in config["areas"]:
        told += _area(area, config)
    for portal, entry in config["portals"].items():
        if entry["free_access"] is not None:
            told += _free_access(portal, entry, config)
    for name, entry in config["partitions"].items():
        if entry["delayed"] and entry["entry_ms"] == 0:
            told.append(
                f"partitions.{name}.entry_ms: 0, so its delayed points alarm at once; expected time "
                "to get in and disarm"
            )
    for name, entry in config["automation"].items():
        if "mode" in entry["do"] and entry["when"].get("class") == "fire":
            told.append(
                f"automation.{name}.do.mode: fire releases doors whatever their mode; the mode shows "
                "when the fire is over"
            )
    if config["alarms"]["tamper_blocks"] == "acknowledged" and not config["alarms"]["acknowledge"]:
        told.append(
            'alarms.tamper_blocks: "acknowledged" without a key switch; a reader that was opened stays '
            "blocked until a manager's card or a command acknowledges it"
        )
    return told


def _area(area: str, config: Config) -> list[str]:
    """People who leave without showing a key are not counted out."""
    entry = config["areas"][area]
    points = config["access_points"]
    leads = ways(config, area)
    hard = [point for point in leads["in"] if points[point]["anti_passback"] == "hard"]
    doors = sorted({points[point]["portal"] for point in leads["in"] + leads["out"]})
    uncounted = [door for door in doors if config["portals"][door]["egress"] != "none"]
    if not uncounted or forgives(entry):
        return []
    leave = f"people leave by handle or button at {_names(uncounted)} and are not counted out"
    told = []
    if hard:
        told.append(
            f'access_points.{hard[0]}.anti_passback: "hard", and {leave}: they are refused when they '
            f'come back; expected areas.{area}.forgive_at, or "soft"'
        )
    if entry["occupancy_max"] is not None:
        told.append(
            f"areas.{area}.occupancy_max: {leave}: it fills up with people who have gone; expected "
            "forgive_at"
        )
    return told


def _hours(path: str, lines: list[str]) -> list[str]:
    """Hours that end when they begin go on to the next day."""
    told = []
    for line in lines:
        begin, _, end = line.split()[1].partition("-")
        if begin == end:
            told.append(
                f"{path}: {schema.show(line)} ends when it begins, so it holds for 24 hours; expected "
                '"00:00-24:00" for whole days, or another end'
            )
    return told


def _free_access(portal: str, entry: Config, config: Config) -> list[str]:
    path = f"portals.{portal}.free_access"
    told = []
    if entry["mode"] in _STAYS:
        told.append(
            f'{path}: mode = "{entry["mode"]}" at first, so the hours change nothing until somebody '
            'sets the mode "locked"'
        )
    for name, group in config["interlocks"].items():
        others = [other for other in group["portals"] if other != portal]
        if portal in group["portals"]:
            told.append(
                f"{path}: while it is free nobody is let in at {_names(others)}, by interlocks.{name}"
            )
    for point, one in config["access_points"].items():
        counts = config["areas"][one["area"]]["occupancy_max"] is not None
        if one["portal"] == portal and (counts or one["anti_passback"] == "hard"):
            told.append(
                f'{path}: who passes while it is free is not counted in or out of "{one["area"]}", which '
                f"access_points.{point} goes by"
            )
    return told


def _names(names: list[str]) -> str:
    return " and ".join(f'"{name}"' for name in names)
