"""The unit files, by systemd's own judgement, and the arithmetic that law 1 asks of them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from service_rig import ROOT, seconds, unit

UNITS = ROOT / "firmware/units"
DOOR = UNITS / "doorward-door.service"
LINK = UNITS / "doorward-link.service"
SERVICES = [DOOR, LINK]
EXPOSURE_MAX = 1.5
PROGRAM = "/opt/doorward/.venv/bin/python"
BACK_S = 10  #: law 1: a hung loop decides again, with its outputs safe meanwhile
SAFE_S = 2  #: what docs/watchdogs.md allows a slow board for `--safe`
START_S = 4  #: and for a start

pytestmark = pytest.mark.needs("systemd", "udev")


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.stem)
def test_no_service_is_more_exposed_than_it_may_be(service: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(service)],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found is not None, done.stderr
    assert float(found[1]) <= EXPOSURE_MAX, done.stdout


def test_systemd_has_nothing_to_say_against_them(tmp_path: Path) -> None:
    for file in UNITS.iterdir():
        if file.suffix in (".service", ".socket", ".target"):
            text = file.read_text().replace(PROGRAM, sys.executable)  # verify wants it to be there
            (tmp_path / file.name).write_text(text.replace("/opt/doorward", str(ROOT)))
    files = sorted(str(file) for file in tmp_path.iterdir())
    assert len(files) == 4
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    told = [line for line in done.stderr.splitlines() if "doorward" in line]
    assert (done.returncode, told) == (0, [])


def test_a_mistake_in_a_unit_file_is_found(tmp_path: Path) -> None:
    wrong = tmp_path / "doorward-door.service"
    text = DOOR.read_text().replace(PROGRAM, sys.executable)
    wrong.write_text(text.replace("RestartSec=200ms", "RestartSec=soon\nWachdogSec=3s"))
    (tmp_path / "doorward-door.socket").write_text((UNITS / "doorward-door.socket").read_text())
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(wrong)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Failed to parse" in done.stderr
    assert "Unknown key" in done.stderr


def test_from_a_hang_to_the_next_decision_the_times_add_up() -> None:
    found_s = seconds("WatchdogSec") + seconds("TimeoutAbortSec")
    assert found_s + SAFE_S + seconds("RestartSec") + START_S <= BACK_S
    assert seconds("WatchdogSec") >= 2.5, "a door pets at least once a second, but may be late"


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.stem)
def test_it_never_gives_up_has_a_user_of_its_own_and_a_limit(service: Path) -> None:
    has = unit(service)
    assert has["Restart"] == ["always"]
    assert has["StartLimitIntervalSec"] == ["0"]
    assert has["MemoryMax"]
    assert has["LimitCORE"] == ["0"], "a core would hold what no file may"
    users = re.findall(r"^u (\S+) ", (UNITS / "sysusers.conf").read_text(), re.MULTILINE)
    assert has["User"][0] in users


def test_no_two_services_are_the_same_user() -> None:
    assert len({unit(service)["User"][0] for service in SERVICES}) == len(SERVICES)


def test_every_group_of_a_service_is_made() -> None:
    made = re.findall(r"^[gu] (\S+) ", (UNITS / "sysusers.conf").read_text(), re.MULTILINE)
    for name in unit(DOOR)["SupplementaryGroups"][0].split():
        assert name in made, "systemd starts no service whose group is not there"


def test_the_door_has_devices_and_no_network_and_the_link_the_network_and_no_devices() -> None:
    door, link = unit(DOOR), unit(LINK)
    assert door["PrivateNetwork"] == ["yes"]
    assert door["RestrictAddressFamilies"] == ["AF_UNIX"]
    assert "PrivateDevices" not in door
    assert "char-gpiochip rw" in door["DeviceAllow"]
    assert link["PrivateDevices"] == ["yes"]
    assert "DeviceAllow" not in link
    assert link["InaccessiblePaths"] == ["-/var/lib/doorward"]


def test_the_door_may_ask_whether_its_clock_is_kept() -> None:
    has = unit(DOOR)
    assert "ProtectClock" not in has
    assert "clock_adjtime" in has["SystemCallFilter"][-1].split()
    assert has["CapabilityBoundingSet"] == [""], "so nobody there can set it"


def test_the_link_may_lower_its_own_limits() -> None:
    assert "prlimit64" in unit(LINK)["SystemCallFilter"][-1].split()


def test_the_channel_is_the_same_file_for_both_and_never_given_up() -> None:
    has = unit(UNITS / "doorward-door.socket")
    assert has["ListenStream"][0] == unit(LINK)["ExecStart"][0].split()[-1]
    assert has["TriggerLimitIntervalSec"] == ["0"]
    assert has["SocketUser"] == unit(DOOR)["User"]
    assert has["SocketGroup"] == unit(LINK)["Group"]
