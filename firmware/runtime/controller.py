"""The door process: inputs in, decisions out. A thin and boring loop around `firmware.access`.

`Controller` is given a board, a clock, wall time and the ports of journal, store and link; it neither
knows nor asks which ones. One task a device feeds the inbox, one task (``door``) empties it: it asks the
core, writes the records, drives the outputs, and sleeps until the next input or deadline.
"""

from firmware import wire
from firmware.access import alarm, credential, record, site
from firmware.access.deadlines import earliest
from firmware.runtime import aio, feeds
from firmware.runtime.clock import iso
from firmware.runtime.effects import Effects
from firmware.runtime.enrolment import Enrolment
from firmware.runtime.inputs import Inputs
from firmware.runtime.look_up import LookUp
from firmware.runtime.outputs import Outputs
from firmware.runtime.ports import Everybody
from firmware.runtime.publisher import Publisher
from firmware.runtime.supervisor import Supervisor
from firmware.runtime.upkeep import Upkeep
from firmware.runtime.wiring import Wiring
from firmware.wire.readings import BadRead, CardRead, CodeRead, KeyRead

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.runtime.ports import Page

IDLE_MS = 1000  #: the door looks around, and at the clock, at least this often
DOOR_BACK_OFF_MS = 1000  #: the longest that a door task which has died waits before it runs again


