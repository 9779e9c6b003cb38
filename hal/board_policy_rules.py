"""What the rules of doors owe each other: names that exist, nothing that can never be or locks people out.

Takes the normalised config (`hal.board.load`), in which None stands for what was missing or wrong and
has been told already. Schedules, levels, areas, interlocks, portals and access points are here;
partitions and automation are `hal.board_watch_rules`.
"""

from collections.abc import Iterable
from typing import Any

from hal import board_hours
from hal.board_hours import Cover
from hal.board_policy import ANYWHERE
from hal.board_schema import KEY_DRIVERS
from hal.schema import Problems, nearest_known

Config = dict[str, Any]

_FREE = ("unlocked", "locked_open")  #: modes in which a door is open to everybody
_WITH_KEYS = ("card+pin", "pin", "card-or-pin")


def check(config: Config, problems: Problems) -> None:
    """Add to `problems` what is wrong with the rules of doors in `config`."""
    _schedules(config, problems)
    for level, entry in config["levels"].items():
        _level(f"levels.{level}", entry, config, problems)
    for point, entry in config["access_points"].items():
        path = f"access_points.{point}"
        _verification(path, entry, config, problems)
        _passback(path, entry, config, problems)
    astray = any(one["area"] not in config["areas"] for one in config["access_points"].values())
    for area, entry in config["areas"].items():
        if astray:
            break  # who leads where is not clear; the name that is wrong has been told
        _area(f"areas.{area}", entry, ways(config, area), problems)
        _pairs(f"areas.{area}", entry, ways(config, area)["in"], config, problems)
    for portal, entry in config["portals"].items():
        _free_access(portal, entry, config, problems)
    for name, entry in config["interlocks"].items():
        _interlock(f"interlocks.{name}", entry["portals"], config, problems)


def known(
    path: str, name: str | None, section: str, kind: str, config: Config, problems: Problems
) -> bool:
    """Whether `name` is one of `section`; if it is none that is told. None has been told already."""
    if name is None:
        return False
    if name not in config[section]:
        near = nearest_known(name, config[section])
        problems.add(path, f'no {kind} "{name}"; expected a name of [{section}], {near}')
        return False
    return True


def scheduled(path: str, name: str | None, config: Config, problems: Problems) -> Cover | None:
    """The hours of the schedule `name`; None if there are none, and if there is none that is told."""
    if not known(path, name, "schedules", "schedule", config, problems):
        return None
    return hours_of(config, name)


def hours_of(config: Config, schedule: str | None) -> Cover | None:
    """The hours of a schedule; None if it is unknown or wrong."""
    entry = config["schedules"].get(schedule, {})
    return board_hours.cover(entry["hours"]) if entry.get("hours") else None


def ways(config: Config, area: str | None) -> dict[str, list[str]]:
    """The access points that lead into `area` and out of it, by direction."""
    found: dict[str, list[str]] = {"in": [], "out": []}
    for point, entry in config["access_points"].items():
        if area is not None and entry["area"] == area and entry["direction"] is not None:
            found[entry["direction"]].append(point)
    return found


def forgives(area: Config) -> bool:
    """Whether anti-passback in `area` is forgiven by time."""
    return area["forgive_after_ms"] is not None or area["forgive_at"] is not None


def _schedules(config: Config, problems: Problems) -> None:
    for name, entry in config["schedules"].items():
        lines = entry["hours"]
        if lines is None:
            continue
        if not lines:
            problems.add(
                f"schedules.{name}.hours", 'no hours; expected such as ["mon-fri 08:00-12:00"]'
            )
        elif not config["holidays"] and board_hours.never_but_on_holidays(board_hours.cover(lines)):
            problems.add(
                f"schedules.{name}.hours",
                'only "hol", and there are no holidays; expected days of the week, or holidays',
            )


def _level(path: str, entry: Config, config: Config, problems: Problems) -> None:
    rights = entry["rights"]
    if rights is None:
        return
    if not rights:
        problems.add(f"{path}.rights", 'no rights; expected such as [{ access_point = "*" }]')
    taken = [one["access_point"] for one in rights if one["deny"] and one["schedule"] is None]
    for place, right in enumerate(rights):
        where = f"{path}.rights[{place}]"
        point = right["access_point"]
        if point != ANYWHERE:
            known(f"{where}.access_point", point, "access_points", "access point", config, problems)
        if right["schedule"] is not None:
            scheduled(f"{where}.schedule", right["schedule"], config, problems)
        if right in rights[:place]:
            problems.add(where, "stands there twice; expected each right once")
        elif not right["deny"] and point is not None and (point in taken or ANYWHERE in taken):
            problems.add(
                where, "the same level always denies it, and deny wins; expected one of the two"
            )


# ---- access points -----------------------------------------------------------------------------------


def _verification(path: str, entry: Config, config: Config, problems: Problems) -> None:
    keyless = _without_keys(entry, config["devices"])
    before: Cover | None = None
    for place, row in enumerate(entry["verification_at"]):
        where = f"{path}.verification_at[{place}]"
        if keyless is not None and row["verification"] in _WITH_KEYS:
            problems.add(
                f"{where}.verification",
                f'"{row["verification"]}" needs keys and "{keyless}" has none; '
                'expected a keypad, or "card"',
            )
        hours = scheduled(f"{where}.schedule", row["schedule"], config, problems)
        if hours is None:
            continue
        if before is not None and board_hours.within(hours, before):
            problems.add(
                f"{where}.schedule",
                f'"{row["schedule"]}" holds only while one above it does, which wins; '
                "expected other hours, or a place further up",
            )
        before = hours if before is None else board_hours.either(before, hours)
    if entry["visitor_digits"] and keyless is not None:
        problems.add(
            f"{path}.visitor_digits",
            f'codes of digits need keys and "{keyless}" has none; expected a keypad, or false',
        )
    if entry["visitor_digits"] and not entry["visitors"]:
        problems.add(
            f"{path}.visitor_digits", "true with visitors = false; expected both, or neither"
        )


