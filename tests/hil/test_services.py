"""The controller as it is installed, on a booted systemd: it decides on what comes from outside, and is safe
whatever becomes of it. The tests follow each other: they are one day of one house.

What a line showed is read in the kernel's own log of it, so no blip is too short to be seen.
"""

from collections.abc import Iterator

import pytest
from guest import Row
from installed import (
    BOARD_FILE,
    CONTACT,
    DOOR,
    FIRE,
    HANDLE,
    LINK,
    LOCKED,
    MAGNET,
    RELEASED,
    SAFE,
    SIREN,
    STRIKE,
    YARD_EXIT,
    House,
    beside,
    shown,
)
from outside_broker import Broker
from state_folder import CARDS

OUTPUTS = tuple(SAFE)
ENGAGED, OPEN = 1, 0  #: the magnet
SPARE = 31  #: a line that no wire of the house goes to
LOOP_HANGS = "loop"  #: while other threads of the process live, as one that would pet a watchdog


class Since:
    """What happens to the lines from here on."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._seen = len(house.guest.settled())

    def rows(self) -> list[Row]:
        """Everything that has happened to any line."""
        return self._house.guest.settled()[self._seen :]

    def levels(self, line: int) -> list[int]:
        """The levels that an output has shown, each change once."""
        found = [level for _, level in shown(self.rows(), line)]
        return [level for at, level in enumerate(found) if at == 0 or found[at - 1] != level]


@pytest.fixture(scope="module")
def running(house: House) -> Iterator[House]:
    """The house with its services started; `start_up` is what the lines did meanwhile."""
    since = Since(house)
    house.start()
    house.until_it_decides()
    start_up.append(since)
    yield house
    house.stop()


start_up: list[Since] = []


def until_levels(house: House, **wanted: int) -> None:
    """Wait until outputs are so."""
    lines = {"strike": STRIKE, "magnet": MAGNET, "siren": SIREN}
    house.guest.until(
        str(wanted),
        lambda: all(house.levels(lines[name]) == [level] for name, level in wanted.items()),
    )


def test_no_output_shows_another_level_than_the_safe_one_while_it_starts(running: House) -> None:
    until_levels(running, magnet=ENGAGED)
    assert start_up[0].levels(STRIKE) == [LOCKED]
    assert start_up[0].levels(SIREN) == [SAFE[SIREN]]
    assert start_up[0].levels(MAGNET) == [OPEN, ENGAGED]


def test_each_output_became_one_at_its_safe_level(running: House) -> None:
    became = [(line, level) for _, _, what, line, level in start_up[0].rows() if what == "out"]
    assert sorted(became) == sorted(SAFE.items())


def test_a_fail_safe_lock_is_engaged_only_after_fire_and_exit_were_claimed(running: House) -> None:
    order = [
        (what, line)
        for _, _, what, line, level in start_up[0].rows()
        if line in (MAGNET, FIRE, YARD_EXIT) and (what == "in" or (what, level) == ("set", ENGAGED))
    ]
    assert order.index(("set", MAGNET)) > max(
        order.index(("in", FIRE)), order.index(("in", YARD_EXIT))
    )


def test_the_services_run_as_their_own_users_and_only_the_door_has_the_chip(running: House) -> None:
    assert running.show("User", "ActiveState") == ["doorward-door", "active"]
    assert running.show("User", "ActiveState", unit=LINK) == ["doorward-link", "active"]
    pid = running.show("MainPID")[0]
    assert "/dev/gpiochip0" in running.guest.shell(f"ls -l /proc/{pid}/fd")
    assert running.guest.shell("stat -c '%G %a' /dev/gpiochip0").strip() == "gpio 660"


def test_a_card_opens_the_strike_once_and_the_broker_hears_of_it(
    running: House, broker: Broker
) -> None:
    before, since = len(broker.events()), Since(running)
    running.badge(*CARDS[1])
    broker.wait(before, "access.granted", credential=1, access_point="front-in")
    broker.wait(before, "portal.secured", portal="front")
    until_levels(running, strike=LOCKED)
    assert since.levels(STRIKE) == [RELEASED, LOCKED]


def test_a_card_that_nobody_knows_moves_nothing(running: House, broker: Broker) -> None:
    before, since = len(broker.events()), Since(running)
    running.badge(9, 9)
    denied = broker.wait(before, "access.denied", access_point="front-in")
    assert "credential" not in denied
    assert since.levels(STRIKE) == []


def test_the_handle_releases_the_door_and_the_opening_is_seen(
    running: House, broker: Broker
) -> None:
    before, since = len(broker.events()), Since(running)
    running.press(HANDLE)
    broker.wait(before, "portal.released", portal="front", cause="rex")
    running.drive((CONTACT, 1, 500_000), (CONTACT, 0, 0))
    broker.wait(before, "portal.opened", portal="front")
    broker.wait(before, "portal.closed", portal="front")
    until_levels(running, strike=LOCKED)
    assert since.levels(STRIKE) == [RELEASED, LOCKED]


def test_a_door_that_is_forced_sounds_the_siren(running: House, broker: Broker) -> None:
    before = len(broker.events())
    running.drive((CONTACT, 1, 0))
    broker.wait(before, "alarm.raised", **{"class": "door_forced"})
    until_levels(running, siren=1)
    running.drive((CONTACT, 0, 0))
    broker.wait(before, "portal.closed", portal="front")


def test_fire_opens_the_magnet_and_its_end_locks_it_again(running: House, broker: Broker) -> None:
    before = len(broker.events())
    running.drive((FIRE, 1, 0))
    until_levels(running, magnet=OPEN, strike=RELEASED)
    broker.wait(before, "portal.released", portal="yard", cause="fire")
    running.drive((FIRE, 0, 0))
    until_levels(running, magnet=ENGAGED, strike=LOCKED)


def test_a_link_that_dies_is_back_and_the_door_does_not_notice(
    running: House, broker: Broker
) -> None:
    door, link = running.show("MainPID")[0], running.show("MainPID", unit=LINK)[0]
    running.strike("KILL", LINK)
    running.guest.until(
        "another link", lambda: running.show("MainPID", unit=LINK)[0] not in (link, "0")
    )
    before = len(broker.events())
    running.press(HANDLE)
    broker.wait(before, "portal.released", portal="front", cause="rex")
    assert running.show("MainPID")[0] == door


@pytest.mark.parametrize("blow", ["KILL", "ABRT", "TERM", LOOP_HANGS])
def test_whatever_ends_the_door_process_its_outputs_are_safe_and_it_decides_again(
    running: House, broker: Broker, blow: str
) -> None:
    """Dead, crashed, stopped, hung in its loop while its other threads live: while the strike is released.

    A process that hangs as a whole is tried on the host's own systemd.
    """
    until_levels(running, strike=LOCKED)
    before, since = len(broker.events()), Since(running)
    restarts = int(running.show("NRestarts")[0])
    running.badge(*CARDS[2])
    # In the log of the line: a busy machine may look at the line itself only after the release is over.
    running.guest.until("the release", lambda: RELEASED in since.levels(STRIKE))
    if blow == LOOP_HANGS:
        running.hang()
    else:
        running.strike(blow)
    running.until_it_decides(restarts + 1)
    until_levels(running, strike=LOCKED, magnet=ENGAGED)
    assert since.levels(STRIKE) == [RELEASED, LOCKED]
    # Between the old process and the new one the magnet was let go, once.
    assert since.levels(MAGNET) == [OPEN, ENGAGED]
    became = {(line, level) for _, _, what, line, level in since.rows() if what == "out"}
    assert became == set(SAFE.items()), "an output became one at another level than its safe one"
    broker.wait(before, "system.started")
    running.badge(*CARDS[1])
    broker.wait(before, "access.granted", credential=1)


def test_a_stopped_house_is_safe_and_stays_so(running: House) -> None:
    until_levels(running, strike=LOCKED)
    since = Since(running)
    running.stop()
    running.guest.until("it is stopped", lambda: running.show("ActiveState") == ["inactive"])
    assert since.levels(MAGNET) == [OPEN]
    assert running.levels(*OUTPUTS) == list(SAFE.values())
    assert set(since.levels(STRIKE)) <= {LOCKED}


def test_a_magnet_whose_way_out_somebody_else_has_gets_no_current(
    running: House, broker: Broker
) -> None:
    """Law 1: not before fire and REX were read."""
    running.stop()
    before, since = len(broker.events()), Since(running)
    with beside(running.guest, "echo_loop.py", FIRE, SPARE):
        running.start()
        broker.wait(before, "alarm.raised", **{"class": "lock_fault"})
        running.badge(*CARDS[1])
        broker.wait(before, "access.granted", credential=1)
        assert ENGAGED not in since.levels(MAGNET)
        running.stop()


def test_devices_on_lines_that_the_board_has_not_are_told_and_the_rest_works(
    running: House, broker: Broker
) -> None:
    """GPIO45 is a line of the chip, and none of the board's header."""
    right = running.guest.read(BOARD_FILE).decode()
    wrong = right.replace('"GPIO16"', '"GPIO99"').replace('"GPIO23"', '"GPIO45"')
    running.stop()
    before, since = len(broker.events()), Since(running)
    running.guest.write(BOARD_FILE, wrong)
    running.start()
    broker.wait(before, "alarm.raised", **{"class": "reader_fault", "point": "front-contact"})
    broker.wait(before, "system.fault", part="siren")
    running.badge(*CARDS[1])
    broker.wait(before, "access.granted", credential=1)
    assert RELEASED in since.levels(STRIKE)
    until_levels(running, magnet=ENGAGED)
    running.stop()
    assert not [row for row in since.rows() if row[3] in (45, SIREN)]
    line = 'front-contact: the rpi4 has no line "GPIO99"; expected GPIO2 to GPIO27'
    assert running.log().count(line) == 1
    assert running.show("ActiveState") == ["failed"], "nobody could make the siren silent"
    running.guest.write(BOARD_FILE, right)


def test_no_service_complained_of_what_is_not_there(running: House) -> None:
    for unit in (DOOR, LINK):
        assert "Traceback" not in running.log(unit)
