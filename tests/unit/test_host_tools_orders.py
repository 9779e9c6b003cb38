"""`doorctl` word for word at 80 columns: what was done, what was refused, what is not known."""

import errno
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from firmware.trust import signing
from firmware.trust.identity import Identity
from host_tools import main, show, site
from host_tools.console import Console
from host_tools.site_link import Address

SEED = bytes(range(32))
CONTROLLER = Identity.of(bytes(range(100, 164)))
WIDTH = 80


def world() -> dict[str, Any]:
    def portal(en: str, zh: str) -> dict[str, Any]:
        return {
            "mode": "locked",
            "lock": "locked",
            "door": "closed",
            "alarm": "normal",
            "fire": False,
            "pre_alarm": False,
            "since": None,
            "until": None,
            "release_ms": 5000,
            "title": {"en": en, "zh": zh},
        }

    return {
        "site": "sunrise",
        "controller": "c-01",
        "root": "doorward/sunrise/c-01",
        "clock": {
            "utc": "2026-11-21T08:00:12.000Z",
            "quality": "trusted",
            "timezone": "Asia/Shanghai",
        },
        "power": True,
        "network": True,
        "waiting": 0,
        "records": 184,
        "portals": {"front": portal("Front door", "大门"), "yard": portal("Yard gate", "院门")},
        "access_points": {},
        "points": {},
        "devices": {},
        "partitions": {"cellar": {"title": None, "state": "disarmed", "until": None}},
        "outputs": {},
        "alarms": [],
        "people": [],
        "public_key": CONTROLLER.public_key,
    }


FORCED = {
    "point": "yard",
    "class": "door_forced",
    "state": "unacknowledged",
    "priority": 2,
    "since": "2026-11-21T07:59:48.000Z",
    "by": None,
}

Reply = Callable[[dict[str, Any]], dict[str, Any] | None]


def done(command: dict[str, Any]) -> dict[str, Any]:
    return CONTROLLER.signed({"id": command["id"], "ok": True, "result": {}})


def refusing(code: str, message: str = "") -> Reply:
    error = {"code": code, "message": message}
    return lambda command: CONTROLLER.signed({"id": command["id"], "ok": False, "error": error})


def silent(command: dict[str, Any]) -> None:
    return None


def forging(command: dict[str, Any]) -> dict[str, Any]:
    return Identity.of(bytes(64)).signed({"id": command["id"], "ok": True, "result": {}})


