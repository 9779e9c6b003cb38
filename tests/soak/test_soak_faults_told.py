"""Faults put into a copy of the firmware, each caught by one short story told as it stands, by the right law.

Beside `test_soak_mutants`, where drawn stories must find the fault. Without it each story breaks no law.
"""

import os
import shutil
import subprocess
import sys
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sim.soak import run, story

ROOT = Path(__file__).parents[2]
ROOMS = ("firmware", "hal", "sim", "board_configs")
AT_ONCE = 2

Step = dict[str, Any]

#: file   str   of the firmware
#: was    str   the right code, in its file exactly once
#: now    str   the fault
#: law    str   what the law that catches it begins with
#: told   dict  the tables of the story that shows it
Fault = namedtuple("Fault", ("file", "was", "now", "law", "told"))


def step(at_ms: int, do: str, **args: Any) -> Step:
    return {"at_ms": at_ms, "do": do, **args}


def command(at_ms: int, op: str, **args: Any) -> Step:
    return step(at_ms, "command", op=op, args=args)


def asks(at_ms: int, by: str, op: str, **args: Any) -> Step:
    return step(at_ms, "command_by", by=by, op=op, args=args)


def forgeries(how: str, times: int) -> list[Step]:
    return [step(2000 + 1500 * one, "forge_command", how=how) for one in range(times)]


def tables(
    *steps: Step,
    end_ms: int = 30_000,
    override: dict[str, Any] | None = None,
    **person: Any,
) -> story.Tables:
    """A story of the demo building; guest-0, key 2001, has a card and may go everywhere.

    person  more of that table
    """
    return {
        "board": "board_configs/demo-sim.toml",
        "start": "2026-11-21T08:00:00Z",
        "end_ms": end_ms,
        "override": override or {},
        "person": [{"name": "guest-0", "card": "w26:012:20000", **person}],
        "step": list(steps),
    }


def card(at_ms: int) -> Step:
    return step(at_ms, "present_card", access_point="front-in", person="guest-0")


CANCELLED = {"id": 2001, "state": "cancelled", "levels": ["everywhere"], "version": 9}

