"""`doorward --selftest` on real lines: an installer at a pipe, the locks as a meter outside sees them.

The tests follow each other: they are one installer's morning, before the service has ever run.
"""

import json
from collections.abc import Iterator

import pytest
from guest import Guest
from installed import (
    CONTACT,
    HANDLE,
    LOCKED,
    MAGNET,
    PYTHON,
    RELEASED,
    SAFE,
    STRIKE,
    YARD_EXIT,
    House,
    shown,
)
from state_folder import CARDS

from firmware.trust import signing

STATE, FIFO, OUT = "/run/selftest", "/run/selftest.fifo", "/run/selftest.out"
ENGAGED, OPEN = 1, 0  #: the magnet
COMMAND = (
    "setpriv --reuid doorward-door --regid doorward-door --groups gpio,dialout,i2c,spi,input "
    f"{PYTHON} -I -X utf8 -m firmware --board /etc/doorward/board.toml --selftest --lang en"
)


class Installer:
    """Types what he is told, at a self-test that runs in the guest."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.guest: Guest = house.guest
        self.guest.shell(
            f"install -d -o doorward-door -g doorward-door -m 700 {STATE}; "
            f"rm -f {FIFO} {OUT}; mkfifo {FIFO}; cd /; "
            f"setsid sh -c 'exec 3<>{FIFO}; {COMMAND} --state {STATE} <&3; echo ended $?' "
            f">{OUT} 2>&1 </dev/null &"
        )
        self.waits_for("Who tests?")
        self.types("Li")

    def said(self) -> str:
        """Everything up to now."""
        return self.guest.read(OUT).decode()

    def waits_for(self, text: str) -> None:
        """Until that was said."""
        self.guest.until(text, lambda: text in self.said(), 120)

    def types(self, line: str) -> None:
        """One line and Enter."""
        self.guest.shell(f"printf '%s\\n' '{line}' >{FIFO}")

    def leaves_out(self, number: int) -> None:
        """A step that is not of interest here."""
        self.waits_for(f"[{number}/13]")
        self.types("s not today")

    def drives(self, number: int) -> None:
        """Begin a step that drives an output."""
        self.waits_for(f"[{number}/13]")
        self.types("")

    def levels(self, line: int, since: int) -> list[int]:
        """What an output has shown since row `since`, each change once."""
        found = [level for _, level in shown(self.guest.settled()[since:], line)]
        return [level for at, level in enumerate(found) if at == 0 or found[at - 1] != level]

    def until_level(self, line: int, level: int) -> None:
        """Wait until an output is so."""
        self.guest.until(f"{line}: {level}", lambda: self.house.levels(line) == [level])

    def end(self) -> None:
        """Whatever has become of it."""
        if "ended " not in self.said():
            self.types("q")
            self.waits_for("ended ")


@pytest.fixture
def installer(house: House) -> Iterator[Installer]:
    """One run."""
    one = Installer(house)
    yield one
    one.end()


def test_what_is_driven_goes_back_by_itself_at_the_exit_and_when_it_is_killed(
    installer: Installer,
) -> None:
    house = installer.house
    begun = len(installer.guest.settled())
    installer.waits_for("[1/13]")
    house.drive((CONTACT, 1, 500_000), (CONTACT, 0, 0))
    installer.waits_for("[2/13]")
    house.press(HANDLE)
    installer.drives(3)
    installer.until_level(STRIKE, RELEASED)
    installer.until_level(STRIKE, LOCKED)  # nobody has answered
    installer.types("y")
    installer.waits_for("[4/13]")
    house.badge(*CARDS[1])
    for number in (5, 6):
        installer.leaves_out(number)
    installer.drives(7)
    installer.until_level(MAGNET, ENGAGED)
    house.press(YARD_EXIT)
    installer.until_level(MAGNET, OPEN)
    installer.waits_for("Let go for who leaves")
    installer.types("n it let go")
    installer.leaves_out(8)
    installer.drives(9)
    installer.until_level(MAGNET, ENGAGED)
    installer.guest.shell("pkill -KILL -n -u doorward-door -f selftest")  # the newest: who drives
    installer.waits_for("selftest: ended by signal 9; every output goes to its safe level")
    installer.waits_for("ended 1")
    assert installer.levels(STRIKE, begun) == [RELEASED, LOCKED]
    assert installer.levels(MAGNET, begun)[:2] == [ENGAGED, OPEN]
    assert house.levels(*SAFE) == list(SAFE.values())


def test_the_next_run_goes_on_from_there_and_keeps_others_out(installer: Installer) -> None:
    installer.waits_for("8 steps were done before (Li)")
    installer.types("y")
    installer.waits_for("[9/13]")
    done = installer.guest.run(
        "sh", "-c", f"mkdir -p -m 777 /run/other; cd /; {COMMAND} --state /run/other", limit_s=120
    )
    assert done.code == 1
    (line,) = done.out.splitlines()
    assert line.startswith("selftest: the board cannot be had (")
    assert '"doorward" has the line' in line
    assert line.endswith("systemctl stop doorward.target (and start it again afterwards)")
    installer.types("q")
    installer.waits_for("ended 1")
    path = installer.guest.shell(f"ls {STATE}/commissioning-*.json").strip()
    record = json.loads(installer.guest.read(path))
    assert signing.is_signed(record, signing.key_bytes(record["public_key"]))
    told = [(step["outcome"], step["note"]) for step in record["steps"]]
    left = ("skipped", "not today")
    assert told[:4] == [("ok", "")] * 4
    assert (
        told[4:] == [left] * 2 + [("failed", "it let go"), left] + [("skipped", "not reached")] * 5
    )
    assert record["steps"][2]["lines"] == ["GPIO5"]
