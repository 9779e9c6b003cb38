"""Random days in the building: steps drawn from a seed, run under the laws beside the oracle, made short.

`python tests/model/walk.py SEED... [--steps N] [--quick]` runs walks and exits with 1 at the first that goes
wrong, with the shortest sequence that still does.
"""

import argparse
import random
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any

import house
from building import Building, told
from laws import Laws
from oracle import Oracle

Step = list[Any]

STEPS_A_WALK = 500
DECISIONS = ("access.granted", "access.denied")
BY_DECISION = ("credential_misuse", "wrong_attempts", "duress")


class Watched:
    """One building, its laws and its second opinion; every step is judged."""

    def __init__(self) -> None:
        self.building = Building()
        self.laws = Laws(self.building)
        one = self.building
        self.oracle = Oracle(one.people, one.levels, one.policy, one.active, self._is_free)
        self.building.watch = self._watch
        self.steps: list[Step] = []
        self._decided: list[Any] = []
        self._raised: list[Any] = []
        self.building.begin()

    def do(self, step: Step) -> None:
        """One step. AssertionError: a law or the oracle does not hold."""
        self.steps.append(step)
        self.building.do(step)
        expected = self.oracle.take()
        decided, raised = sorted(self._decided, key=str), sorted(self._raised)
        self._decided, self._raised = [], []
        assert (decided, raised) == expected, f"decided {(decided, raised)}, expected {expected}"
        now = self.building.ms
        due_ms = self.building.site.deadline_ms
        assert due_ms is None or due_ms > now, f"deadline {due_ms} at {now}"
        before = self.building.seen()
        again = self.building.site.tick(self.building.now())
        assert again == [], f"a second tick says {told(again)}"
        assert self.building.seen() == before, "a second tick shows something else"
        if len(self.steps) % 100 == 0:
            self.laws.bounded()

    def _is_free(self, name: str) -> bool:
        return self.building.open.get(name, False) or self.building.site.portals[name].unlocked

    def _watch(self, call: list[Any], now: Any, effects: list[Any]) -> None:
        records = [effect for effect in effects if hasattr(effect, "at_ms")]
        heard = False
        for effect in records:
            fields = effect.fields
            if effect.type in DECISIONS and not heard:
                self.oracle.hear(call, now)  # what became due before was told before
                heard = True
            self.oracle.told(effect.type, fields, now)
            if effect.type in DECISIONS:
                who = fields.get("credential")
                at = fields["access_point"]
                self._decided.append((effect.type, at, fields.get("reason"), who))
            elif effect.type == "alarm.raised" and fields["class"] in BY_DECISION:
                self._raised.append((fields["point"], fields["class"]))
        if not heard:
            self.oracle.hear(call, now)
        self.laws.watch(call, now, effects)


# ---- drawing ---------------------------------------------------------------------------------------


def _cards() -> list[str]:
    return [one["card"] for one in house.people().values()] + list(house.STRANGERS)


def _digits() -> list[str]:
    known = [one[key] for one in house.people().values() for key in ("pin", "duress_pin")]
    return [digits for digits in known if digits] + list(house.WRONG_DIGITS)


CARDS = _cards()
FRIENDS = ["w26:012:%05d" % number for number in (1, 8, 12, 13, 14, 15)]
DIGITS = _digits()
CODES = ["VISIT-9", "VISIT-12", "VISIT-0"]
POINTS = sorted(house.ACCESS_POINTS)
DOORS = sorted(house.PORTALS)
SHELVED = (
    ("front", "door_held"),
    ("attic", "intrusion"),
    ("fire", "fire"),
    ("controller", "power_fault"),
    ("front-reader", "tamper"),
)
BYPASSED = (("hall", "hall-motion"), ("hall", "hall-door"), ("flat", "flat-motion"))
#: what a command may acknowledge
ALARMS: tuple[tuple[str | None, str | None], ...] = (
    (None, None),
    (None, "duress"),
    (None, "door_forced"),
    ("front-in", None),
    ("attic", "intrusion"),
)
SENSOR_STATES = ("normal", "normal", "active", "cut", "short", "unknown")


def draw(rng: random.Random, building: Building) -> Step:
    """The next step, likely enough to be something that people do."""
    return DRAWN[rng.choices(range(len(DRAWN)), WEIGHTS)[0]][1](rng, building)


def _wait(rng: random.Random, building: Building) -> Step:
    top = rng.choice((50, 300, 1100, 5200, 11000, 31000, 120000))
    return ["wait", rng.randrange(1, top)]


def _late(rng: random.Random, building: Building) -> Step:
    return ["late", rng.choice((1, 199, 200, 4999, 5000, 5001, 10000, 30000, 600000, 7200000))]


def _card(rng: random.Random, building: Building) -> Step:
    cards = FRIENDS if rng.random() < 0.6 else CARDS
    return ["card", rng.choice(POINTS), rng.choice(cards), rng.random() < 0.1]


