"""Every state machine is a total table: a row for each pair, each next state a state, and so many of them."""

import importlib
from types import ModuleType

import pytest
from source_tree import modules

#: module: (states, inputs, pairs), counted here so that a row that comes or goes is seen.
TABLES = {
    "firmware.access.pairs": (2, 4, 8),
    "firmware.access.free_access": (5, 7, 35),
    "firmware.access.release": (4, 7, 28),
    "firmware.access.opening": (8, 9, 72),
    "firmware.access.passage": (3, 5, 15),
    "firmware.access.verification": (3, 6, 18),
    "firmware.access.alarm": (4, 4, 16),
    "firmware.access.fire": (3, 4, 12),
    "firmware.access.life_cycle": (6, 7, 42),
    "firmware.access.lasting": (4, 5, 20),
    "firmware.access.partition": (4, 6, 24),
}


@pytest.fixture(params=sorted(TABLES))
def machine(request: pytest.FixtureRequest) -> ModuleType:
    """Each module that has a table."""
    return importlib.import_module(request.param)


def test_every_pair_of_state_and_input_has_a_row(machine: ModuleType) -> None:
    pairs = {(state, what) for state in machine.STATES for what in machine.INPUTS}
    assert set(machine.TRANSITIONS) == pairs
    counts = (len(machine.STATES), len(machine.INPUTS), len(machine.TRANSITIONS))
    assert counts == TABLES[machine.__name__]


def test_every_next_state_is_a_state(machine: ModuleType) -> None:
    assert {row[0] for row in machine.TRANSITIONS.values()} <= set(machine.STATES)


def test_every_state_is_reached_from_the_first_one(machine: ModuleType) -> None:
    reached = {machine.STATES[0]}
    while True:
        after = reached | {machine.TRANSITIONS[(s, i)][0] for s in reached for i in machine.INPUTS}
        if after == reached:
            break
        reached = after
    assert reached == set(machine.STATES)


def test_no_name_stands_twice(machine: ModuleType) -> None:
    for words in (machine.STATES, machine.INPUTS):
        assert len(set(words)) == len(words)


def test_no_table_was_forgotten() -> None:
    found = {name for name, file in modules().items() if "\nTRANSITIONS = {" in file.read_text()}
    assert {name for name in found if name.startswith("firmware.access.")} == set(TABLES)