def _without_keys(entry: Config, devices: Config) -> str | None:
    """The reader of an access point that has no keys; None if there are some, or it is not known."""
    reader: str | None = entry["reader"]
    driver = devices.get(str(reader), {}).get("driver")
    if entry["keypad"] is not None or driver is None or driver in KEY_DRIVERS:
        return None
    return reader


def _passback(path: str, entry: Config, config: Config, problems: Problems) -> None:
    area = entry["area"]
    if not known(f"{path}.area", area, "areas", "area", config, problems):
        return
    if entry["anti_passback"] != "hard" or forgives(config["areas"][area]):
        return
    leads = ways(config, area)
    for direction, words in (("out", "a way out of"), ("in", "a way into")):
        if not leads[direction]:
            problems.add(
                f"{path}.anti_passback",
                f'"hard", and "{area}" has no access point with direction = "{direction}": whoever '
                f"came through once is refused for ever; expected {words} it, "
                f'areas.{area}.forgive_at, or "soft"',
            )


def _area(path: str, entry: Config, leads: dict[str, list[str]], problems: Problems) -> None:
    if not leads["in"] and not leads["out"]:
        problems.add(
            path, "no access point leads into it or out of it; expected one with this area"
        )
        return
    if entry["occupancy_max"] is None:
        return
    if not leads["in"]:
        problems.add(
            f"{path}.occupancy_max",
            'nobody is counted in; expected an access point with direction = "in"',
        )
    if not leads["out"] and not forgives(entry):
        problems.add(
            f"{path}.occupancy_max",
            "nobody is counted out, so it fills up for ever; expected an access point with "
            'direction = "out", or forgive_at',
        )


def _pairs(path: str, entry: Config, points: list[str], config: Config, problems: Problems) -> None:
    """Two people together need two places."""
    paired = [
        one for one in points if config["access_points"][one]["two_person"] not in (None, "off")
    ]
    most = entry["occupancy_max"]
    if paired and most is not None and most < 2:
        problems.add(
            f"{path}.occupancy_max",
            f"{most}, and access_points.{paired[0]} lets people in by twos: nobody ever gets in; "
            'expected 2 at least, or two_person = "off"',
        )


# ---- portals -----------------------------------------------------------------------------------------


def _free_access(portal: str, entry: Config, config: Config, problems: Problems) -> None:
    path = f"portals.{portal}"
    if entry["free_access"] is not None:
        scheduled(f"{path}.free_access", entry["free_access"], config, problems)
    elif entry["first_card"]:
        problems.add(
            f"{path}.first_card", "true without free_access; expected a schedule there, or false"
        )
    level = entry["first_card_level"]
    if level is not None and not entry["first_card"]:
        problems.add(
            f"{path}.first_card_level",
            "set without first_card; expected first_card = true, or no such key",
        )
        return
    if not entry["first_card"]:
        return
    points = [
        name
        for name, point in config["access_points"].items()
        if point["portal"] == portal and point["direction"] == "in"
    ]
    if not points:
        problems.add(
            f"{path}.first_card",
            'nobody ever comes in by a card; expected an access point with direction = "in", or false',
        )
    elif level is not None and known(
        f"{path}.first_card_level", level, "levels", "level", config, problems
    ):
        _opens_one(f"{path}.first_card_level", level, points, config, problems)


def _opens_one(
    path: str, level: str, points: Iterable[str], config: Config, problems: Problems
) -> None:
    """The level of a first card must open an access point of its portal."""
    rights = config["levels"][level]["rights"] or []
    opened = {one["access_point"] for one in rights if not one["deny"]}
    if opened and None not in opened and ANYWHERE not in opened and not opened.intersection(points):
        problems.add(
            path,
            f'"{level}" opens none of its access points; expected a level that opens one of '
            f"{', '.join(points)}",
        )


def _interlock(path: str, portals: list[str] | None, config: Config, problems: Problems) -> None:
    if portals is None:
        return
    if len(portals) < 2:
        named = f"only {portals[0]}" if portals else "none"
        problems.add(
            f"{path}.portals",
            f"{named}; expected two portals at least, of which one is open at a time",
        )
    free: list[tuple[str, Cover]] = []
    for portal in portals:
        if not known(f"{path}.portals", portal, "portals", "portal", config, problems):
            continue
        entry = config["portals"][portal]
        if entry["mode"] in _FREE:
            problems.add(
                f"{path}.portals",
                f'portal "{portal}" has mode = "{entry["mode"]}", so the others never open; '
                "expected it locked, or not among them",
            )
        hours = hours_of(config, entry["free_access"])
        if hours is None:
            continue
        if board_hours.always(hours):
            problems.add(
                f"{path}.portals",
                f'portal "{portal}" has free access all day, so the others never open; '
                "expected fewer hours, or not among them",
            )
        for other, others in free:
            if board_hours.overlap(hours, others):
                problems.add(
                    f"portals.{portal}.free_access",
                    f'overlaps the free access of portal "{other}", and {path} lets only one of '
                    "them open; expected hours that do not meet",
                )
        free.append((portal, hours))
