"""Somebody who is forced looks, sounds and opens like anybody else: the same days with and without."""

import random
from typing import Any

import house
import walk
from building import Building

WALKS = 30

#: duress PIN: the PIN that opens as usual
USUAL = {
    who["duress_pin"]: who["pin"]
    for who in house.people().values()
    if who["duress_pin"] is not None
}


def _freely(step: walk.Step) -> walk.Step:
    """The same step of somebody whom nobody forces."""
    if step[0] == "pin":
        return ["pin", step[1], USUAL.get(step[2], step[2])]
    return step


def _told(effects: list[Any]) -> list[Any]:
    """What was recorded, but for the alarm that only the host sees."""
    return [
        (one.type, one.at_ms, one.fields)
        for one in effects
        if hasattr(one, "at_ms") and one.fields.get("class") != "duress"
    ]


def test_duress_shows_nothing_at_the_door_and_nothing_in_any_other_record() -> None:
    forced = 0
    for seed in range(WALKS):
        rng = random.Random(7000 + seed)
        one, free = Building(), Building()
        for who in free.people.values():
            who["duress"], who["duress_pin"] = False, None
        assert _told(one.begin()) == _told(free.begin())
        for _ in range(walk.STEPS_A_WALK):
            step = walk.draw(rng, one)
            if step[0] == "key":  # a PIN that is keyed by chance is no other PIN's twin
                continue
            effects: list[Any] = one.do(step)
            forced += sum(
                effect.type == "alarm.raised" and effect.fields["class"] == "duress"
                for effect in effects
                if hasattr(effect, "at_ms")
            )
            assert _told(effects) == _told(free.do(_freely(step))), (seed, step)
            assert one.seen() == free.seen(), (seed, step)
    assert forced > WALKS, "nobody was forced"
