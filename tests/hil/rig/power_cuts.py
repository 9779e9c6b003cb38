"""The power of a guest goes while people come, round after round on one disk, and what is left is judged.

QEMU is killed at random moments; the disk is the one file that goes on. After each cut it is read on the
host, without mounting it: the file system replays, the database is whole, the chain verifies, and every
release of the strike that was seen from outside (in the kernel's log, up to the cut) has its record (law 3),
in the journal or beside it, and there the next start has to find it.
"""

import json
import math
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import bits
import progress
import state_folder
import x86_guest
from emulator import STATE_MB, GuestError, Machine
from guest import Guest, Row
from installed import BOARD, D0, D1, LABEL, STRIKE, pulses
from kill_rig import ROLES, SEEDS, TO, StoringHost, moment
from paho.mqtt.client import MQTTMessage
from state_folder import CARDS

from firmware.runtime.clock import iso
from firmware.trust import order
from host_tools.image import command, disk

ROUNDS = int(os.environ.get("DOORWARD_HIL_CUTS", "30"))  #: in all
AFAR_ROUNDS = -(-ROUNDS // 5)  #: of them, with an operator who opens from afar
SEED = int(os.environ.get("DOORWARD_HIL_SEED", "1"))
STATE = "/mnt"
#: Law 3: the door waits 100 ms for its record, and the driver 24 ms at least for the end of a frame.
WAITED_US = 124_000

#: Nobody outside sees when a command came in, so only what is older than this is asked for at a cut.
SURE_US = 2_000_000
RELEASE_MS = 500
RELEASED = "portal.released"

Event = dict[str, Any]


class Disks:
    """The disk of the state folder, and what is on it after a cut.

    broker_port  int  of a broker on the host; 0: there is no link
    """

    def __init__(self, folder: Path, broker_port: int = 0) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self.image = folder / "state.ext4"
        link = "enabled = false\n"
        if broker_port:
            link = f'host = "10.0.2.2"\nport = {broker_port}\nkeepalive_s = 5\n'
            link += "reconnect_max_ms = 1000\nhost_ack = true\n"
        site, name = TO.split("/")
        board = BOARD.read_text().replace('site = "hil"', f'site = "{site}"')
        board = board.replace("release_ms = 1000", f"release_ms = {RELEASE_MS}")
        board = f"{board.replace('c-01', name)}\n[link]\n{link}"
        state = state_folder.make(
            folder, board, {name: (role, SEEDS[name]) for name, role in ROLES.items()}
        )
        (state / "first.toml").write_text(board)
        disk.ext4(self.image, STATE_MB, "state", state)

    def read(self) -> Path:
        """What a start after the cut would find: a copy of the folder, its file system replayed."""
        copy, found = self._folder / "copy.ext4", self._folder / "found"
        command.run(["cp", "--sparse=always", self.image, copy], 60)
        checked = subprocess.run(
            [command.path("e2fsck"), "-fy", copy],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert checked.returncode in (0, 1), checked.stdout
        shutil.rmtree(found, ignore_errors=True)
        found.mkdir()
        command.run(["debugfs", "-R", f"rdump / {found}", copy], 60)
        return found


class Owner(StoringHost):
    """A host, and an operator who opens the front door from afar, each time by the newest nonce."""

    def __init__(self, port: int) -> None:
        self._nonce = ""
        self._n = 0
        self._told: dict[str, float] = {}
        super().__init__(port)

    def open(self) -> None:
        """Send one release."""
        self._n += 1
        now_ms = int(time.time() * 1000)
        made = order.make(
            "portal.release",
            {"portal": "front"},
            id=f"{self._n:032x}",
            to=TO,
            by="op-owner",
            seed=SEEDS["op-owner"],
            issued=iso(now_ms),
            expires=iso(now_ms + 30_000),
            nonce=self._nonce,
        )
        self.say("command", order.text(made))

    def told_done(self, by_s: float = math.inf) -> set[str]:
        """The commands that were answered as done, up to a time (`time.monotonic`)."""
        return {id for id, told_s in list(self._told.items()) if told_s <= by_s}

    def _message(self, client: Any, data: Any, message: MQTTMessage) -> None:
        if message.topic.endswith("/status"):
            self._nonce = json.loads(message.payload).get("nonce", "")
        if "/reply/" in message.topic:
            reply = json.loads(message.payload)
            if reply["ok"]:
                self._told.setdefault(reply["id"], time.monotonic())
        super()._message(client, data, message)


class Releases(NamedTuple):
    """How often the strike was released.

    seen   in all
    asked  after a card, sooner than without its record (law 3)
    early  of those, with nothing made durable since the card
    sure   long before the cut
    """

    seen: int
    asked: int
    early: int
    sure: int


def releases(rows: list[Row]) -> Releases:
    """The releases of one round."""
    seen = asked = early = sure = 0
    last_us, synced, was = 0, False, 1
    held = {D0: 1, D1: 1}
    for at_us, label, what, line, level in rows:
        synced = synced or what == "synced"
        if label != LABEL:
            continue
        if what == "pull" and held.get(line, level) != level:  # one that changes nothing is no edge
            held[line] = level
            last_us, synced = at_us, False
        elif what in ("set", "out") and line == STRIKE:
            if level == 0 and was == 1:
                seen += 1
                in_time = at_us - last_us < WAITED_US
                asked += in_time
                early += in_time and not synced
                sure += at_us < rows[-1][0] - SURE_US
            was = level
    return Releases(seen, asked, early, sure)


def records(folder: Path) -> list[Event]:
    """What is in the journal; the database and its chain are whole."""
    journal = folder / "journal.db"
    if not journal.exists():
        return []
    with sqlite3.connect(journal) as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        bodies = [str(body) for (body,) in base.execute("SELECT body FROM events ORDER BY seq")]
    base.close()
    said = subprocess.run(
        [sys.executable, "-m", "host_tools", "audit", "verify", journal],
        cwd=x86_guest.ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if bodies:
        assert said.returncode == 0, said.stdout + said.stderr
    return [json.loads(body) for body in bodies]


def ahead(folder: Path, events: list[Event]) -> list[Event]:
    """What is durable beside the journal and has to be in it after the next start (decision 0018)."""
    frame = folder / "journal.ahead"
    if not events or not frame.exists():
        return []
    head, _, body = frame.read_bytes().partition(b"\n")
    words = head.split()
    text = body[: int(words[1])] if len(words) == 2 else b""
    if not text or words[0] != b"%08x" % crc32(text):
        return []
    journal, _, after, batches = json.loads(text)
    if (journal, after) != (events[-1]["journal"], events[-1]["seq"]):
        return []
    return [event for given, _ in batches for event in given]


def bare(events: list[Event]) -> list[tuple[str, str, str]]:
    """What makes records the same, numbered or not."""
    return [(event["type"], event["time"], event["portal"]) for event in events]


def let_in(events: list[Event]) -> int:
    """How many releases of the front door, by a credential or a command, are recorded."""
    return sum(
        event["type"] == RELEASED
        and event["portal"] == "front"
        and event["cause"] in ("credential", "command")
        for event in events
    )


def one_round(guest: Guest, chance: random.Random, owner: Owner | None = None) -> list[Row]:
    """Start the controller, let people come, and cut the power at some moment; what the lines did."""
    guest.go_on(STATE)
    boot = owner.boot if owner else 0
    words = ["firmware", "--board", f"{STATE}/first.toml", "--state", STATE]
    threading.Thread(target=_run, args=(guest, words), daemon=True).start()
    guest.until(
        "it decides", lambda: any(row[2] == "set" and row[3] == STRIKE for row in guest.rows())
    )
    if owner:
        owner.wait_boot(boot)
    deed, latest_s = chance.choice(((Guest.kill, 4), (_cut_at_a_move, 2.5)))
    cut = threading.Timer(chance.uniform(0.3, latest_s * (2 if owner else 1)), deed, [guest])
    cut.start()
    desk = threading.Thread(target=_open, args=(guest, owner, random.Random(chance.random())))
    desk.start()
    try:
        while True:
            place, number = chance.choice(list(CARDS.values()))
            steps = [list(step) for step in pulses(bits.w26(place, number), 50, 1000)]
            steps.append([D1, 1, 2 * RELEASE_MS * 1000])  # each card is a release of its own
            guest.ask("drive", label=LABEL, steps=steps, limit_s=30)
    except GuestError:
        cut.join()
    desk.join()
    guest.drained()
    return guest.rows()


def _open(guest: Guest, owner: Owner | None, chance: random.Random) -> None:
    """Open from afar, now and then, for as long as there is power."""
    while owner and guest.process.poll() is None:
        owner.open()
        moment(chance, 1.5)


def _cut_at_a_move(guest: Guest) -> None:
    """As soon as it is told that the strike has moved: its record may stand beside the journal only."""
    guest.next_row(lambda row: row[2:] == ("set", STRIKE, 0), 4)
    guest.kill()


def _run(guest: Guest, words: list[str]) -> None:
    try:
        guest.become(*words, limit_s=100)
    except GuestError:
        return  # the power went


class Cuts:
    """One round after the other on one disk.

    machine      Machine
    folder       Path     where the disk is, and each round's console
    seed         int      of the moments and the people
    broker_port  int      of a broker on the host; 0: there is no link
    """

    def __init__(self, machine: Machine, folder: Path, seed: int, broker_port: int = 0) -> None:
        self._folder = folder
        self._disks = Disks(folder, broker_port)
        self._machine = machine._replace(state=self._disks.image)
        self._seed = seed
        self._chance = random.Random(seed)
        self._events: list[Event] = []
        self._ahead: list[Event] = []  # durable, and to be in the journal after the next start
        #: cuts that left records there alone
        self.cuts_ahead = 0
        self._rounds = 0
        #: releases that were seen; those of them that moved before their record was durable
        self.total = self.excused = 0
        self.over_s = 0.0

    def one(self, owner: Owner | None = None) -> list[Event]:
        """Run, cut, and judge what is left: the records."""
        began_s = time.monotonic()
        self._rounds += 1
        folder = self._folder / f"round-{self._rounds}"
        with Guest(self._machine, folder, keeps=True, yields=True) as guest:
            rows = one_round(guest, self._chance, owner)
            self.over_s = time.monotonic()  # and the cut was a moment before
        seen, asked, early, sure = releases(rows)
        folder = self._disks.read()
        events = records(folder)
        owed, self._ahead = self._ahead, ahead(folder, events)
        new = let_in(events + self._ahead) - let_in(self._events + owed)
        progress.say(
            f"cut {self._rounds} (seed {self._seed}): {seen} releases seen, {new} recorded, "
            f"{len(events)} records whole, {len(self._ahead)} ahead, {time.monotonic() - began_s:.0f} s"
        )
        assert events[: len(self._events)] == self._events, "records are gone, or others"
        self.cuts_ahead += bool(self._ahead)
        came = events[len(self._events) :][: len(owed)]
        assert bare(came) == bare(owed), "what stood beside the journal is not in it"
        if owner is None:
            assert not early, f"{early} of {seen} releases moved before anything was durable"
            assert new >= asked, f"{seen} releases were seen, {new} are recorded"
        assert new >= sure, f"{sure} releases were seen long before the cut, {new} are recorded"
        self.total, self.excused = self.total + seen, self.excused + max(seen - new, 0)
        self._events = events
        return events
