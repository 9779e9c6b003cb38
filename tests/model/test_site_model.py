"""Every verb of the core in any order, on a building with every rule on: the laws hold after each step.

Beside the laws (`laws`) stands a second opinion about who may enter (`oracle`). hypothesis draws single
verbs, which it can shrink, and bursts of them from one seed, which `walk.shortest` shortens.
``FUZZ_EXAMPLES`` sets how many steps are tried, new ones each time; without it the same each time.
"""

import multiprocessing
import os
import random
import re
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import house
import walk
from building import Building
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

FUZZ = os.environ.get("FUZZ_EXAMPLES")
STEPS = max(200_000, int(FUZZ or 0) * 10)
BURST = 250
WORKERS = 2
EXAMPLES = 20  #: of one round of hypothesis; rounds go on until `STEPS` are done

points = st.sampled_from(walk.POINTS)
doors = st.sampled_from(walk.DOORS)
parts = st.sampled_from(sorted(house.PARTITIONS))
late_ms = st.sampled_from((0, 30, 120))


class Steps:
    """How many were done, and those of the building that went wrong."""

    done = 0
    wrong: list[walk.Step] = []


class SiteMachine(RuleBasedStateMachine):
    """One building; each rule is a verb."""

    def __init__(self) -> None:
        super().__init__()
        self.watched = walk.Watched()

    def _do(self, *step: object) -> None:
        Steps.done += 1
        try:
            self.watched.do(list(step))
        except Exception:
            Steps.wrong = list(self.watched.steps)
            raise

    @rule(number=st.integers(0, 2**32))
    def burst(self, number: int) -> None:
        """Many verbs, drawn from one seed."""
        rng = random.Random(number)
        for _ in range(BURST):
            self._do(*walk.draw(rng, self.watched.building))

    @rule(ms=st.integers(1, 40000))
    def wait(self, ms: int) -> None:
        """Time passes under a punctual loop."""
        self._do("wait", ms)

    @rule(ms=st.sampled_from((1, 200, 5000, 30000, 7200000)))
    def late(self, ms: int) -> None:
        """Time passes and nobody ticks."""
        self._do("late", ms)

    @rule(at=points, number=st.sampled_from(walk.CARDS), slow=st.booleans())
    def card(self, at: str, number: str, slow: bool) -> None:
        """A card is shown; a slow store answers later."""
        self._do("card", at, number, slow)

    @rule(at=points, text=st.sampled_from(walk.CODES), slow=st.booleans())
    def code(self, at: str, text: str, slow: bool) -> None:
        """A code is shown."""
        self._do("code", at, text, slow)

    @rule()
    def answer(self) -> None:
        """The slow store answers."""
        self._do("answer")

    @rule(at=points, key=st.sampled_from("0123456789*#"))
    def key(self, at: str, key: str) -> None:
        """One key is pressed."""
        self._do("key", at, key)

    @rule(at=points, digits=st.sampled_from(walk.DIGITS))
    def pin(self, at: str, digits: str) -> None:
        """A PIN is keyed."""
        self._do("pin", at, digits)

    @rule(at=points)
    def bad_read(self, at: str) -> None:
        """Noise at a reader."""
        self._do("bad", at)

    @rule(name=doors, late=late_ms)
    def rex(self, name: str, late: int) -> None:
        """Somebody wants out."""
        self._do("rex", name, late)

    @rule(name=doors, held=st.booleans())
    def hold_exit(self, name: str, held: bool) -> None:
        """The exit button is held, or let go."""
        self._do("exit", name, held)

    @rule(name=doors, is_open=st.booleans(), late=late_ms)
    def contact(self, name: str, is_open: bool, late: int) -> None:
        """A door opens or closes, whatever its lock says."""
        self._do("contact", name, is_open, late)

    @rule(name=doors, mode=st.sampled_from(house.MODES))
    def mode(self, name: str, mode: str) -> None:
        """The desk changes a mode."""
        self._do("mode", name, mode)

    @rule(name=st.sampled_from(sorted(house.POINTS)), active=st.booleans())
    def point(self, name: str, active: bool) -> None:
        """An alarm point changes; fire too."""
        self._do("point", name, active)

    @rule(what=st.sampled_from(house.CONDITIONS), active=st.booleans())
    def condition(self, what: tuple[str, str], active: bool) -> None:
        """A device fails, or is right again."""
        self._do("condition", *what, active)

    @rule()
    def acknowledge(self) -> None:
        """The key switch."""
        self._do("ack")

    @rule(jump_s=st.integers(-7200, 80000), trusted=st.booleans())
    def clock(self, jump_s: int, trusted: bool) -> None:
        """The wall clock is set."""
        self._do("clock", jump_s, trusted)

    @rule(who=st.integers(1, 15), change=st.sampled_from(house.CHANGES), which=st.integers(0, 4))
    def person(self, who: int, change: tuple[str, tuple[object, ...]], which: int) -> None:
        """The host changes a key."""
        field, values = change
        self._do("person", who, field, values[which % len(values)])

    @rule(rights=st.sampled_from((None, [], [["front-in", "night", False]])))
    def level(self, rights: list[object] | None) -> None:
        """The host changes a level."""
        self._do("level", "doors", rights)

    @rule(name=st.sampled_from(sorted(house.POINTS)), state=st.sampled_from(walk.SENSOR_STATES))
    def point_state(self, name: str, state: str) -> None:
        """A supervised input says one of its states."""
        self._do("point_state", name, state)

    @rule(name=doors, state=st.sampled_from(walk.SENSOR_STATES))
    def contact_state(self, name: str, state: str) -> None:
        """A supervised contact says one of its states."""
        self._do("contact_state", name, state)

    @rule(name=doors, locked=st.sampled_from((True, False, None)))
    def bond(self, name: str, locked: bool | None) -> None:
        """The lock's own contact."""
        self._do("bond", name, locked)

    @rule(what=st.sampled_from(walk.ALARMS))
    def acknowledge_one(self, what: tuple[str | None, str | None]) -> None:
        """A command acknowledges."""
        self._do("ack_one", *what)

    @rule()
    def silence(self) -> None:
        """No more sound."""
        self._do("silence")

    @rule(what=st.sampled_from(walk.SHELVED), for_s=st.sampled_from((-1, 60, 7200, 90000)))
    def shelve(self, what: tuple[str, str], for_s: int) -> None:
        """An alarm is set aside for a time."""
        self._do("shelve", *what, for_s)

    @rule(name=parts, in_s=st.sampled_from((None, 0, 30)), for_s=st.sampled_from((20, 3600)))
    def arm(self, name: str, in_s: int | None, for_s: int) -> None:
        """A partition is armed, now or by appointment."""
        self._do("arm", name, in_s, for_s)

    @rule(name=parts)
    def disarm(self, name: str) -> None:
        """A partition is disarmed."""
        self._do("disarm", name)

    @rule(what=st.sampled_from(walk.BYPASSED))
    def bypass(self, what: tuple[str, str]) -> None:
        """A sensor is left out once."""
        self._do("bypass", *what)

    @rule(lenient=st.booleans(), narrowed=st.booleans())
    def policy(self, lenient: bool, narrowed: bool) -> None:
        """Whether untrusted time counts; whether the host was silent for too long."""
        self._do("policy", lenient, narrowed)

    @rule(name=doors, cause=st.sampled_from(("command", "call")))
    def release(self, name: str, cause: str) -> None:
        """The desk or a flat opens."""
        self._do("release", name, cause)

    @rule(area=st.sampled_from((None, "yard", "garden")), who=st.sampled_from((None, "h301")))
    def forgive(self, area: str | None, who: str | None) -> None:
        """Anti-passback is forgiven."""
        self._do("forgive", area, who)

    @precondition(lambda self: self.watched.steps)
    @rule(away_ms=st.sampled_from((1000, 3600000)))
    def cut(self, away_ms: int) -> None:
        """The power goes and comes back."""
        self._do("cut", away_ms)

    @rule(at=points, number=st.sampled_from(walk.CARDS))
    def lost(self, at: str, number: str) -> None:
        """The power goes before a decision is durable."""
        self._do("lost", ["card", at, number, False], 1000)


