"""Performs what the core answers: the way out first, then records, look-ups, and every other output.

A lock that waits for no record (REX, fire, whatever closes) is driven before anything is written; one
that does is driven on the commit (`firmware.runtime.outputs`). What the broker is told of the doors'
state waits until no door does.
"""

from firmware.access import access_point, automation, record
from firmware.runtime import feeds
from firmware.runtime.clock import iso
from firmware.runtime.outputs import RECORD_WAIT_MS
from firmware.runtime.ports import After, Batch, Settled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.access.credential import Moment
    from firmware.access.site import Site
    from firmware.runtime.look_up import LookUp
    from firmware.runtime.outputs import Outputs
    from firmware.runtime.publisher import Publisher
    from firmware.runtime.upkeep import Upkeep

SOON_MS = 2  #: the broker is told of a door's state so long after a change
BUSY_MS = 20  #: and looks again after this while a release waits for its record


class Effects:
    """One controller's.

    kept  dict  what was kept before the start; held up to date here
    """

    def __init__(
        self,
        site: "Site",
        outputs: "Outputs",
        journal: "Any",
        publisher: "Publisher",
        look: "LookUp",
        upkeep: "Upkeep",
        inbox: "feeds.Inbox",
        loop: "Any",
    ) -> None:
        self._site = site
        self._outputs = outputs
        self._journal = journal
        self._publisher = publisher
        self._look = look
        self._upkeep = upkeep
        self._inbox = inbox
        self._loop = loop
        self._telling = False  # the broker is told soon
        self.kept: dict[str, Any] = {}
        #: callable (Record)  told of every record as it is made
        self.on_record: Callable[[record.Record], None] | None = None
        look.on_keep = self._keep_alone
        self.keep(journal.kept)
        journal.on_kept += (lambda: self.keep(dict(journal.kept, **self.kept)),)

    def perform(self, effects: "list[Any]", now: "Moment") -> None:
        """Do all of `effects`; nothing in it waits."""
        if len(effects) == 1 and isinstance(effects[0], access_point.Lookup):
            self._look_up(effects[0])  # and nothing has changed yet
            return
        records = [effect for effect in effects if isinstance(effect, record.Record)]
        if self.on_record is not None:
            for made in records:
                self.on_record(made)
        after = [effect.call for effect in effects if isinstance(effect, After)]
        settled = [effect.call for effect in effects if isinstance(effect, Settled)]
        try:
            self._outputs.let_out(self._site, now.ms)
        finally:  # whatever becomes of a line, the record is written
            batch = self._write(effects, records, after, settled)
        self._outputs.apply(self._site, batch, now.ms)
        self._inbox.stir()
        self.tell_soon()
        if batch is None:
            for call in after + settled:
                call()
        elif after:
            self._loop.call_at(now.ms + RECORD_WAIT_MS, lambda: _let_go(batch))

    def keep(self, kept: "dict[str, Any]") -> None:
        """What is kept from now on, None: no longer."""
        for key in kept:
            self._look.heed(key, kept[key])
            if kept[key] is None:
                self.kept.pop(key, None)
            else:
                self.kept[key] = kept[key]

    def tell_soon(self) -> None:
        """Bring the retained conditions up to date in `SOON_MS`: a card waits for the door, not for them."""
        if not self._telling:
            self._telling = True
            self._loop.call_at(self._loop.now_ms() + SOON_MS, self._tell)

    # ---- how ---------------------------------------------------------------------------------------

    def _write(
        self,
        effects: "list[Any]",
        records: "list[record.Record]",
        after: "list[Callable[[], None]]",
        settled: "list[Callable[[], None]]",
    ) -> "Batch | None":
        """Look up, switch, and hand the journal what it is to write; None: there is nothing."""
        kept: dict[str, Any] = {}
        for effect in effects:
            if isinstance(effect, access_point.Keep):
                kept[effect.key] = effect.value
            elif isinstance(effect, access_point.Lookup):
                self._look_up(effect)
            elif isinstance(effect, automation.Switch):
                self._outputs.switch(effect.device, effect.on)
        if records:
            kept.update(self._upkeep.floor(self.kept))
        if not records and not kept:
            return None
        self.keep(kept)
        batch = Batch(self._events(records), [made.at_ms for made in records], kept)
        batch.after, batch.settled = after, settled
        self._journal.append(batch, self._durable)
        return batch

    def _events(self, records: "list[record.Record]") -> "list[dict[str, Any]]":
        """The records in the contract's words."""
        events = []
        quality = self._upkeep.time.quality()
        at_ms, time = -1, ""
        for made in records:
            if made.at_ms != at_ms:
                at_ms = made.at_ms
                time = iso(self._upkeep.time.utc_ms_at(at_ms))
            event = dict(made.fields, type=made.type, time=time)
            if "until" in event:  # the core counts UTC seconds
                event["until"] = iso(event["until"] * 1000)
            event["clock"] = quality
            events.append(event)
        return events

    def _durable(self, batch: Batch) -> None:
        _let_go(batch)
        batch.settle()
        self._outputs.apply(self._site, None, self._loop.now_ms())

    def _look_up(self, lookup: "access_point.Lookup") -> None:
        def found(key: "Any") -> None:
            self._inbox.put(feeds.Input(feeds.FOUND, lookup.access_point, (lookup.kind, key)))

        self._look.find(lookup, found)

    def _keep_alone(self, kept: "dict[str, Any]") -> None:
        """Keep what no record goes with."""
        self.perform(
            [access_point.Keep(key, kept[key]) for key in sorted(kept)], self._upkeep.now()
        )

    def _tell(self) -> None:
        now_ms = self._loop.now_ms()
        if self._outputs.waits:
            self._loop.call_at(now_ms + BUSY_MS, self._tell)
            return
        self._telling = False
        self._publisher.conditions(self._site, self._upkeep.time, now_ms)


def _let_go(batch: Batch) -> None:
    """What waited for a record waits no longer, written or not."""
    after, batch.after = batch.after, []
    for call in after:
        call()
