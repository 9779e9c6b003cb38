"""A Pi 3 that starts from a card of ours: first boot to "online", its lock and its inputs through RPi.GPIO.

Its pins are read and driven from outside. The emulated chip knows no edges: whatever is seen was polled. The
tests follow each other: they are the first hours of one controller, until its power is cut.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pi_card
import pytest
from installed import TO
from outside_broker import Broker
from pi_guest import CutCard, Pi
from progress import say

from host_tools.image.cache import ImageError
from host_tools.image.card import Card

pytestmark = pytest.mark.pi

STRIKE, HORN = 5, 6
CONTACT, HANDLE, FIRE = 16, 20, 26
RELEASED, LOCKED = 0, 1  #: the strike's relay is active low
SILENT = 1
ONLINE_S = 600
STATE = "/var/lib/doorward"


class House(NamedTuple):
    """A controller on its first day."""

    pi: Pi
    card: Card
    broker: Broker
    folder: Path


@pytest.fixture(scope="module")
def pi_parts() -> pi_card.Parts:
    """Kernel and system of the card."""
    try:
        return pi_card.parts()
    except ImageError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Its own: another controller of the same name may be at the other one."""
    one = Broker(tmp_path_factory.mktemp("broker-pi"))
    yield one
    one.close()


@pytest.fixture(scope="module")
def house(
    pi_parts: pi_card.Parts, broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """It has power since a moment and is online."""
    folder = tmp_path_factory.mktemp("pi")
    try:
        made = pi_card.write(pi_parts, broker.port, folder)
    except ImageError as error:
        pytest.fail(str(error), pytrace=False)
    say("pi: its card is made; it starts")
    rest = {CONTACT: 0, HANDLE: 1, FIRE: 0}
    with Pi(pi_parts.kernel, pi_parts.initramfs, pi_parts.dtb, made.path, folder, rest) as pi:
        pi.until("online", lambda: online(broker), ONLINE_S)
        say("pi: online")
        yield House(pi, made, broker, folder)


def online(broker: Broker) -> bool:
    """Whether the controller says that it is."""
    told = [body for topic, body in broker.seen.items if topic == f"doorward/{TO}/status"]
    return bool(told) and '"state":"online"' in told[-1]


def until_level(house: House, pin: int, level: int) -> None:
    house.pi.until(f"GPIO{pin} is {level}", lambda: house.pi.level(pin) == level)


def test_the_same_system_makes_the_same_card_and_nobodys_yet(
    house: House, pi_parts: pi_card.Parts, tmp_path: Path
) -> None:
    again = pi_card.write(pi_parts, house.broker.port, tmp_path)
    assert again.sha256 == house.card.sha256
    fresh = CutCard(again.path, tmp_path)
    assert fresh.mode("/etc/machine-id") == "444 0"
    assert "doorward" not in fresh.names("/var/lib")
    assert "resolv.conf" not in fresh.names("/etc")


def test_the_outputs_are_safe_from_power_on_until_it_is_online(house: House) -> None:
    """Safe is high: what had been low as an output, were it for a moment, would have risen since."""
    assert (house.pi.rises(STRIKE), house.pi.rises(HORN)) == (0, 0)
    assert house.pi.is_output(STRIKE)
    assert house.pi.is_output(HORN)
    assert (house.pi.level(STRIKE), house.pi.level(HORN)) == (LOCKED, SILENT)
    assert not any(house.pi.is_output(pin) for pin in (CONTACT, HANDLE, FIRE))


def test_a_reader_whose_port_is_not_there_is_a_fault_and_no_reason_not_to_start(
    house: House,
) -> None:
    raised = house.broker.wait(0, "alarm.raised", **{"class": "reader_fault"})
    assert raised["point"] == "front-reader"


def test_the_handle_is_seen_without_an_edge_and_releases_the_lock(house: House) -> None:
    before = len(house.broker.events())
    house.pi.drive(HANDLE, 0)
    until_level(house, STRIKE, RELEASED)
    house.pi.drive(HANDLE, 1)
    house.broker.wait(before, "portal.released", portal="front", cause="rex")
    until_level(house, STRIKE, LOCKED)
    assert house.pi.rises(STRIKE) == 1
    house.broker.wait(before, "portal.secured", portal="front")


def test_an_opening_after_the_handle_is_seen_and_is_no_alarm(house: House) -> None:
    before = len(house.broker.events())
    house.pi.drive(HANDLE, 0)
    until_level(house, STRIKE, RELEASED)
    house.pi.drive(HANDLE, 1)
    house.pi.drive(CONTACT, 1)
    house.broker.wait(before, "portal.opened", portal="front")
    house.pi.drive(CONTACT, 0)
    house.broker.wait(before, "portal.closed", portal="front")
    until_level(house, STRIKE, LOCKED)
    assert [one for one in house.broker.events()[before:] if one["type"] == "alarm.raised"] == []


def test_fire_releases_the_lock_for_as_long_as_it_lasts(house: House) -> None:
    before = len(house.broker.events())
    house.pi.drive(FIRE, 1)
    until_level(house, STRIKE, RELEASED)
    house.broker.wait(before, "portal.released", portal="front", cause="fire")
    house.pi.drive(FIRE, 0)
    until_level(house, STRIKE, LOCKED)


def test_what_makes_it_this_controller_was_made_on_it_and_outlives_a_power_cut(
    house: House,
) -> None:
    events = house.broker.events()
    house.pi.kill()
    left = CutCard(house.card.path, house.folder)
    assert left.is_whole, left.said
    assert left.mode(f"{STATE}/identity.key") == "600 64"
    assert len(set(left.data(f"{STATE}/identity.key")[:32])) > 16, "its seed is not random"
    assert len(left.text("/etc/machine-id").strip()) == 32
    assert "journal.db" in left.names(STATE)
    assert events[0]["boot"] == 1
