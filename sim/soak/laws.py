"""The laws of the house (docs/simulation.md), watched from outside the firmware while a story is told.

`Laws` is told of every step, every change that can be seen, every durable record and every message, and
looks at everything at least once a simulated second while something happens. What breaks a law raises
`sim.soak.breach.Breach` at that very instant.
"""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from firmware.runtime import aio
from firmware.runtime.clock import iso
from sim.fake_clock import ANSWER_MS
from sim.scenario import Scenario
from sim.soak.breach import Breach
from sim.soak.last_visits import LastVisits
from sim.soak.law_alarms import Alarms
from sim.soak.law_commands import Commands
from sim.soak.law_faults import Faults
from sim.soak.law_keys import Keys
from sim.soak.law_records import Records
from sim.soak.law_release import EGRESS_MS, SAFE_MS, Releases
from sim.soak.law_replays import Replays
from sim.soak.truth import Truth
from sim.virtual import AT_WRITE_MS, Building

EVERY_MS = 1000
IDLE_EVERY_MS = 30_000
BUSY_MS = 60_000  #: something happened so lately
MOST_TIMERS = 4000
ANSWERED_MS = (
    ANSWER_MS + 1000
)  #: from the return of network and power until a time server has answered


_UNSEALED = re.compile(r'"(?:sealed|sig)":"[^"]*"')