class Desk:
    """A site with a controller at its other end, and whoever types at it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.world = world()
        self.reply: Reply = done
        self.online = True
        self.sent: list[dict[str, Any]] = []
        self._patch = patch
        patch.setattr(site, "demo", lambda url: self._site())
        patch.setattr(site.Site, "now_ms", lambda at: 1_795_248_012_000)

    def _site(self) -> site.Site:
        made = site.Site(self.world, Address("127.0.0.1", 1), "op-ling")
        made.sign_with(SEED)
        made.online = self.online
        self._patch.setattr(made, "link", self._link)
        return made

    @contextmanager
    def _link(self) -> Iterator["Desk"]:
        yield self

    def ask(self, commands: list[dict[str, Any]], wait_s: float) -> dict[str, Any]:
        """What the link does with commands."""
        for command in commands:
            assert signing.is_signed(command, signing.public_of(SEED))
        self.sent += commands
        replies = {command["id"]: self.reply(command) for command in commands}
        return {id: reply for id, reply in replies.items() if reply is not None}

    def asked(self) -> list[tuple[str, dict[str, Any]]]:
        return [(command["op"], command["args"]) for command in self.sent]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


def run(capsys: pytest.CaptureFixture[str], line: str) -> tuple[int, str, str]:
    try:
        code = main.main([*line.split(), "--demo"])
    except SystemExit as end:
        code = int(str(end.code))
    said = capsys.readouterr()
    assert [row for row in (said.out + said.err).splitlines() if len(row) > WIDTH] == []
    return code, said.out, said.err


GOLDEN: list[tuple[str, Reply, bool, int, str]] = [
    ("open front", done, True, 0, "✓ front is open for 5 s (op-ling, 16:00:12).\n"),
    ("open c-01/front", done, True, 0, "✓ front is open for 5 s (op-ling, 16:00:12).\n"),
    ("open front --ascii", done, True, 0, "+ front is open for 5 s (op-ling, 16:00:12).\n"),
    ("open front --lang zh", done, True, 0, "✓ front已开锁5秒（op-ling，16:00:12）。\n"),
    (
        "open front --color always",
        done,
        True,
        0,
        "\x1b[32m✓\x1b[0m front is open for 5 s (op-ling, 16:00:12).\n",
    ),
    (
        "open front",
        silent,
        True,
        1,
        "? front: sent, no answer in 5 s.\n"
        "  The command ends at 16:00:42 and will not open the door later.\n",
    ),
    (
        "open front",
        silent,
        False,
        1,
        "? front: sent, no answer in 5 s; c-01 is offline.\n"
        "  The command ends at 16:00:42 and will not open the door later.\n",
    ),
    (
        "open front --lang zh",
        silent,
        False,
        1,
        "? front：已发送，5秒内无应答；c-01离线。\n  指令于16:00:42失效，过后不会开门。\n",
    ),
    (
        "mode front unlocked",
        refusing("role", "this operator may not"),
        True,
        1,
        "✗ front: refused by c-01: this operator may not do that.\n  Nothing was done.\n",
    ),
    (
        "mode front unlocked --lang zh",
        refusing("role"),
        True,
        1,
        "✗ front：c-01拒绝：操作员无此权限。\n  未执行任何操作。\n",
    ),
    (
        "mode front unlocked",
        refusing("failed", "interlock"),
        True,
        1,
        "✗ front: refused by c-01: could not be carried out.\n"
        "  Why: another door of this lock is still open.\n"
        "  Nothing was done.\n",
    ),
    (
        "arm cellar",
        refusing(
            "bad_command",
            "partition.arm: from is no local time; expected such as 2026-02-01T00:00 UTC",
        ),
        True,
        1,
        "✗ cellar: refused by c-01: not understood.\n"
        "  Why: partition.arm: from is no local time; expected such as "
        "2026-02-01T00:00\n"
        "  UTC.\n"
        "  Nothing was done.\n",
    ),
    (
        "open front",
        forging,
        True,
        1,
        "✗ front: the answer is not signed by c-01.\n  Take nothing as done; look at the door.\n",
    ),
    (
        "mode yard blocked",
        done,
        True,
        0,
        "✓ yard is now “no entry with any key” (op-ling, 16:00:12).\n",
    ),
    (
        "lockdown --yes",
        done,
        True,
        0,
        "✓ front is now “lockdown; the way out is free” (op-ling, 16:00:12).\n"
        "✓ yard is now “lockdown; the way out is free” (op-ling, 16:00:12).\n",
    ),
    ("lockdown --end --yes", done, True, 0, "No door is in lockdown.\n"),
    ("ack", done, True, 0, "✓ All alarms have been seen (op-ling, 16:00:12).\n"),
    ("ack yard", done, True, 0, "✓ yard: the alarm has been seen (op-ling, 16:00:12).\n"),
    ("silence", done, True, 0, "✓ The siren is silent (op-ling, 16:00:12).\n"),
    ("arm cellar", done, True, 0, "✓ cellar is being watched (op-ling, 16:00:12).\n"),
    ("disarm cellar --lang zh", done, True, 0, "✓ cellar已撤防（op-ling，16:00:12）。\n"),
    (
        "status",
        done,
        True,
        0,
        "sunrise   2 doors   2026-11-21 16:00:12 Asia/Shanghai\n"
        "✓ front      Locked\n"
        "✓ yard       Locked\n"
        "  cellar     Not watched\n"
        "✗ Yard gate: opened without permission.\n"
        "  since 15:59:48 · Not seen yet.\n"
        "  Look at the picture. If nobody answers for it, send someone.\n"
        "  184 records, all sent\n",
    ),
]


@pytest.mark.parametrize(("line", "reply", "online", "code", "said"), GOLDEN)
def test_it_says_what_is_certain(
    desk: Desk,
    capsys: pytest.CaptureFixture[str],
    line: str,
    reply: Reply,
    online: bool,
    code: int,
    said: str,
) -> None:
    desk.reply, desk.online = reply, online
    desk.world["alarms"] = [FORCED]
    assert run(capsys, line) == (code, said, "")


WRONG = [
    ("open fron", "fron: no such door; did you mean front?"),
    ("open fron --lang zh", "fron：无此门；是否指front？"),
    ("open c-02/front", "c-02/front: is not of sunrise/c-01; expected one of its own"),
    ("mode front unlockd", "unlockd: no such mode; did you mean unlocked?"),
    ("mode front accessed", "accessed: no such mode; did you mean locked?"),
    ("arm cellra", "cellra: no such area; did you mean cellar?"),
    ("ack frnt", "frnt: no alarm there; did you mean yard?"),
    ("lockdown", "lockdown: nobody can be asked here; expected --yes"),
    (
        "events --from x",
        "doorctl events: argument --from: x: no record's number; expected 1 or more",
    ),
]


@pytest.mark.parametrize(("line", "said"), WRONG)
def test_wrong_use_is_one_line_and_nothing_is_sent(
    desk: Desk,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    said: str,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("sunrise\n"))
    desk.world["alarms"] = [FORCED]
    code, out, err = run(capsys, line)
    assert (code, out) == (2, "")
    assert err == said + "\n"
    assert desk.sent == []


class Typist(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("typed", "code", "sent"), [("sunrise\n", 0, 2), ("yes\n", 1, 0)])
def test_a_lockdown_asks_for_the_sites_name(
    desk: Desk,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    code: int,
    sent: int,
) -> None:
    monkeypatch.setattr(sys, "stdin", Typist(typed))
    got, _, err = run(capsys, "lockdown")
    assert (got, len(desk.sent)) == (code, sent)
    assert "! Lockdown of front, yard. The way out stays free.\nType sunrise to go on: " in err


def test_the_end_of_a_lockdown_is_for_doors_that_are_in_one_or_may_be(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.world["portals"]["yard"]["mode"] = "locked_down"
    assert run(capsys, "lockdown --end --yes")[0] == 0
    assert desk.asked() == [("portal.mode", {"portal": "yard", "mode": "locked"})]
    desk.sent.clear()
    desk.world["portals"]["front"]["mode"] = None
    run(capsys, "lockdown --end --yes")
    assert [args["portal"] for _, args in desk.asked()] == ["front", "yard"]


def test_a_silent_alarm_is_seen_only_where_its_place_is_named(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    duress = {**FORCED, "point": "front-in", "class": "duress"}
    desk.world["alarms"] = [FORCED, duress]
    run(capsys, "ack")
    assert desk.asked() == [("alarm.acknowledge", {})]
    desk.sent.clear()
    run(capsys, "ack front-in")
    assert desk.asked() == [("alarm.acknowledge", {"point": "front-in", "class": "duress"})]


def test_nothing_to_acknowledge_sends_nothing(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "ack") == (0, "No alarm waits to be seen.\n", "")
    assert desk.sent == []


def test_one_door_that_does_not_answer_is_told_beside_the_others(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.reply = lambda command: done(command) if command["args"]["portal"] == "front" else None
    code, out, _ = run(capsys, "lockdown --yes")
    assert code == 1
    assert out == (
        "✓ front is now “lockdown; the way out is free” (op-ling, 16:00:12).\n"
        "? yard: sent, no answer in 5 s.\n"
        "  The command ends at 16:00:42 and does nothing later.\n"
    )


def test_json_is_one_document_with_the_signed_reply(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads(run_json(capsys, "open front --json"))
    (order,) = told["orders"]
    assert (told["ok"], order["ok"], order["op"]) == (True, True, "portal.release")
    assert order["reply"] == done(desk.sent[0])
    assert order["expires"] == desk.sent[0]["expires"] == "2026-11-21T08:00:42Z"
    desk.reply = silent
    told = json.loads(run_json(capsys, "open front --json"))
    assert (told["ok"], told["orders"][0]["reply"]) == (False, None)


def run_json(capsys: pytest.CaptureFixture[str], line: str) -> str:
    main.main([*line.split(), "--demo"])
    return capsys.readouterr().out


def test_no_color_is_honoured(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert run(capsys, "silence")[1].startswith("\x1b[32m✓\x1b[0m ")
    monkeypatch.setenv("NO_COLOR", "1")
    assert run(capsys, "silence")[1].startswith("✓ ")


@pytest.mark.parametrize(
    ("line", "code", "out", "err"),
    [
        ("ack front", 0, "No alarm waits to be seen.\n", ""),
        ("ack front --lang zh", 0, "没有待确认的报警。\n", ""),
        ("arm attic", 2, "", "attic: no such area; this controller watches none.\n"),
        ("arm attic --lang zh", 2, "", "attic：没有这个区域；这台控制器没有布防区域。\n"),
        ("open attic", 2, "", "attic: no such door; this controller has none.\n"),
        ("open attic --lang zh", 2, "", "attic：没有这扇门；这台控制器没有门。\n"),
    ],
)
def test_where_there_is_nothing_of_a_kind_the_line_says_that(
    desk: Desk,
    capsys: pytest.CaptureFixture[str],
    line: str,
    code: int,
    out: str,
    err: str,
) -> None:
    desk.world |= {"partitions": {}, "portals": {}}
    assert run(capsys, line) == (code, out, err)
    assert desk.sent == []


@pytest.mark.parametrize("option", ["broker", "site", "operator", "ca", "controller-key"])
def test_the_demo_and_a_controller_of_one_s_own_are_one_or_the_other(
    desk: Desk, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    said = f"--{option}: is no part of --demo; expected one or the other\n"
    assert run(capsys, f"open front --{option} x") == (2, "", said)
    assert desk.sent == []


def test_a_reader_that_has_gone_is_no_simulator_that_is_missing(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*args: object) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    given_up: list[int] = []

    def give_up(old: int, new: int) -> None:
        os.close(old)
        given_up.append(new)

    monkeypatch.setattr(Console, "line", gone)
    monkeypatch.setattr(sys.stdout, "fileno", lambda: 1)
    with monkeypatch.context() as patch:
        patch.setattr(os, "dup2", give_up)
        code = main.main(["status", "--demo"])
    assert (code, *capsys.readouterr()) == (1, "", "")
    assert given_up == [1]


def test_a_record_that_is_sent_again_is_told_once(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [{"id": id, "seq": 1} for id in ("a", "b", "a", "c", "b")]
    stream = "".join(f"event: event\ndata: {json.dumps(event)}\n\n" for event in events)
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: io.BytesIO(stream.encode()))
    _, out, _ = run(capsys, "watch --json")
    assert [json.loads(line)["id"] for line in out.splitlines()] == ["a", "b", "c"]


def test_what_is_known_of_records_told_is_bounded_and_the_newest() -> None:
    seen = show.Seen(2)
    assert [seen.is_new({"id": id}) for id in "abca"] == [True, True, True, True]
    assert not seen.is_new({"id": "c"})
