"""What partitions and automation owe the rest of a board config.

Takes the normalised config (`hal.board.load`), in which None stands for what was missing or wrong and
has been told already.
"""

from typing import Any

from hal.board_policy_rules import known, scheduled
from hal.schema import Problems, nearest_known

Config = dict[str, Any]

_CONTROLLER = "controller"  #: the alarm point of what has no other

#: field of an event: the section that its value is a name of, and how that is called
_NAMES = {
    "portal": ("portals", "portal"),
    "access_point": ("access_points", "access point"),
    "partition": ("partitions", "partition"),
    "area": ("areas", "area"),
    "device": ("devices", "device"),
}


def check(config: Config, problems: Problems) -> None:
    """Add to `problems` what is wrong with the partitions and the automation of `config`."""
    owner: dict[str, str] = {}
    for name, entry in config["partitions"].items():
        _partition(f"partitions.{name}", entry, config, owner, problems)
    for name, entry in config["automation"].items():
        path = f"automation.{name}"
        if entry["when"] is not None:
            _when(f"{path}.when", entry["when"], config, problems)
        if entry["if"] is not None:
            _condition(f"{path}.if", entry["if"], config, problems)
        if entry["do"] is not None:
            _action(f"{path}.do", entry["do"], config, problems)
    _link(config, problems)


# ---- partitions --------------------------------------------------------------------------------------


def _partition(
    path: str, entry: Config, config: Config, owner: dict[str, str], problems: Problems
) -> None:
    points = entry["points"]
    if points is not None and not points:
        problems.add(f"{path}.points", "no points; expected alarm points of class intrusion")
    for point in points or ():
        _point(f"{path}.points", point, config, problems)
        if point in owner:
            problems.add(
                f"{path}.points",
                f'"{point}" is already in {owner[point]}; expected a point in one partition',
            )
        owner.setdefault(point, path)
    for point in entry["delayed"]:
        if points is not None and point not in points:
            near = nearest_known(point, points)
            problems.add(f"{path}.delayed", f'"{point}" is not among its points; {near}')
    if entry["schedule"] is not None:
        scheduled(f"{path}.schedule", entry["schedule"], config, problems)
    flats = config["controller"]["flats"]
    if entry["flat"] is not None and flats and entry["flat"] not in flats:
        near = nearest_known(entry["flat"], flats)
        problems.add(
            f"{path}.flat", f'no flat "{entry["flat"]}"; expected one of controller.flats, {near}'
        )
    _keys(f"{path}.keys", entry["keys"], entry, problems)
    _appointments(f"{path}.appointments", entry, problems)


def _point(path: str, point: str, config: Config, problems: Problems) -> None:
    points = config["alarms"]["points"]
    if point not in points:
        near = nearest_known(
            point, [name for name in points if points[name]["class"] == "intrusion"]
        )
        problems.add(path, f'no alarm point "{point}"; expected a point of class intrusion, {near}')
    elif points[point]["class"] not in ("intrusion", None):
        problems.add(
            path,
            f'"{point}" is of class {points[point]["class"]}, which is watched always; '
            "expected points of class intrusion",
        )


def _keys(path: str, keys: str | None, partition: Config, problems: Problems) -> None:
    if keys in ("alarm", "disarm") and partition["flat"] is None and partition["group"] is None:
        problems.add(
            path, f'"{keys}", and nobody\'s keys are named; expected flat or group, or "ignore"'
        )


def _appointments(path: str, partition: Config, problems: Problems) -> None:
    right: list[tuple[str, str, int]] = []
    for place, one in enumerate(partition["appointments"]):
        where = f"{path}[{place}]"
        if one["keys"] != partition["keys"]:
            _keys(f"{where}.keys", one["keys"], partition, problems)
        if one["from"] is None or one["to"] is None:
            continue
        if one["to"] <= one["from"]:
            problems.add(
                f"{where}.to",
                f'"{one["to"]}" is not after from; expected a time after {one["from"]}',
            )
        else:
            right.append((one["from"], one["to"], place))
    right.sort()
    for (_, end, first), (begin, _, second) in zip(right, right[1:], strict=False):
        if begin < end:
            earlier, later = sorted((first, second))
            problems.add(
                f"{path}[{later}]",
                f"overlaps {path}[{earlier}]; expected times that do not meet",
            )


# ---- automation --------------------------------------------------------------------------------------


def _when(path: str, when: Config, config: Config, problems: Problems) -> None:
    for field, value in when.items():
        if field in _NAMES:
            _named(f"{path}.{field}", value, *_NAMES[field], config, problems)
    point = when.get("point")
    if point is None:
        return
    _alarm_place(f"{path}.point", point, config, problems)
    kind = config["alarms"]["points"].get(point, {}).get("class")
    if kind is not None and when.get("class", kind) != kind:
        problems.add(
            f"{path}.class",
            f'"{when["class"]}" never comes from "{point}", which is of class {kind}; '
            f'expected "{kind}"',
        )


def _named(
    path: str, value: Any, section: str, kind: str, config: Config, problems: Problems
) -> None:
    if isinstance(value, str):
        known(path, value, section, kind, config, problems)
    else:
        problems.add(path, f"not a name; expected a name of [{section}]")


def _alarm_place(path: str, point: Any, config: Config, problems: Problems) -> None:
    """An alarm's point: a configured one, a portal, an access point, a device, or the controller."""
    places = {_CONTROLLER, *config["alarms"]["points"]}
    for section in ("portals", "access_points", "devices"):
        places.update(config[section])
    if point not in places:
        near = nearest_known(str(point), places)
        problems.add(
            path,
            f'nothing is called "{point}"; expected an alarm point, a portal, an access point, a '
            f'device or "{_CONTROLLER}", {near}',
        )


def _condition(path: str, condition: Config, config: Config, problems: Problems) -> None:
    for field in ("portal", "partition", "area"):
        if field in condition:
            section, kind = _NAMES[field]
            known(f"{path}.{field}", condition[field], section, kind, config, problems)
    if "schedule" in condition:
        scheduled(f"{path}.schedule", condition["schedule"], config, problems)


def _action(path: str, action: Config, config: Config, problems: Problems) -> None:
    for portal in action.get("portals") or ():
        known(f"{path}.portals", portal, "portals", "portal", config, problems)
    if action.get("portals") == []:
        problems.add(f"{path}.portals", "no portals; expected one at least, or no such key for all")
    if action.get("point") is not None:
        _alarm_place(f"{path}.point", action["point"], config, problems)
    device = config["devices"].get(action.get("output"), {})
    if device.get("driver") == "lock":
        problems.add(
            f"{path}.output",
            f'"{action["output"]}" is a lock, and automation never releases; expected a relay',
        )
    limit_ms = device.get("max_pulse_ms")
    if limit_ms is not None and action["for_ms"] > limit_ms:
        problems.add(
            f"{path}.for_ms",
            f"{action['for_ms']} is longer than max_pulse_ms of "
            f'"{action["output"]}"; expected {limit_ms} at most',
        )


def _link(config: Config, problems: Problems) -> None:
    """A host that cannot be heard is silent from the first minute."""
    if config["controller"]["narrow_after_h"] is not None and not config["link"]["enabled"]:
        problems.add(
            "controller.narrow_after_h",
            "set without a link, on which no host is ever heard; expected [link], or no such key",
        )
