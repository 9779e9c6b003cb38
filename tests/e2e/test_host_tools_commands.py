"""`doorctl` orders over the real broker: with the demo's own key, and as a real controller's owner would."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT
from host_rig import Demo, listening, port_of, until, wait_lock

from firmware.runtime.outbox import LOW_WINDOW
from host_tools import site

TIME = re.compile(r"\d\d:\d\d:\d\d")


@pytest.fixture(scope="module")
def house(shared_demo: Demo) -> Demo:
    """One simulator for this module; every test leaves it as it was."""
    with listening(port_of(shared_demo)) as host:
        host.last("status", state="online")  # from then on commands are heard
    return shared_demo


def doorctl(*words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "host_tools", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, TIME.sub("16:00:12", done.stdout), done.stderr


Ctl = Callable[..., tuple[int, str, str]]


@pytest.fixture(params=["demo", "real"])
def ctl(request: pytest.FixtureRequest, house: Demo, tmp_path: Path) -> Ctl:
    """`doorctl` as a newcomer has it, and as somebody who has a broker's address and a key in a file."""
    world = house.world()
    key = tmp_path / "op-demo.key"
    key.write_bytes(base64.b64decode(world["operator"]["private_key"]))
    options = {
        "demo": ["--demo", "--url", house.url],
        "real": ["--broker", house.broker, "--site", "sunrise/c-01", "--operator", "op-demo"]
        + ["--operator-key", str(key), "--controller-key", world["public_key"]["sign"]],
    }[request.param]
    return lambda *words: doorctl(*words, *options)


def test_a_door_is_opened(house: Demo, ctl: Ctl) -> None:
    code, out, err = ctl("open", "front")
    assert (code, err) == (0, "")
    assert re.fullmatch(r"✓ front is open( for 5 s)? \(op-demo, 16:00:12\)\.\n", out)
    wait_lock(house, "front", "unlocked")
    wait_lock(house, "front", "locked")


def test_a_mode_stays_until_it_is_changed(house: Demo, ctl: Ctl) -> None:
    assert ctl("mode", "yard", "blocked")[1] == (
        "✓ yard is now “no entry with any key” (op-demo, 16:00:12).\n"
    )
    assert house.world()["portals"]["yard"]["mode"] == "blocked"
    code, out, _ = ctl("open", "yard")
    assert (code, out) == (
        1,
        "✗ yard: refused by c-01: could not be carried out.\n"
        "  Why: this door is blocked.\n"
        "  Nothing was done.\n",
    )
    assert ctl("mode", "yard", "locked")[0] == 0


def test_a_lockdown_holds_every_door_and_ends(house: Demo, ctl: Ctl) -> None:
    assert ctl("lockdown")[0] == 2
    assert {p["mode"] for p in house.world()["portals"].values()} == {"locked"}
    assert ctl("lockdown", "--yes")[0] == 0
    assert {p["mode"] for p in house.world()["portals"].values()} == {"locked_down"}
    assert ctl("lockdown", "--end", "--yes")[0] == 0
    assert {p["mode"] for p in house.world()["portals"].values()} == {"locked"}


def test_an_alarm_is_silenced_and_seen(house: Demo, ctl: Ctl) -> None:
    house.act("force_door", portal="yard")
    until("the siren sounds", lambda: house.world()["outputs"]["siren"])
    until("the alarm is told", lambda: "yard" in ctl("status")[1].partition("✗")[2])
    assert ctl("silence")[0] == 0
    assert house.world()["outputs"]["siren"] is False
    code, out, _ = ctl("ack", "yard")
    assert (code, out) == (0, "✓ yard: the alarm has been seen (op-demo, 16:00:12).\n")
    assert [(a["point"], a["by"]) for a in house.world()["alarms"]] == [("yard", "op-demo")]
    house.act("close_door", portal="yard")
    until("over", lambda: house.world()["alarms"] == [])


def test_where_things_stand_is_told(ctl: Ctl) -> None:
    code, out, err = ctl("status")
    assert (code, err) == (0, "")
    assert "✓ front      Locked\n✓ yard       Locked\n" in out
    assert "records" in out


def test_records_are_sent_again_from_a_number_on_however_many_they_are(
    house: Demo, ctl: Ctl
) -> None:
    here = site.demo(house.url)
    signer = here.signer()
    with here.link() as link:
        for n in range(LOW_WINDOW + 9):  # the records of the asking itself overtake so many
            link.send(signer.command("alarm.silence", {}, now_ms=here.now_ms(), n=n))
    until("they are recorded", lambda: house.world()["records"] > LOW_WINDOW + 9)
    count = house.world()["records"]
    code, out, err = ctl("events", "--from", "1", "--json")
    assert (code, err) == (0, "")
    told = [json.loads(line)["seq"] for line in out.splitlines()]
    assert told == list(range(1, len(told) + 1))
    assert len(told) >= count


def test_what_cannot_be_read_is_one_line(house: Demo, tmp_path: Path) -> None:
    bad = tmp_path / "bad.key"
    bad.write_text("hello\n")
    real = ["--broker", house.broker, "--site", "sunrise/c-01"]
    signs = ["--operator", "op-demo", "--operator-key"]
    for words, code, line in (
        (["--site", "sunrise"], 2, "--site: is not given whole; expected SITE/CONTROLLER"),
        (["--site", "sunrise/c-09"], 1, "sunrise/c-09: has said nothing on this broker; "),
        (["--broker", "here"], 2, "--broker: here is no address; expected HOST:PORT"),
        (["--broker", "127.0.0.1:9"], 1, "127.0.0.1:9: connection refused; expected the broker"),
        ([], 2, "--operator: nobody signs; expected --operator ID --operator-key FILE"),
        ([*signs, str(bad)], 2, f"--operator-key: {bad}: is no key; expected 32 bytes"),
        ([*signs, "/nowhere"], 2, "--operator-key: /nowhere: no such file or directory; "),
        (["--ca", "/nowhere"], 2, "--ca: /nowhere is no file; expected a PEM file"),
        (["--cert", str(bad)], 2, "--cert: without its other half; "),
    ):
        got, out, err = doorctl("open", "front", *real, *words)
        assert (got, out) == (code, ""), words
        assert err.startswith(line), err
        assert err.count("\n") == 1


def test_a_key_that_is_nobodys_opens_nothing(house: Demo, tmp_path: Path) -> None:
    key = tmp_path / "stranger.key"
    key.write_text(base64.b64encode(bytes(32)).decode() + "\n")
    code, out, _ = doorctl(
        *("open", "front", "--broker", house.broker, "--site", "sunrise/c-01"),
        *("--operator", "op-demo", "--operator-key", str(key)),
    )
    assert code == 1
    assert out.startswith("? front: sent, no answer in 5 s.\n")
    assert house.world()["portals"]["front"]["lock"] == "locked"


def test_a_controller_that_is_away_is_said_to_be(house: Demo, ctl: Ctl) -> None:
    house.act("cut_network")
    try:
        with listening(port_of(house)) as host:
            host.last("status", state="offline")
        code, out, _ = ctl("open", "front")
    finally:
        house.act("restore_network")
    assert code == 1
    assert out == (
        "? front: sent, no answer in 5 s; c-01 is offline.\n"
        "  The command ends at 16:00:12 and will not open the door later.\n"
    )
    with listening(port_of(house)) as host:
        host.last("status", state="online")
