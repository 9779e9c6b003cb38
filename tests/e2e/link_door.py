"""A door that only records: journal, outbox and link as the controller has them, on a real loop.

``python tests/e2e/link_door.py STATE LINK``: STATE is a folder, LINK the checked section [link] as
JSON. Takes one JSON object a line on standard input and says what happens, likewise, on standard output.
"""

import json
import os
import sys
from typing import Any

from firmware.runtime import aio, ports
from firmware.runtime.clock import MonotonicClock
from firmware.runtime.outbox import Outbox
from firmware.services.executor import ThreadExecutor
from firmware.services.journal import SqliteJournal
from firmware.services.link_child import LinkProcess
from firmware.services.waker import WakingPollWaiter
from hal.backends.monotonic_ticks import MonotonicTicks

SITE, NAME = "sunrise", "c-01"
ROOT = f"doorward/{SITE}/{NAME}"


class RecordingDoor:
    """Writes what it is told to."""

    def __init__(self, state: str, link: dict[str, Any]) -> None:
        self.loop = aio.Loop(MonotonicClock(MonotonicTicks()), WakingPollWaiter())
        self.executor = ThreadExecutor(self.loop, "journal")
        path = os.path.join(state, "journal.db")
        self.journal = SqliteJournal(path, self.executor, self.loop, NAME)
        self.journal.open()
        self.link = LinkProcess(link, SITE, NAME, self.loop, '{"state":"offline"}')
        self.link.on_health = lambda ok, text: say(health=text, ok=ok)
        self.link.on_message = self._came
        self.outbox = Outbox(self.journal, self.link, self.loop, ROOT)
        self.journal.on_written = lambda events, at_ms: self.outbox.wake()
        passed_on = self.link.on_up

        def on_up(up: bool) -> None:
            assert passed_on is not None
            passed_on(up)
            say(up=up, pid=self.link.pid, protocol=self.link.protocol)

        self.link.on_up = on_up
        self.outbox.retain("about", '{"en":"Front door","zh":"大门"}')
        self.outbox.retain("status", '{"state":"online"}')
        self._left = 0
        self._listening = True
        self._unheard: list[int] = []
        self._stopping = aio.Event()
        self._rest = b""

    def run(self) -> None:
        """Until standard input ends or says stop."""
        self.loop.waiter.add_reader(0, self._read)
        self.link.start()
        self.loop.run(self._stopped(), "door")
        self.link.stop()
        self.executor.close()
        say(modules=sorted({"ssl", "_ssl", "paho", "paho.mqtt.client"} & set(sys.modules)))

    async def _stopped(self) -> None:
        await self._stopping.wait()

    def _read(self) -> None:
        data = os.read(0, 65536)
        if not data:
            self._stopping.set()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            order = json.loads(line)
            if order["do"] == "stop":
                self._stopping.set()
            elif order["do"] == "listen":
                self._listening = order["on"]
                while self._listening and self._unheard:
                    self.link.heard(self._unheard.pop(0))
            else:
                self._append(order["count"], order["alarms"])

    def _append(self, count: int, alarms: list[int]) -> None:
        self._left += count
        for number in range(1, count + 1):
            event = {
                "time": "2026-11-21T08:15:02.417Z",
                "clock": "trusted",
                "type": "alarm.raised" if number in alarms else "portal.opened",
                "number": number,
            }
            self.journal.append(ports.Batch([event], [self.loop.now_ms()], {}), self._durable)

    def _came(self, message: ports.Message) -> None:
        say(
            message=message.topic,
            payload=message.payload.decode(),
            retained=message.retained,
            flaw=message.flaw,
            again=message.again,
        )
        if self._listening:
            self.link.heard(message.token)
        else:
            self._unheard.append(message.token)

    def _durable(self, batch: ports.Batch) -> None:
        self._left -= 1
        if not self._left:
            say(written=self.journal.count(), waiting=self.journal.waiting())


def say(**fields: Any) -> None:
    """One line to whoever drives this."""
    print(json.dumps(fields), flush=True)


if __name__ == "__main__":
    RecordingDoor(sys.argv[1], json.loads(sys.argv[2])).run()