class Laws:
    """Watches one building through one story. Made after the building and before its start."""

    def __init__(self, building: Building, story: Scenario) -> None:
        self.truth = Truth(building, story)
        self.records = Records(self.truth)
        self.replays = Replays(self.truth)
        self.releases = Releases(self.truth)
        self.keys = Keys(self.truth)
        self.alarms = Alarms(self.truth, self.releases.mode)
        releases = self.releases
        self.faults = Faults(
            self.truth, self.alarms, lambda name: (releases.released[name], releases.since_ms[name])
        )
        self.commands = Commands(self.truth)
        self.visits = LastVisits(
            self.truth, self.keys, self.releases.mode, lambda: self.alarms.active
        )
        self.looks = 0
        self._building = building
        self._story = story
        self._busy_ms = 0
        self._ending = False
        self._digest = hashlib.sha256()
        self._power = True
        self._started = True
        self._hear_lines()
        self._hear_broker()

    def begin(self) -> None:
        """The controller decides, at 0 ms."""
        self.truth.look()
        self._building.loop.spawn(self._watch(), "laws")

    @property
    def digest(self) -> str:
        """What was sent and written so far, in one number."""
        return self._digest.hexdigest()

    # ---- what is heard -----------------------------------------------------------------------------

    def step(self, at_ms: int, step: dict[str, Any]) -> None:
        """A step is about to be done."""
        self._busy_ms = at_ms
        self.truth.look()
        self.truth.step(at_ms, step)
        self.releases.step(at_ms, step)
        self.alarms.step(at_ms, step)
        self.faults.step(at_ms, step)
        if step["do"] in ("press_rex", "leave", "set_fire"):
            self._later(EGRESS_MS + 1)
        if step["do"] == "fail_task":
            self._later(SAFE_MS)
        self._later(0)

    def written(self, events: list[dict[str, Any]], at_ms: list[int]) -> None:
        """Records are durable, by the controller's word."""
        now_ms = self.truth.now_ms()
        for event, event_ms in zip(events, at_ms, strict=True):
            self._one(event, max(0, self._building.at(event_ms)), now_ms)
        self.records.transaction(events)

    def _one(self, event: dict[str, Any], at_ms: int, told_ms: int) -> None:
        self._digest.update(f"{at_ms} {event['hash']}".encode())
        self.records.written(event)
        self._judge(event, at_ms, told_ms)

    def _judge(self, event: dict[str, Any], at_ms: int, told_ms: int) -> None:
        portal = str(event.get("portal"))
        mode = self.releases.mode(portal) if portal in self._story.config["portals"] else ""
        self.keys.written(event, at_ms, mode)
        self.commands.written(event, at_ms)
        self.replays.written(event)
        self.releases.written(event, at_ms, told_ms)
        self.alarms.written(event, at_ms)
        self.faults.written(event, at_ms)
        self.truth.written(event, at_ms)
        self.visits.written(event)
        died = event["type"] == "system.fault" and "task ended" in str(event.get("text"))
        if died and event["part"] not in self.truth.ended_tasks:
            raise Breach("0 task", told_ms, f"{event['part']}: {event['text']}")

    def seen(self, kind: str, name: str, now: dict[str, Any]) -> None:
        """Something in the world has changed."""
        self._digest.update(f"{self.truth.now_ms()} {kind} {name} {now}".encode())
        self.truth.seen(kind, name, now)

    def changed(self) -> None:
        """The controller's box has changed: it lost its power, or began to decide."""
        power = self._building.machine.power
        if power != self._power:
            self._power = power
            self.truth.power(power)
            if not power:
                self._cut()
        elif self._building.machine.controller is None and self._started:
            self._cut()  # the process died; what it wrote is there
        controller = self._building.machine.controller
        if controller is not None and not self._started:
            self._tell(self.records.back(controller.journal.boot))
            self._later(1)  # what was begun runs by then
        self._started = controller is not None
        self.truth.look()

    def _cut(self) -> None:
        news = self.records.cut()
        self.releases.cut(news + self.records.ahead)
        self.alarms.cut()
        self._tell(news)

    def _tell(self, news: list[dict[str, Any]]) -> None:
        """Records that the controller told nobody of when they became durable."""
        now_ms = self.truth.now_ms()
        for event in news:
            self._digest.update(f"{now_ms} {event['hash']}".encode())
            self.keys.written(event, now_ms, "")
            self.commands.written(event, now_ms)
            self.replays.written(event)
            self.alarms.written(event, now_ms)
            self.faults.written(event, now_ms)
            self.truth.written(event, now_ms)

    # ---- ears --------------------------------------------------------------------------------------

    def _hear_lines(self) -> None:
        lines = self._building.lines
        before: Callable[[str, bool | None], None] | None = lines.on_output

        def output(line: str, high: bool | None) -> None:
            self.releases.output(line, high)
            if before is not None:
                before(line, high)

        lines.on_output = output

    def _hear_broker(self) -> None:
        """What the link says on each connection, what reaches the broker, what comes to the host."""
        broker: Any = self._building.broker
        attach, take = broker.attach, broker.take
        host: Any = self._building.host.client
        came = host.on_message

        def attached(connection: Any, *args: Any) -> Any:
            publish, acknowledge = connection.publish, connection.acknowledge
            self.records.connected()

            def published(number: int, topic: str, payload: str, retain: bool) -> None:
                told = _UNSEALED.sub("", payload)  # what is sealed is another each time
                self._digest.update(f"{self.truth.now_ms()} {topic} {told}".encode())
                self.records.sent(topic, payload)
                publish(number, topic, payload, retain)

            def acknowledged(number: int) -> None:
                delivery = connection.session.under_way.get(number)
                if delivery is not None:
                    self.commands.heard(delivery)
                acknowledge(number)

            connection.publish, connection.acknowledge = published, acknowledged
            return attach(connection, *args)

        def taken(connection: Any, number: int, topic: str, payload: str, retain: bool) -> None:
            self.records.taken(topic, payload)
            self.replays.taken(topic, payload)
            take(connection, number, topic, payload, retain)

        def arrived(topic: str, payload: str, retained: bool) -> None:
            self.records.came(topic, payload)
            came(topic, payload, retained)

        broker.attach, broker.take, host.on_message = attached, taken, arrived

    # ---- as time passes ----------------------------------------------------------------------------

    async def _watch(self) -> None:
        while not self._ending:
            lately = self.truth.now_ms() - self._busy_ms < BUSY_MS
            await aio.sleep_ms(EVERY_MS if lately else IDLE_EVERY_MS)
            self.look()

    def _later(self, ms: int) -> None:
        self._building.loop.call_at(self._building.loop.now_ms() + ms, self.look)

    def look(self) -> None:
        """Look at everything, now."""
        self.looks += 1
        self.truth.look()
        self.records.look()
        self.releases.look()
        self.alarms.look()
        self.faults.look()
        self.commands.look()
        if len(self._building.loop._timers) > MOST_TIMERS:
            raise Breach("8 timers", self.truth.now_ms(), "the loop has timers without end")

    # ---- the end -----------------------------------------------------------------------------------

    async def settle(self) -> None:
        """After the story: mend everything, wait, and see that the building has come to rest."""
        await aio.sleep_ms(AT_WRITE_MS + 1)  # a cut that still waits for its write has come
        for step in self._mending():
            self._do(step)
        await aio.sleep_ms(ANSWERED_MS)
        if self.truth.clock_touched:  # sources that still say another time are put right with it
            utc = iso(self.truth.utc_ms(self.truth.now_ms()))
            self._do({"do": "set_clock", "utc": utc})
            # The owner's word was another one, the furthest time that was trusted went with a journal,
            # or somebody's wrong one was all that a board without a chip had to go by.
            if not self._story.config["controller"]["rtc"] or any(
                step.get("op") == "clock.set" or step["do"] == "fail_disk"
                for step in self._story.steps
            ):
                self._do({"do": "command", "op": "clock.set", "args": {"utc": utc}})
        await aio.sleep_ms(100_000)
        await self.visits.go(self._do)
        for _ in range(2):  # what is raised by the end of something is acknowledged too
            self._do({"do": "press_ack"})
            await aio.sleep_ms(8000)
        self._ending = True
        self.look()
        self._at_rest()
        self.records.settled()
        self.replays.settled()
        self.commands.settled()
        self.releases.settled()
        self.alarms.settled()

    def _do(self, step: dict[str, Any]) -> None:
        args = {key: value for key, value in step.items() if key != "do"}
        try:
            self._building.world.check(step["do"], args)
        except Exception:  # noqa: BLE001  this building has nothing of the kind
            return
        self.step(self.truth.now_ms(), {"at_ms": self.truth.now_ms(), **step})
        self._building.world.perform(step["do"], args)

    def _mending(self) -> list[dict[str, Any]]:
        config = self._story.config
        steps: list[dict[str, Any]] = []
        for fault in ("down", "slow", "duplicate", "reorder", "half_open", "lose_puback"):
            steps.append({"do": "fail_broker", "fault": fault, "on": False})
        steps.append({"do": "fail_storage", "on": False})
        steps.append({"do": "limit_memory", "on": False})
        steps.append({"do": "restore_power"})
        steps.append({"do": "restore_network"})
        steps.append({"do": "drift_clock", "ppm": 0})
        for name in sorted(config["devices"]):
            steps.append({"do": "unplug", "device": name, "on": False})
            steps.append({"do": "fail_line", "device": name, "fault": "none"})
            steps.append({"do": "fail_reader", "device": name, "fault": "none"})
            steps.append({"do": "tamper", "device": name, "on": False})
        for name in sorted(config["alarms"]["points"]):
            steps.append({"do": "trip_sensor", "point": name, "on": False})
            steps.append({"do": "tamper", "device": name, "on": False})
        steps.append({"do": "set_fire", "on": False})
        steps += [{"do": verb, "on": False} for verb in ("fail_mains", "fail_battery")]
        for name in sorted(config["portals"]):
            steps.append({"do": "jam_lock", "portal": name, "on": False})
            steps.append({"do": "close_door", "portal": name})
        return steps

    def _at_rest(self) -> None:
        now_ms = self.truth.now_ms()
        if not self.truth.alive_for(10_000):
            raise Breach("1 not back", now_ms, "the controller does not decide after all is mended")
        for name, seen in self._building.world.snapshot()["portals"].items():
            if not self.releases.sure(name):
                continue
            free = self.releases.mode(name) in ("unlocked", "locked_open")
            if seen["door"] == "closed" and (seen["lock"] == "unlocked") != free:
                mode = self.releases.mode(name)
                raise Breach("2 not settled", now_ms, f"{name}: {seen['lock']} in mode {mode}")
        said = {
            topic.partition("/")[2]: json.loads(body)
            for topic, body in self.records.retained.items()
            if topic.startswith("alarm/")
        }
        for point, kind in self.alarms.active:
            body = said.get(f"{point}/{kind}")
            silent = body is None or body["state"] == "normal"
            if silent and self.alarms.sure((point, kind)):
                raise Breach("4 retained", now_ms, f"{point} {kind}: active and not said so")