class Controller:
    """One controller, from its first reading of the inputs to its last record.

    config     dict     validated (`hal.board.load`)
    devices    dict     device id -> driver (`hal.board.open_board`)
    problems   list     (device, text) of what could not be opened
    visitor_key  bytes  what visitors' codes are made with; shared with the host only
    """

    def __init__(
        self,
        config: "dict[str, Any]",
        devices: "dict[str, Any]",
        problems: "list[tuple[str, str]]",
        loop: aio.Loop,
        wall: "Any",
        journal: "Any",
        store: "Any",
        transport: "Any",
        visitor_key: bytes,
    ) -> None:
        self.config = config
        self.wiring = Wiring(config)
        self.site = site.Site(self.wiring.plan())
        self.loop = loop
        self.journal = journal
        self.store = store
        self.publisher = Publisher(config, journal, transport, loop)
        self.publisher.held = store.held
        self.supervisor = Supervisor(loop)
        #: bool  the inputs were read, the locks are as they should be, cards are decided
        self.deciding = False
        #: Upkeep  what is so of the controller itself
        self.upkeep = Upkeep(
            config,
            self.site,
            self.wiring,
            wall,
            loop,
            journal,
            store,
            self._perform,
            self._fault,
        )
        self.time = self.upkeep.time
        self._devices = devices
        self._problems = problems
        #: Enrolment  what takes the next card for a new key
        self.enrolment = Enrolment(loop)
        self.inbox = feeds.Inbox()
        self._inputs = Inputs(self.wiring, self.site, devices)
        self._outputs = Outputs(config, devices)
        self._outputs.on_lock = self._lock_driven
        self._outputs.unread = self._inputs.unread
        #: callable (portal, unlocked, at_ms)  told when a lock was driven
        self.on_lock: Callable[[str, bool, int], None] | None = None
        #: callable (now_ms)  told at the end of each of the door's rounds: `heartbeat.Heartbeat.beat`
        self.on_round: Callable[[int], None] | None = None
        look = LookUp(store, visitor_key, config, wall.offset_s, self._now)
        #: Effects  what does the core's answers
        self.effects = Effects(
            self.site,
            self._outputs,
            journal,
            self.publisher,
            look,
            self.upkeep,
            self.inbox,
            loop,
        )
        self._started_at = ""

    # ---- life --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Read the inputs, secure the doors, say so, and begin to decide."""
        self.supervisor.on_death = self._task_died
        self.journal.on_health = lambda ok, text: self._fault("journal", ok, text)
        self.store.on_problem = lambda text: self._fault("store", False, text)
        self._outputs.on_fault = self._fault
        self.store.board_gives(self.config["levels"], self.config["schedules"])
        self.upkeep.take_rights()
        now = self._now()
        self._started_at = iso(self.time.utc_ms_at(now.ms))
        levels = self._inputs.look()
        effects = self.site.start(
            self.effects.kept, self.wiring.found(levels, self.journal.boot > 1), now
        )
        effects += self._inputs.start(now)
        gap_ms = None
        if self.journal.trusted_ms:
            gap_ms = max(0, self.time.utc_ms_at(now.ms) - self.journal.trusted_ms)
        started = record.make(record.SYSTEM_STARTED, now.ms, None, {"gap_ms": gap_ms})
        self._perform([started] + effects, now)
        for device, text in self._problems:
            self._fault(device, False, text)
        for text in self.store.problems:
            self._fault("store", False, text)
        self.upkeep.start(now)
        self.publisher.on_heard = self.upkeep.host_heard
        self.publisher.start(self._started_at)
        for name in sorted(self._devices):
            if hasattr(self._devices[name], "poll"):
                self._feed(name)
        self.supervisor.start("door", self._door, self._outputs.make_safe, DOOR_BACK_OFF_MS)
        self.deciding = True

    def stop(self, reason: str) -> None:
        """Say goodbye and take the power from the locks. The caller closes journal and board."""
        if self.deciding:
            self.deciding = False
            now = self._now()
            self._perform(
                [record.make(record.SYSTEM_STOPPING, now.ms, None, {"reason": reason})], now
            )
        self.supervisor.stop()
        self._outputs.make_safe()

    def kill(self) -> None:
        """End where it is, as when the power goes. For the simulator."""
        self.deciding = False
        self.supervisor.kill()
        self.publisher.kill()

    def watch_outputs(self, changed: "Callable[[], None]") -> None:
        """Have `changed` called whenever what `told` says has changed."""
        self._outputs.on_told = changed

    def told(self, device: str) -> bool:
        """Whether an output is told to sound, be lit or be on, the pauses of its rhythm included."""
        return self._outputs.told(device)

    # ---- the door task -----------------------------------------------------------------------------

    async def _door(self) -> None:
        self.ask(lambda now: (None, self.site.tick(now)))  # if this dies too, the outputs stay safe
        self._outputs.resume(self.site, self.loop.now_ms())
        while True:
            item = await self.inbox.get(self._wait_ms(), self.loop)
            now = self._now()
            self.upkeep.look(now, self.publisher.up, self.inbox.dropped)
            if item is None:
                self._look_around(now)
            while item is not None:  # what is asked of the core catches up with the time by itself
                self._handle(item, now)
                item = self.inbox.get_nowait()
            self.supervisor.look(now.ms)
            if self.on_round is not None:
                self.on_round(self.loop.now_ms())

    def _wait_ms(self) -> int:
        due_ms = earliest((self.site.deadline_ms, self._outputs.deadline_ms))
        return IDLE_MS if due_ms is None else min(IDLE_MS, max(0, due_ms - self.loop.now_ms()))

    def _look_around(self, now: "credential.Moment") -> None:
        """Nothing has come: do what is due, and no more."""
        due_ms = self.site.deadline_ms
        due = (due_ms is not None and now.ms >= due_ms) or self._outputs.is_due(now.ms)
        effects = self.site.tick(now)
        if effects or due:
            self._perform(effects, now)
        elif now.ms >= self.publisher.health_at_ms:
            self.effects.tell_soon()

    def _handle(self, item: "feeds.Input", now: "credential.Moment") -> None:
        if item.kind == feeds.FOUND:
            kind, key = item.data
            usage = credential.UNUSED
            if key is not None:
                usage = credential.usage_of(key, self.effects.kept.get(credential.usage_key(key)))
            self._perform(self.site.found(item.name, kind, key, usage, now), now)
        elif item.name in self.wiring.exits and item.data.kind == "level" and item.data.data:
            self._way_out(self._inputs.pressed(item.name), item.data.at_ms, now)
        else:
            self._perform(self._reading(item.name, item.data, now), now)

    def _way_out(self, name: str, at_ms: int, now: "credential.Moment") -> None:
        """Somebody wants out: the lock first, then whatever follows from it."""
        effects = self.site.way_out(name, at_ms, now, True)
        try:
            self._outputs.let_out(self.site, now.ms)
        finally:  # whatever becomes of the line, it is recorded
            self._perform(self.site.settled(effects, now), now)

    def _reading(self, device: str, reading: "Any", now: "credential.Moment") -> "list[object]":
        """What a reading of `device` means, asked of the core."""
        if reading.kind in ("lost", "back", "power"):
            return self._inputs.condition(device, reading, now)
        effects: list[object] = []
        if reading.kind in ("bits", "line", "level"):
            effects += self._inputs.works(device, now)
        if reading.kind == "level":
            return effects + self._inputs.level(device, reading.data, reading.at_ms, now)
        if reading.kind == "state":
            return self._inputs.state(device, reading.data, reading.at_ms, now)
        name = self.wiring.readers.get(device)
        if name is None:
            return effects
        if reading.kind == "stuck":
            effects += self.site.condition(device, alarm.READER_FAULT, reading.data, now)
        read = wire.decode(reading, self.wiring.formats[device])
        if isinstance(read, CardRead):
            if not self.enrolment.card(name, read.number.reveal()):
                effects += self.site.card(name, read.number.reveal(), now)
        elif isinstance(read, CodeRead):
            effects += self.site.code(name, read.text.reveal(), now)
        elif isinstance(read, KeyRead):
            effects += self.site.key(name, read.key.reveal(), now)
        elif isinstance(read, BadRead):
            effects += self.site.bad_read(name, now)
        return effects

    def change_keys(
        self,
        changes: "list[Any]",
        by: "str | None",
        note: "Callable[[str | None], list[Any]]",
    ) -> None:
        """Change keys, levels and schedules, all or none (`ports.Store.apply`), by the word of `by`.

        Each key that became another is recorded. `note` is told what was wrong in one line, or None; the
        effects that it gives come first, in the same batch.
        """

        def answer(problem: "str | None", told: "list[tuple[int, str]]") -> None:
            self._keys_changed(told, by, lambda: note(problem))

        self.store.apply(changes, answer)

    def sync_keys(
        self, page: "Page", by: "str | None", note: "Callable[[str | None, Any], list[Any]]"
    ) -> None:
        """Take a page of a set of keys (`ports.Store.sync`); as `change_keys`.

        A set that is in force has a record of its own; of very many keys it is the only one.
        """

        def answer(problem: "str | None", synced: "Any") -> None:
            if synced is None or not synced.applied:
                self._keys_changed([], by, lambda: note(problem, synced))
                return
            fields = {"version": synced.version, "count": self.store.held()[0], "by": by}
            made = record.make(record.CREDENTIAL_SYNCED, self.loop.now_ms(), None, fields)
            self._keys_changed(synced.told, by, lambda: note(problem, synced) + [made])

        self.store.sync(page, answer)

    def _keys_changed(
        self,
        told: "list[tuple[int, str]] | None",
        by: "str | None",
        note: "Callable[[], list[Any]]",
    ) -> None:
        """Keys became others, as `told`; None: so many that nobody knows which."""
        now = self._now()
        self.upkeep.take_rights()
        made = []
        for number, change in told or ():
            fields: dict[str, object] = {"credential": number, "change": change, "by": by}
            made.append(record.make(record.CREDENTIAL_CHANGED, now.ms, None, fields))
        recalled = Everybody() if told is None else {number for number, _ in told}
        effects = self.site.recall(recalled, now)
        self._perform(note() + effects + made, now)

    # ---- what is asked of it -----------------------------------------------------------------------

    def ask(
        self,
        verb: "Callable[[credential.Moment], tuple[str | None, list[Any]]]",
        note: "Callable[[str | None], list[Any]] | None" = None,
    ) -> "str | None":
        """Have the core do something; the reason why it does not, or None.

        `note` is told that reason before anything is done; its effects come first, in the same batch.
        """
        now = self._now()
        reason, effects = verb(now)
        self._perform((note(reason) if note is not None else []) + effects, now)
        return reason

    # ---- what goes wrong ---------------------------------------------------------------------------

    def tell(self, part: str, ok: bool, text: str) -> None:
        """Somebody around the controller has found that `part` of it fails, or works again."""
        self._fault(part, ok, text)

    def _fault(self, part: str, ok: bool, text: str) -> None:
        """A part of the controller failed, or works again: told in one line, and by its alarm."""
        now = self._now()
        type = record.SYSTEM_RECOVERED if ok else record.SYSTEM_FAULT
        effects: list[object] = [record.make(type, now.ms, None, {"part": part, "text": text})]
        name, kind = self.wiring.fault_of(part)
        if kind is not None:
            effects += self.site.condition(name, kind, not ok, now)
        self._perform(effects, now)

    def _lock_driven(self, name: str, unlocked: bool) -> None:
        if self.on_lock is not None:
            self.on_lock(name, unlocked, self.loop.now_ms())

    def _task_died(self, name: str, kind: str) -> None:
        self._fault(name, False, "task ended (%s); it is started again" % kind)
        if name == "door":  # the locks are without current, and those that this opens are on record
            self.ask(lambda now: (None, self.site.power_lost(self.wiring.fail_safe, now)))

    # ---- how ---------------------------------------------------------------------------------------

    def _perform(self, effects: "list[Any]", now: "credential.Moment") -> None:
        self.effects.perform(effects, now)

    def _now(self) -> "credential.Moment":
        return self.upkeep.now()

    def _feed(self, name: str) -> None:
        driver = self._devices[name]
        stirred = self.store.stir if name in self.wiring.readers else None
        task = "feed-" + name

        def alive() -> None:
            self.supervisor.alive(task, feeds.ALIVE_MS)

        self.supervisor.start(
            task, lambda: feeds.feed(name, driver, self.inbox, self.loop, stirred, alive)
        )
