"""The rules of a board config as short tables, for `doorward --check`: who may pass how, and what is watched.

Takes a right config (`hal.board.load`). Says what is on; a rule that is off is left out.
"""

from typing import Any

Config = dict[str, Any]
Row = tuple[str, ...]


def tables(config: Config) -> list[list[Row]]:
    """Every table that has something to say, each with its head in the first row."""
    made = [
        [("way", "asks for", "area", "besides"), *_ways(config)],
        [("area", "in by", "out by", "people at most", "forgiven"), *_areas(config)],
        [("interlock", "one open at a time"), *_interlocks(config)],
        [("hours", "when", "for"), *_hours(config)],
        [("partition", "points", "armed", "keys"), *_partitions(config)],
        [("automation", "when", "if", "do"), *_automation(config)],
    ]
    return [table for table in made if len(table) > 1]


def _ways(config: Config) -> list[Row]:
    rows: list[Row] = []
    for name, point in config["access_points"].items():
        asks = point["verification"]
        for row in point["verification_at"]:
            asks += f"; {row['schedule']}: {row['verification']}"
        area = f"{'into' if point['direction'] == 'in' else 'out of'} {point['area']}"
        rows.append((name, asks, area, ", ".join(_besides(point)) or "-"))
    return rows


def _besides(point: Config) -> list[str]:
    words = []
    if point["anti_passback"] == "timed":
        words.append(f"the same way again after {_time(point['anti_passback_ms'])}")
    elif point["anti_passback"] != "off":
        words.append(f"{point['anti_passback']} anti-passback")
    if point["two_person"] != "off":
        group = " of another group" if point["two_person"] == "other_group" else ""
        words.append(f"two people{group} within {_time(point['second_person_ms'])}")
    if point["visitor_digits"]:
        words.append("visitors' digits")
    if not point["visitors"]:
        words.append("no visitors")
    return words


def _areas(config: Config) -> list[Row]:
    rows: list[Row] = []
    for name, area in config["areas"].items():
        points = [
            (point, one) for point, one in config["access_points"].items() if one["area"] == name
        ]
        forgiven = []
        if area["forgive_after_ms"] is not None:
            forgiven.append(f"after {_time(area['forgive_after_ms'])}")
        if area["forgive_at"] is not None:
            forgiven.append(f"at {area['forgive_at']}")
        ruled = area["occupancy_max"] is not None or forgiven
        if not ruled and all(one["anti_passback"] == "off" for _, one in points):
            continue
        rows.append(
            (
                name,
                _list([point for point, one in points if one["direction"] == "in"]),
                _list([point for point, one in points if one["direction"] == "out"]),
                str(area["occupancy_max"] or "-"),
                ", ".join(forgiven) or "-",
            )
        )
    return rows


def _interlocks(config: Config) -> list[Row]:
    return [(name, _list(one["portals"])) for name, one in config["interlocks"].items()]


def _hours(config: Config) -> list[Row]:
    rows: list[Row] = []
    for name, one in config["schedules"].items():
        used = [
            f"{portal} is free" + (" once somebody came" if entry["first_card"] else "")
            for portal, entry in config["portals"].items()
            if entry["free_access"] == name
        ]
        for point, entry in config["access_points"].items():
            rows_of = [row for row in entry["verification_at"] if row["schedule"] == name]
            used += [f"{point} asks for {row['verification']}" for row in rows_of]
        for level, entry in config["levels"].items():
            if any(right["schedule"] == name for right in entry["rights"]):
                used.append(f"level {level}")
        for partition, entry in config["partitions"].items():
            if entry["schedule"] == name:
                used.append(f"{partition} is armed")
        for rule, entry in config["automation"].items():
            if (entry["if"] or {}).get("schedule") == name:
                used.append(f"automation {rule}")
        rows.append((name, "; ".join(one["hours"]), ", ".join(used) or "the host's levels"))
    if config["holidays"]:
        rows.append(("holidays", f"{len(config['holidays'])} days", "hours of hol and daily"))
    return rows


def _partitions(config: Config) -> list[Row]:
    rows: list[Row] = []
    for name, one in config["partitions"].items():
        points = [
            point + (f" (after {_time(one['entry_ms'])})" if point in one["delayed"] else "")
            for point in one["points"]
        ]
        armed = [one["schedule"]] if one["schedule"] is not None else []
        armed += [f"{row['from']} to {row['to']}" for row in one["appointments"][:2]]
        if len(one["appointments"]) > 2:
            armed.append(f"{len(one['appointments']) - 2} more")
        rows.append((name, _list(points), ", ".join(armed) or "by command", _keys(one)))
    return rows


def _keys(partition: Config) -> str:
    whose = []
    if partition["flat"] is not None:
        whose.append(f"of flat {partition['flat']}")
    if partition["group"] is not None:
        whose.append(f"of group {partition['group']}")
    meanings = {row["keys"] for row in partition["appointments"]} | {partition["keys"]}
    words = " or ".join(sorted(meanings - {"ignore"}))
    return f"{words}: {' and '.join(whose)}" if words else "-"


def _automation(config: Config) -> list[Row]:
    rows: list[Row] = []
    for name, rule in config["automation"].items():
        when = " ".join(str(value) for value in rule["when"].values())
        condition = ", ".join(
            f"{key} {str(value).lower() if value is True or value is False else value}"
            for key, value in (rule["if"] or {}).items()
        )
        rows.append((name, when, condition or "-", _action(rule["do"])))
    return rows


def _action(action: Config) -> str:
    if "mode" in action:
        portals = "all portals" if action["portals"] is None else _list(action["portals"])
        return f"{action['mode']}: {portals}"
    if "output" in action:
        return f"{action['output']} on for {_time(action['for_ms'])}"
    return f"alarm {action['alarm']} at {action['point'] or 'the controller'}"


def _list(names: list[str]) -> str:
    return ", ".join(names) or "-"


def _time(ms: int) -> str:
    """A time in the largest unit in which it is whole."""
    for unit_ms, unit in ((3_600_000, "h"), (60_000, "min"), (1000, "s")):
        if ms % unit_ms == 0:
            return f"{ms // unit_ms} {unit}"
    return f"{ms} ms"
