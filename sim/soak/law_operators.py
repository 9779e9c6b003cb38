"""Law 6, its second half: whoever commands may do so, in order, and is not revoked.

Knows who may sign from the first start on, and what the owner changed of it since: by the commands that the
host really sent and the records say were accepted. Of a command whose effect waits for the store, or that
came while somebody was changed, both are right.
"""

from typing import Any

from sim.soak.breach import Breach
from sim.soak.truth import NEVER_MS, Truth
from sim.virtual_host import HOST, OPERATOR, STAFF

#: What each role may, beside what the one before it may (CONTRACT.md, section 3).
CARETAKER = ("portal.release", "alarm.acknowledge", "alarm.silence")
MANAGER = (
    *("portal.mode", "credential.upsert", "credential.remove", "credential.sync"),
    *("credential.enrol", "schedule.set", "level.set", "partition.arm", "partition.disarm"),
    *("partition.bypass", "passback.forgive", "alarm.shelve", "events.replay"),
)
INSTALLER = ("config.apply", "system.restart", "events.replay")
MAY = {
    "caretaker": CARETAKER,
    "manager": CARETAKER + MANAGER,
    "installer": INSTALLER,
    "host": (),
}
#: ops that change what stays: each with an `n` above the last
COUNTED = ("schedule.set", "level.set", "config.apply", "operator.set", "portal.mode")
#: ops that the store does, in its own time
WAIT = ("credential.", "schedule.", "level.", "config.")
ENROL = "credential.enrol"  #: waits for a card, and stands only while who asked may ask
STORED_MS = 15_000  #: from the card to the record, on the slowest of disks
SOON_MS = 1000  #: from a command's arrival to its record, where nothing has to be waited for

#: (role, whether revoked)
State = tuple[str, bool]


class Signers:
    """Who may command one building, and how far each has counted."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        first = {OPERATOR: "owner", HOST: "host", **STAFF}
        #: operator -> (at_ms, how it is from then on), in their order
        self._states: dict[str, list[tuple[int, State]]] = {
            who: [(NEVER_MS, (role, False))] for who, role in first.items()
        }
        self._unsure: set[str] = set()  # what became of them may have been lost with a journal
        self._done: set[str] = set()  # commands that changed an operator, by the records
        self._counted: dict[str, list[tuple[int, int]]] = {}  # operator -> (at_ms, its highest n)

    def started(self) -> None:
        """A start from a journal that may have lost what was kept."""
        if self._truth.corrupted:
            self._unsure |= {who for who, states in self._states.items() if len(states) > 1}
            self._counted = {}

    def accepted(self, made: dict[str, Any], at_ms: int, who: str) -> None:
        """A command that the host has sent was accepted, by a record of `at_ms`."""
        self._may(made, at_ms, who)
        self._in_order(made, at_ms, who)
        if made["op"] == "operator.set":
            self._done.add(made["id"])
            self._change(self._truth.building.host.asked[made["id"]], at_ms)

    def _known_ms(self, made: dict[str, Any], at_ms: int) -> int:
        """What was recorded up to then was known to whoever judged the command."""
        if made["op"].startswith(WAIT):
            building = self._truth.building
            sent_ms = building.at(building.host.sent_ms[made["id"]])
            return max(sent_ms, at_ms - STORED_MS) if made["op"] == ENROL else sent_ms
        return at_ms - SOON_MS

    def _may(self, made: dict[str, Any], at_ms: int, who: str) -> None:
        by = made["by"]
        if by in self._unsure or self._changed_untold(by, at_ms):
            return
        known_ms = self._known_ms(made, at_ms)
        states = self._states[by]
        before = [state for changed_ms, state in states if changed_ms <= known_ms]
        allowed = before[-1:] + [state for changed_ms, state in states if changed_ms > known_ms]
        if all(revoked for _, revoked in allowed):
            self._broken("6 revoked", f"{who}: accepted, and {by} is revoked")
        if not any(_can(role, made["op"]) for role, revoked in allowed if not revoked):
            self._broken("6 role", f"{who}: accepted, and is not for the role of {by}")

    def _changed_untold(self, by: str, at_ms: int) -> bool:
        """Whether an operator may have been changed by a command whose record found no room."""
        if self._truth.refused_ms == NEVER_MS and self._truth.roomy_for(at_ms):
            return False
        host = self._truth.building.host
        sets = [id for id, made in host.sent.items() if made["op"] == "operator.set"]
        return any(host.asked[id]["operator"] == by and id not in self._done for id in sets)

    def _in_order(self, made: dict[str, Any], at_ms: int, who: str) -> None:
        counted = self._counted.setdefault(made["by"], [])
        known_ms = self._known_ms(made, at_ms)
        highest = max((n for counted_ms, n in counted if counted_ms <= known_ms), default=-1)
        counts = made["op"].startswith("credential.") or made["op"] in COUNTED
        if counts and made.get("n", -1) <= highest:
            self._broken("6 order", f"{who}: accepted, and its n is not above the last")
        if made.get("n", -1) > (counted[-1][1] if counted else -1):
            counted.append((at_ms, made["n"]))
            del counted[:-50]

    def _change(self, asked: dict[str, Any], at_ms: int) -> None:
        name = asked["operator"]
        states = self._states.setdefault(name, [])
        role, revoked = states[-1][1] if states else ("", False)
        self._unsure.discard(name)
        states.append((at_ms, (asked.get("role", role), asked.get("revoked", revoked))))

    def _broken(self, law: str, text: str) -> None:
        raise Breach(law, self._truth.now_ms(), text)


def _can(role: str, op: str) -> bool:
    return role == "owner" or op in MAY[role]
