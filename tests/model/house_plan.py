"""The building of the model tests as the core wants it. Portable."""

import house

from firmware.access import (
    access_point,
    automation,
    free_access,
    partition,
    portal,
    site,
    whereabouts,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def plan() -> "site.Plan":
    """`house` as the core wants it."""
    portals = {}
    for name, part in house.PORTALS.items():
        rules = portal.Rules(
            part["cuts"],
            house.EGRESS_MS,
            part["fire"],
            house.RELEASE_MS,
            house.EXTENDED_RELEASE_MS,
            house.OPEN_MS,
            house.EXTENDED_OPEN_MS,
            house.PRE_ALARM_MS,
            house.SETTLE_MS,
            house.TRAVEL_MS,
            part["closes"],
        )
        portals[name] = (rules, part["mode"])
    access_points = {}
    for name, part in house.ACCESS_POINTS.items():
        access_points[name] = access_point.Rules(
            part["portal"],
            part["way"],
            house.PIN_TIMEOUT_MS,
            house.WRONG_ATTEMPTS,
            house.WRONG_WINDOW_MS,
            house.BLOCK_MS,
            part["direction"],
            part["area"],
            part["passback"],
            house.AGAIN_MS,
            part["way_at"],
            part["pair"],
            house.SECOND_PERSON_MS,
            part["reader"],
            True,
            False,
        )
    points = {}
    for name in house.POINTS:
        points[name] = site.Point(*house.POINTS[name])
    return site.Plan(
        portals,
        access_points,
        points,
        house.FIRE_RESET,
        house.SIREN_MAX_MS,
        {name: whereabouts.AreaRules(*house.AREAS[name]) for name in house.AREAS},
        house.INTERLOCKS,
        {name: free_access.Rules(*house.FREE_ACCESS[name]) for name in house.FREE_ACCESS},
        {name: partition.Rules(*house.PARTITIONS[name]) for name in house.PARTITIONS},
        tuple([_automated(*row) for row in house.AUTOMATION]),
        house.REPEAT_MS,
        "active",
        house.FAULT_AFTER_MS,
        house.KEY_WRONG_ATTEMPTS,
        house.KEY_BLOCK_MS,
        {name: name + "-lock" for name in house.PORTALS},
        {name: name + "-contact" for name in house.PORTALS},
        {name: name + "-bond" for name in house.PORTALS},
    )


def _automated(
    name: str, when: "dict[str, Any]", condition: "dict[str, Any]", do: "tuple[Any, ...]"
) -> "automation.Rule":
    if do[0] == "mode":
        return automation.Rule(name, when, condition, automation.SetMode(*do[1:]))
    if do[0] == "output":
        return automation.Rule(name, when, condition, automation.SwitchOutput(*do[1:]))
    return automation.Rule(name, when, condition, automation.RaiseAlarm(*do[1:]))
