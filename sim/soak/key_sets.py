"""A host that gives every key anew: `credential.sync` with `all`, whoever is left out has none any more.

Drawn last, by chances of its own: it strikes what the others have made of the keys.
"""

from typing import Any

from firmware.wire import card_number
from sim.person import Person
from sim.soak.steps import Draft

CHANCE = 0.3  #: of a story that has one
LEFT_OUT = 0.2  #: of a key that is not among them


def draw(draft: Draft) -> None:
    """Draw one, and who comes after it."""
    rng = draft.rng
    if rng.random() >= CHANCE:
        return
    at_ms = rng.randrange(1000, draft.end_ms)
    version = 2 + at_ms // 1000
    keys = [_key(one, version) for one in draft.people if rng.random() >= LEFT_OUT]
    args = {"version": version, "page": 1, "pages": 1, "all": True, "upsert": keys}
    draft.add(at_ms, "command", op="credential.sync", args=args)
    points = sorted(draft.config["access_points"])
    for one in rng.sample(draft.people, 3):
        at_ms += draft.while_ms(100, 60_000)
        if one.card is not None:
            card, point = card_number.parse(one.card), rng.choice(points)
            draft.add(at_ms, "present_card", access_point=point, number=card)


def _key(person: Person, version: int) -> dict[str, Any]:
    key: dict[str, Any] = {
        "id": person.credential,
        "holder": person.holder,
        "state": "active",
        "levels": ["everywhere"],
        "version": version,
    }
    if person.card is not None:
        key["cards"] = [card_number.parse(person.card)]
    if person.pin is not None:
        key["pin"] = person.pin
    return key