def _stranger(rng: random.Random, building: Building) -> Step:
    """Again and again at the same reader, for a while."""
    name = POINTS[building.ms // 120000 % len(POINTS)]
    return ["card", name, rng.choice(house.STRANGERS), False]


def _walk_in(rng: random.Random, building: Building) -> Step:
    """Whoever was let in opens the door."""
    for name in DOORS:
        door = building.site.portals[name]
        if door.awaited is not None and door.unlocked and not building.open.get(name):
            return ["contact", name, True, 0]
    return _card(rng, building)


def _code(rng: random.Random, building: Building) -> Step:
    return ["code", rng.choice(POINTS), rng.choice(CODES), rng.random() < 0.1]


def _key(rng: random.Random, building: Building) -> Step:
    return ["key", rng.choice(POINTS), rng.choice("0123456789*#")]


def _pin(rng: random.Random, building: Building) -> Step:
    return ["pin", rng.choice(("cellar-in", "front-in", "inner-in")), rng.choice(DIGITS)]


def _pin_awaited(rng: random.Random, building: Building) -> Step:
    waiting = [
        name
        for name, point in sorted(building.site.access_points.items())
        if point.verification.state == "wanted"
    ]
    if not waiting:
        return ["card", "cellar-in", rng.choice(CARDS[:2]), False]
    name = rng.choice(waiting)
    shown: Any = building.site.access_points[name].verification.key
    who = building.people[shown[0].id]
    digits = rng.choice((who["pin"], who["pin"], who["duress_pin"], "7777"))
    return ["pin", name, digits or "0000"]


def _answer(rng: random.Random, building: Building) -> Step:
    return ["answer"]


def _bad(rng: random.Random, building: Building) -> Step:
    return ["bad", rng.choice(POINTS)]


def _rex(rng: random.Random, building: Building) -> Step:
    return ["rex", rng.choice(DOORS), rng.choice((0, 0, 40, 150))]


def _exit(rng: random.Random, building: Building) -> Step:
    return ["exit", rng.choice(DOORS), rng.random() < 0.4]


def _contact(rng: random.Random, building: Building) -> Step:
    likely = [name for name in DOORS if building.site.portals[name].unlocked]
    likely += [name for name in DOORS if building.open.get(name)]
    name = rng.choice(likely or DOORS) if rng.random() < 0.9 else rng.choice(DOORS)
    return ["contact", name, not building.open.get(name, False), rng.choice((0, 0, 30, 120))]


def _mode(rng: random.Random, building: Building) -> Step:
    return ["mode", rng.choice(DOORS), rng.choice(("locked",) * 6 + house.MODES)]


def _point(rng: random.Random, building: Building) -> Step:
    name = rng.choice(sorted(house.POINTS))
    return ["point", name, not building.active.get(name) and rng.random() < 0.7]


def _point_state(rng: random.Random, building: Building) -> Step:
    return ["point_state", rng.choice(sorted(house.POINTS)), rng.choice(SENSOR_STATES)]


def _contact_state(rng: random.Random, building: Building) -> Step:
    return ["contact_state", rng.choice(("cellar", "gate")), rng.choice(SENSOR_STATES)]


def _bond(rng: random.Random, building: Building) -> Step:
    name = rng.choice(("front", "yard"))
    truth = not building.site.portals[name].unlocked
    return ["bond", name, rng.choice((truth, truth, truth, True, False, None))]


def _ack_one(rng: random.Random, building: Building) -> Step:
    known = [(one.point, one.kind) for one in building.site.alarms.alarms()]
    point, kind = rng.choice(known or [("front", "door_held")])
    return ["ack_one", rng.choice((point, point, None)), rng.choice((kind, kind, None))]


def _silence(rng: random.Random, building: Building) -> Step:
    return ["silence"]


def _shelve(rng: random.Random, building: Building) -> Step:
    return ["shelve", *rng.choice(SHELVED), rng.choice((-1, 60, 600, 7200, 90000))]


def _arm(rng: random.Random, building: Building) -> Step:
    in_s = rng.choice((None, None, 0, 30))
    return ["arm", rng.choice(("hall", "flat")), in_s, rng.choice((20, 3600))]


def _disarm(rng: random.Random, building: Building) -> Step:
    return ["disarm", rng.choice(("hall", "flat"))]


def _sensor(rng: random.Random, building: Building) -> Step:
    """Somebody moves in a watched room, more often while it is being left or watched."""
    name = rng.choice(("hall-door", "hall-motion", "flat-motion"))
    return ["point", name, not building.active.get(name)]


def _bypass(rng: random.Random, building: Building) -> Step:
    return ["bypass", *rng.choice(BYPASSED)]


def _condition(rng: random.Random, building: Building) -> Step:
    return ["condition", *rng.choice(house.CONDITIONS), rng.random() < 0.5]


def _ack(rng: random.Random, building: Building) -> Step:
    return ["ack"]


def _clock(rng: random.Random, building: Building) -> Step:
    jump_s = rng.choice((-7200, -60, 60, 3600, 6 * 3600, 20 * 3600))
    return ["clock", jump_s, rng.random() < 0.7]


def _person(rng: random.Random, building: Building) -> Step:
    field, values = rng.choice(house.CHANGES)
    return ["person", rng.choice(sorted(building.people)), field, rng.choice(values)]


def _edge(rng: random.Random, building: Building) -> Step:
    """A key that begins or ends about now, to the second."""
    field = rng.choice(("to_s", "to_s", "from_s"))
    at_s = building.now().utc_s + rng.choice((-1, 0, 1, 1, 2))
    return ["person", rng.choice((1, 8, 13, 14, 15)), field, at_s]


def _edge_card(rng: random.Random, building: Building) -> Step:
    """Whose key begins or ends about now comes by."""
    now_s = building.now().utc_s
    for who in building.people.values():
        for field in ("to_s", "from_s"):
            if who[field] is not None and abs(who[field] - now_s) <= 3:
                return ["card", rng.choice(POINTS), who["card"], False]
    return _card(rng, building)


def _level(rng: random.Random, building: Building) -> Step:
    name = rng.choice(("doors", "work"))
    return ["level", name, rng.choice((None, [], [["front-in", "night", False]]))]


def _policy(rng: random.Random, building: Building) -> Step:
    return ["policy", rng.random() < 0.3, rng.random() < 0.2]


def _release(rng: random.Random, building: Building) -> Step:
    return ["release", rng.choice(DOORS), rng.choice(("command", "command", "call"))]


def _forgive(rng: random.Random, building: Building) -> Step:
    area = rng.choice((None, "yard", "garden", "vault"))
    return ["forgive", area, rng.choice((None, "h301", "h308", "h313"))]


def _cut(rng: random.Random, building: Building) -> Step:
    return ["cut", rng.choice((1000, 20000, 3600000))]


def _lost(rng: random.Random, building: Building) -> Step:
    inner = rng.choice((_card, _rex, _point, _mode))(rng, building)
    return ["lost", inner, rng.choice((1000, 40000))]


DRAWN: list[tuple[int, Callable[[random.Random, Building], Step]]] = [
    (30, _wait),
    (4, _late),
    (24, _card),
    (4, _code),
    (5, _stranger),
    (10, _walk_in),
    (6, _key),
    (10, _pin),
    (10, _pin_awaited),
    (3, _answer),
    (2, _bad),
    (8, _rex),
    (4, _exit),
    (20, _contact),
    (4, _mode),
    (4, _point),
    (3, _condition),
    (5, _ack),
    (3, _point_state),
    (2, _contact_state),
    (3, _bond),
    (3, _ack_one),
    (1, _silence),
    (1, _shelve),
    (6, _arm),
    (7, _sensor),
    (2, _disarm),
    (1, _bypass),
    (3, _clock),
    (3, _person),
    (2, _edge),
    (5, _edge_card),
    (1, _level),
    (1, _policy),
    (4, _release),
    (2, _forgive),
    (1, _cut),
    (1, _lost),
]
WEIGHTS = [weight for weight, _ in DRAWN]


# ---- running ---------------------------------------------------------------------------------------


def run(steps: Iterable[Step]) -> str | None:
    """Run `steps` in a new building; what goes wrong, or None."""
    watched = Watched()
    try:
        for step in steps:
            watched.do(step)
    except Exception as error:  # noqa: BLE001  whatever the core raises is what is looked for
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} ({last.name})"
    return None