FAULTS = {
    "a key keeps its state, whatever a command says": Fault(
        "services/key_tables.py",
        "        row = key.row\n        row[_VERSION]",
        "        row = key.row\n        row[_STATE] = state or row[_STATE]\n        row[_VERSION]",
        "5 cancelled",
        tables(
            card(1000),
            command(
                10_000,
                "credential.upsert",
                credential={**CANCELLED, "cards": ["w26:012:20000"]},
            ),
            card(20_000),
        ),
    ),
    "records that were asked for again are forgotten with the connection": Fault(
        "runtime/outbox.py",
        "self._ranges.begin_again()",
        "self._ranges = Ranges()",
        "3 replay",
        tables(
            command(10_000, "events.replay", from_seq=1),
            step(10_005, "cut_network"),
            step(16_000, "restore_network"),
        ),
    ),
    "a key that is taken away stays": Fault(
        "runtime/key_operations.py",
        'self._store([("remove", given["credential"])], by, note)',
        "self._store([], by, note)",
        "5 removed",
        tables(command(1000, "credential.remove", credential=2001), card(10_000)),
    ),
    "keys of a set are not put in": Fault(
        "runtime/key_operations.py",
        'changes + [("upsert", key) for key in upsert]',
        "changes",
        "5 cancelled",
        tables(
            command(1000, "credential.sync", upsert=[{**CANCELLED, "cards": ["w26:012:20000"]}]),
            card(10_000),
        ),
    ),
    "nobody may anything": Fault(
        "access/credential.py",
        "        return LOCKED_DOWN\n    return permission",
        "        return LOCKED_DOWN\n    return permission or NO_RIGHT",
        "5 denied",
        tables(card(1000)),
    ),
    "nobody's card is known": Fault(
        "access/credential.py",
        "    if key is None:\n        return UNKNOWN_CREDENTIAL",
        "    if key is None or key.state == ACTIVE:\n        return UNKNOWN_CREDENTIAL",
        "5 ",
        tables(step(1000, "press_ack")),
    ),
    "a clock that leaps ahead is believed": Fault(
        "runtime/site_time.py",
        "LEAP_MS = 86400000  #",
        "LEAP_MS = 86400000000000  #",
        "5 denied",
        tables(
            step(1000, "set_clock", jump_ms=40 * 86_400_000),
            card(10_000),
            valid_to="2026-12-21T00:00:00Z",
        ),
    ),
    "a lost key that is shown is told to nobody": Fault(
        "access/credential.py",
        "    if key.state in (LOST, CANCELLED):\n        kinds",
        "    if not key.state:\n        kinds",
        "4 credential_misuse",
        tables(step(1000, "press_ack"), state="lost"),
    ),
    "a card that tells of duress is told to nobody": Fault(
        "access/credential.py",
        "kinds.append(DURESS)",
        "pass",
        "4 duress",
        tables(step(1000, "press_ack"), duress_card="w26:012:20500"),
    ),
    "what ran before a restart runs again": Fault(
        "runtime/command_gate.py",
        "self._seen[name[len(SEEN) :]] = kept[name]",
        "pass",
        "6 twice",
        tables(
            command(1000, "portal.release", portal="front"),
            step(8000, "kill_process", process="door"),
            step(15_000, "forge_command", how="again"),
        ),
    ),
    "a reader that is pulled off is told to nobody": Fault(
        "runtime/inputs.py",
        "return effects + self._site.condition(device, alarm.READER_FAULT, lost, now)",
        "return effects",
        "4 reader_fault",
        tables(step(1000, "unplug", device="yard-in-reader", on=True), end_ms=90_000),
    ),
    "a clock that nobody vouches for is told to nobody": Fault(
        "runtime/upkeep.py",
        "self.condition(alarm.CLOCK_FAULT, not now.trusted)",
        "pass",
        "4 clock_fault",
        tables(step(1000, "set_clock", jump_ms=400_000_000), end_ms=120_000),
    ),
    "a disk that fails is told as a link that does": Fault(
        "runtime/wiring.py",
        "return CONTROLLER, alarm.STORAGE_FAULT",
        "return CONTROLLER, alarm.LINK_FAULT",
        "4 storage_fault",
        tables(
            step(12_000, "fail_storage", on=True, mode="error"),
            card(14_000),
            step(24_000, "fail_storage", on=False),
            end_ms=60_000,
        ),
    ),
    "a bolt that stays out is told to nobody": Fault(
        "access/watch.py",
        "effects = self._judge(self._faults.handle(device, alarm.LOCK_FAULT, what, now.ms), now)",
        "effects = self._judge(self._faults.handle(device, alarm.LOCK_FAULT, "
        "lasting.UNJUDGED, now.ms), now)",
        "4 lock_fault",
        tables(card(1000), step(3000, "jam_lock", portal="front", on=True), end_ms=60_000),
    ),
    "what went ahead is not read again": Fault(
        "services/journal_file.py",
        "if self._catch_up(connection):",
        "if False:",
        "3 went ahead",
        tables(card(1000), step(1010, "cut_power", at_write=3)),
    ),
    "what goes ahead is not made durable": Fault(
        "services/journal_ahead.py",
        "self._slot.write(data)\n            self._slot.sync()",
        "self._slot.write(data)",
        "3 before its record",
        tables(card(1000)),
    ),
    "no checkpoint is made by the hour": Fault(
        "runtime/upkeep.py",
        "if self._signs and now.ms >= self._checkpoint_ms:",
        "if False:",
        "3 checkpoint",
        tables(step(1000, "press_ack"), end_ms=3_700_000),
    ),
    "a host's word counts unsigned": Fault(
        "services/command_desk.py",
        "if signed.key != by.key:",
        "if signed.key is not None and signed.key != by.key:",
        "6 refused untold",
        tables(*forgeries("stored", 12)),
    ),
    "any nonce counts": Fault(
        "runtime/command_gate.py",
        'return bool(self.nonce) and message.fields.get("nonce") == self.nonce',
        'return bool(self.nonce) and bool(message.fields.get("nonce"))',
        "6 old nonce",
        tables(*forgeries("old_nonce", 3)),
    ),
    "any nonce counts, and somebody has set the clock": Fault(
        "runtime/command_gate.py",
        'return bool(self.nonce) and message.fields.get("nonce") == self.nonce',
        'return bool(self.nonce) and bool(message.fields.get("nonce"))',
        "6 stale",
        tables(step(1000, "set_clock", jump_ms=3000), *forgeries("old_nonce", 3)),
    ),
    "n need not rise": Fault(
        "runtime/command_gate.py",
        'fields["n"] <= last:',
        'fields["n"] < 0:',
        "6 order",
        tables(command(500, "portal.mode", portal="yard", mode="locked"), *forgeries("low_n", 1)),
    ),
    "who is revoked counts": Fault(
        "runtime/command_gate.py",
        "if operator.revoked:",
        "if False:",
        "6 revoked",
        tables(
            asks(1000, "op-keeper", "portal.release", portal="front"),
            command(5000, "operator.set", operator="op-keeper", revoked=True),
            asks(10_000, "op-keeper", "portal.release", portal="front"),
        ),
    ),
    "who was revoked counts after a restart": Fault(
        "runtime/operators.py",
        'revoked = kept.get("revoked") is not False',
        "revoked = False",
        "6 revoked",
        tables(
            command(1000, "operator.set", operator="op-keeper", revoked=True),
            step(5000, "kill_process", process="door"),
            asks(15_000, "op-keeper", "alarm.silence"),
        ),
    ),
    "every role may everything": Fault(
        "runtime/command_gate.py",
        "if op in OPS and op not in MAY[role]:",
        "if False:",
        "6 role",
        tables(
            asks(1000, "op-keeper", "portal.release", portal="front"),
            asks(10_000, "op-keeper", "portal.mode", portal="front", mode="unlocked"),
        ),
    ),
    "an operator who was given another role keeps the one before": Fault(
        "runtime/operators.py",
        "found.role if role is None else role,",
        "found.role,",
        "6 role",
        tables(
            command(1000, "operator.set", operator="op-desk", role="caretaker"),
            asks(5000, "op-desk", "portal.mode", portal="front", mode="locked"),
        ),
    ),
    "what must be sealed counts in the open": Fault(
        "runtime/command_gate.py",
        'if is_sealed(op) != ("sealed" in fields):',
        "if False:",
        "6 unsealed",
        tables(*forgeries("unsealed", 4)),
    ),
}


