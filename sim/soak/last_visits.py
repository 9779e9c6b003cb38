"""When all is mended, everybody who has a card shows it once: who may comes in, who may not does not.

That nobody comes in who may not is law 5's at any time (`sim.soak.law_keys`). That whoever may is let in can
be asked only of a building in which nothing is wrong, at a door where nothing else has to be waited for.
"""

from collections.abc import Callable
from typing import Any

from firmware.access import credential
from firmware.runtime import aio
from sim import verbs
from sim.person import Person
from sim.soak.breach import Breach
from sim.soak.key_book import ENROLLED
from sim.soak.law_keys import Keys
from sim.soak.truth import Truth

Do = Callable[[dict[str, Any]], None]

DECIDED_MS = 1500  #: from a card to its decision
LASTS_S = 600  #: a key that has so long to go does not end meanwhile
MISUSED = (credential.LOST, credential.CANCELLED)


class LastVisits:
    """The last visits of one story.

    mode    callable (portal) -> its mode, by the records
    active  callable -> the alarms that stand, by the records
    """

    def __init__(
        self,
        truth: Truth,
        keys: Keys,
        mode: Callable[[str], str],
        active: Callable[[], Any],
    ) -> None:
        self._truth = truth
        self._keys = keys
        self._mode = mode
        self._active = active
        #: (record number, access point)  who was let in, at the last visits
        self._let_in: set[tuple[int, str]] = set()
        self._trusted = False
        self._checker = verbs.Checker(truth.config, [])

    def written(self, event: dict[str, Any]) -> None:
        """A record is durable."""
        self._trusted = event.get("clock") == "trusted"
        if event["type"] == "access.granted":
            self._let_in.add((int(event.get("credential") or 0), event["access_point"]))

    async def go(self, do: Do) -> None:
        """Have everybody come; `do` does a step."""
        if self._truth.keys_lost:
            return
        for portal in sorted(self._truth.config["portals"]):
            self._lock(portal)
            await aio.sleep_ms(1000)  # until there is another nonce
        points = [name for name in sorted(self._truth.config["access_points"]) if self._plain(name)]
        for turn, number in enumerate(sorted(self._keys.book.numbers())):
            key = self._keys.book.at(number, self._truth.now_ms(), 0)[0]
            for card in (None, None) if key is None else (key.card, key.duress_card):
                if key is not None and card not in (None, ENROLLED) and points:
                    await self._visit(do, number, key, str(card), points[turn % len(points)])

    def _lock(self, portal: str) -> None:
        """The owner has it locked, whatever the clocks say."""
        host = self._truth.building.host
        args = {"portal": portal, "mode": "locked"}
        host.command("portal.mode", args, None, None, nonce=host.status.get("nonce"))

    def _plain(self, name: str) -> bool:
        """Whether a card is all that an access point asks for."""
        config = self._truth.config
        part = config["access_points"][name]
        locks = [one["portals"] for one in config["interlocks"].values()]
        return (
            part["verification"] in ("card", "card-or-pin")
            and not part["verification_at"]
            and part["two_person"] == "off"
            and part["anti_passback"] in ("off", "soft")
            and not any(part["portal"] in portals for portals in locks)
        )

    async def _visit(self, do: Do, number: int, key: Person, card: str, point: str) -> None:
        truth = self._truth
        shown = {"access_point": point, "number": card}
        try:
            self._checker.check("present_card", shown)
        except verbs.VerbError:
            return  # this reader reads no such card
        self._let_in.clear()
        at_ms = truth.now_ms()
        do({"do": "present_card", **shown})
        await aio.sleep_ms(DECIDED_MS)
        portal = truth.config["access_points"][point]["portal"]
        locked = self._mode(portal) == "locked"
        if locked and self._may(key, point, at_ms) and (number, point) not in self._let_in:
            text = f"{point}: {key.name} not let in at {at_ms} ms, though nothing is wrong"
            raise Breach("5 not let in", truth.now_ms(), text)
        for kind, due in (
            ("credential_misuse", key.state in MISUSED),
            ("duress", card != key.card),
        ):
            if due and (point, kind) not in self._active():
                text = f"{point}: the key of {key.name} shown at {at_ms} ms, and no {kind}"
                raise Breach(f"4 {kind}", truth.now_ms(), text)

    def _may(self, key: Person, point: str, at_ms: int) -> bool:
        truth = self._truth
        may = key.access_points is None or point in key.access_points
        if key.state != credential.ACTIVE or not may or point in key.deny:
            return False
        if key.uses is not None or key.first_use_minutes is not None or key.hours is not None:
            return (
                False  # it may be spent, or not now: refused rightly, or judged where it is refused
            )
        narrows = truth.config["controller"]["narrow_after_h"] is not None
        if narrows and truth.clock_touched:
            return False
        limits = [second for second in (key.valid_from_s, key.valid_to_s) if second is not None]
        if limits and not self._trusted:
            return False
        first_s = truth.utc_ms(at_ms) // 1000
        last_s = max(first_s, truth.trusted_s)
        begun = key.valid_from_s is None or key.valid_from_s + LASTS_S < first_s
        return begun and (key.valid_to_s is None or last_s + LASTS_S < key.valid_to_s)