def shortest(steps: list[Step]) -> list[Step]:
    """The steps without all that can be left out with something still going wrong."""
    size = max(1, len(steps) // 2)
    while True:
        start = 0
        while start < len(steps):
            fewer = steps[:start] + steps[start + size :]
            if fewer and run(fewer) is not None:
                steps = fewer
            else:
                start += size
        if size == 1:
            return steps
        size //= 2


def report(steps: list[Step]) -> str:
    """What went wrong, in the fewest steps."""
    short = shortest(steps)
    lines = [f"    {step!r}," for step in short]
    return "\n".join([str(run(short)), "steps = [", *lines, "]"])


def record(seed: int, count: int = STEPS_A_WALK) -> list[Step]:
    """`count` steps from a seed, judged by nobody."""
    rng = random.Random(seed)
    building = Building()
    building.begin()
    steps: list[Step] = []
    for _ in range(count):
        steps.append(draw(rng, building))
        building.do(steps[-1])
    return steps


def walk(seed: int, count: int = STEPS_A_WALK, quick: bool = False) -> list[Step]:
    """`count` steps from a seed. AssertionError with the shortest sequence that goes wrong.

    `quick`: only what went wrong.
    """
    rng = random.Random(seed)
    watched = Watched()
    try:
        for _ in range(count):
            watched.do(draw(rng, watched.building))
    except Exception as error:  # noqa: BLE001  as above
        told = str(error) if quick else report(watched.steps)
        raise AssertionError(f"seed {seed}: {told}") from None
    return watched.steps


def main(args: list[str]) -> int:
    """Walk the seeds given; 0 if all is well."""
    parser = argparse.ArgumentParser()
    parser.add_argument("seeds", nargs="+", type=int)
    parser.add_argument("--steps", type=int, default=STEPS_A_WALK)
    parser.add_argument("--quick", action="store_true", help="do not look for the fewest steps")
    given = parser.parse_args(args)
    try:
        for number in given.seeds:
            walk(number, given.steps, given.quick)
    except AssertionError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
