"""What each ordering command of `doorctl` asks for: one or several ops, each about one thing.

Pure: a command line and what is known of the site in, orders out. Names that are not known are one line
with the nearest that is. Where nothing is known of a kind (a controller does not tell its areas), the
controller decides.
"""

import argparse
import difflib
from collections import namedtuple
from collections.abc import Iterable
from typing import Any

from host_tools.console import UseError
from host_tools.sentences import Sentences

MODES = ("locked", "unlocked", "blocked", "locked_down", "locked_open")
LOCKDOWN = "locked_down"

#: One op to be signed.
#:
#: op, args  str, dict
#: what      str  what it is about, as people wrote it
#: done      str  key of the sentence that says it was done
Order = namedtuple("Order", "op args what done")


def orders(args: argparse.Namespace, world: dict[str, Any], say: Sentences) -> list[Order]:
    """The orders of one command line, perhaps none. Raises `UseError` for a name that is not known."""
    return _PLANS[args.command](args, world, say)


def _open(args: argparse.Namespace, world: dict[str, Any], say: Sentences) -> list[Order]:
    portal = _door(args.portal, world, say)
    return [Order("portal.release", {"portal": portal}, portal, "ctl.open")]


def _mode(args: argparse.Namespace, world: dict[str, Any], say: Sentences) -> list[Order]:
    portal = _door(args.portal, world, say)
    mode = _known(args.mode, MODES, "no_mode", say)
    return [_to_mode(portal, mode)]


def _lockdown(args: argparse.Namespace, world: dict[str, Any], say: Sentences) -> list[Order]:
    doors = world["portals"]
    if not args.end:
        return [_to_mode(door, LOCKDOWN) for door in doors]
    # A door whose mode is not known may be in lockdown: it is asked too.
    return [_to_mode(door, "locked") for door in doors if doors[door]["mode"] in (LOCKDOWN, None)]


def _ack(args: argparse.Namespace, world: dict[str, Any], say: Sentences) -> list[Order]:
    waiting = [one for one in world["alarms"] if one["state"] != "acknowledged"]
    if args.point is None:
        # Silent alarms are named one by one: nobody acknowledges a duress by habit.
        return [Order("alarm.acknowledge", {}, "ack", "ctl.ack")] if waiting else []
    point = _name(args.point, world)
    if not waiting:
        return []
    _known(point, [one["point"] for one in waiting], "no_alarm", say)
    return [
        Order("alarm.acknowledge", {"point": point, "class": one["class"]}, point, "ctl.ack")
        for one in waiting
        if one["point"] == point
    ]


def _silence(args: argparse.Namespace, world: dict[str, Any], say: Sentences) -> list[Order]:
    return [Order("alarm.silence", {}, "silence", "ctl.silence")]


def _watch_area(args: argparse.Namespace, world: dict[str, Any], say: Sentences) -> list[Order]:
    name = _name(args.partition, world)
    if world["partitions"] or "outputs" in world:
        name = _known(name, world["partitions"], "no_partition", say)
    op = f"partition.{args.command}"
    return [Order(op, {"partition": name}, name, f"ctl.{args.command}")]


_PLANS = {
    "open": _open,
    "mode": _mode,
    "lockdown": _lockdown,
    "ack": _ack,
    "silence": _silence,
    "arm": _watch_area,
    "disarm": _watch_area,
}


def _to_mode(portal: str, mode: str) -> Order:
    return Order("portal.mode", {"portal": portal, "mode": mode}, portal, "ctl.mode")


def _door(given: str, world: dict[str, Any], say: Sentences) -> str:
    return _known(_name(given, world), world["portals"], "no_door", say)


def _name(given: str, world: dict[str, Any]) -> str:
    """``front``, ``c-01/front`` or ``sunrise/c-01/front``: the last part, if the others are this site's."""
    *before, name = given.split("/")
    here = [world["site"], world["controller"]]
    if before and before != here[-len(before) :]:
        text = f"{given}: is not of {'/'.join(here)}; expected one of its own"
        raise UseError(text)
    return name


def _known(name: str, known: Iterable[str], key: str, say: Sentences) -> str:
    names = sorted(set(known))
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, 1, 0.0)
    if not near:
        raise UseError(say.words(f"ctl.{key}.none", name=name))
    raise UseError(say.words(f"ctl.{key}", name=name, near=near[0]))
