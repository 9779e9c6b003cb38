# portable
"""`firmware.access.interlock`: a portal stays locked while another of its groups is open or unlocked."""

from collections import namedtuple

from firmware.access.interlock import Interlock

Door = namedtuple("Door", ("name", "door_open", "unlocked"))

GROUPS = {"sluice": ("a", "b"), "yard": ("b", "c")}


def holds(open_: str = "", unlocked: str = "") -> str:
    """Which of a, b, c and d stay locked while these are open or unlocked."""
    doors = {name: Door(name, name in open_, name in unlocked) for name in "abcd"}
    lock = Interlock(GROUPS, doors)  # type: ignore[arg-type]
    return "".join([name for name in "abcd" if lock.holds(name)])


def test_nothing_is_held_while_all_are_shut() -> None:
    assert holds() == ""


def test_the_others_of_each_group_of_an_open_or_unlocked_door_are_held() -> None:
    assert holds(open_="a") == "b"
    assert holds(unlocked="a") == "b"
    assert holds(open_="b") == "ac"
    assert holds(unlocked="c") == "b"
    assert holds(open_="d") == ""
    assert holds(open_="a", unlocked="b") == "abc"