def _with(fault: Fault, folder: Path) -> Path:
    """A copy of the firmware and its simulator with `fault` in it."""
    for room in ROOMS:
        ignored = shutil.ignore_patterns("__pycache__", "page")
        shutil.copytree(ROOT / room, folder / room, ignore=ignored)
    file = folder / "firmware" / fault.file
    text = file.read_text()
    assert text.count(fault.was) == 1, f"{fault.file}: {fault.was}: not there once"
    file.write_text(text.replace(fault.was, fault.now))
    return folder


def _told(name: str, folder: Path) -> str:
    """The first law that is broken when the story of a fault is told with it, and how; "": none."""
    fault = FAULTS[name]
    _with(fault, folder)
    (folder / "story.toml").write_text(story.text(fault.told, [name]))
    ran = subprocess.run(
        [sys.executable, "-B", "-m", "sim", "run", "story.toml", "--laws", "--seed", "1"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert not ran.stderr, ran.stderr
    lines = [line.strip() for line in ran.stdout.splitlines()]
    return next((line for line in lines if line.startswith("law ")), "")


def test_each_fault_is_caught_by_its_story(tmp_path: Path) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        folders = [tmp_path / str(number) for number in range(len(FAULTS))]
        told = dict(zip(FAULTS, pool.map(_told, FAULTS, folders), strict=True))
    missed = {name: line for name, line in told.items() if f"law {FAULTS[name].law}" not in line}
    assert missed == {}


def test_without_its_fault_each_story_breaks_no_law() -> None:
    for name, fault in FAULTS.items():
        told = run.tell(fault.told, 1)
        assert told.law is None, f"{name}: {told.law}: {told.text}"