def _rounds(worker: int) -> tuple[int, str]:
    """One worker's share of the steps: how many it did, and what went wrong."""
    number = worker
    while Steps.done < STEPS // WORKERS:
        chosen = random.randrange(2**32) if FUZZ else number
        machine = seed(chosen)(type("SiteMachine", (SiteMachine,), {}))
        try:
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=EXAMPLES,
                    stateful_step_count=40,
                    deadline=None,
                    database=None,
                    suppress_health_check=list(HealthCheck),
                    phases=(Phase.generate, Phase.shrink),
                ),
            )
        except Exception as error:  # noqa: BLE001  whatever goes wrong is told short
            return Steps.done, f"{error}\n\n{walk.report(Steps.wrong)}"
        number += WORKERS
    return Steps.done, ""


def test_the_laws_and_a_second_opinion_hold_over_200000_steps_of_every_verb() -> None:
    with ProcessPoolExecutor(WORKERS, multiprocessing.get_context("spawn")) as pool:
        told = list(pool.map(_rounds, range(WORKERS)))
    for _, wrong in told:
        assert not wrong, wrong
    done = sum(steps for steps, _ in told)
    assert done >= STEPS
    print(f"{done:,} steps")


def test_every_verb_of_a_walk_is_a_rule_too() -> None:
    """What bursts find, single verbs can shrink."""
    drawn = {step[0] for number in range(6) for step in walk.walk(number)}
    verbs = {name[len("_do_") :] for name in dir(Building) if name.startswith("_do_")}
    ruled = set(re.findall(r'self\._do\("(\w+)"', Path(__file__).read_text()))
    assert drawn == verbs == ruled


def test_a_sequence_that_goes_wrong_is_made_short() -> None:
    steps: list[walk.Step] = [["wait", number + 1] for number in range(40)]
    steps[20] = ["no-such-verb"]
    assert walk.shortest(steps) == [["no-such-verb"]]
