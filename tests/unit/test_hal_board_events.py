"""The words that a config may use of events are the controller's own."""

from firmware.access import alarm, credential, portal, record
from hal import board_events


def _words(module: object) -> set[str]:
    """The values of a module's upper-case text constants."""
    named = vars(module).items()
    return {value for name, value in named if name.isupper() and isinstance(value, str)}


#: What nothing at a door follows from: told of the controller itself.
ITS_OWN = {
    "system.started",
    "system.stopping",
    "system.journal_started",
    "system.checkpoint",
    "command.accepted",
    "command.rejected",
    "system.egress_test",
    "system.fault",
    "system.recovered",
    "clock.changed",
    "credential.changed",
    "credential.synced",
    "operator.changed",
    "automation.done",
}


def test_every_event_that_is_recorded_can_be_named() -> None:
    recorded = {word for word in _words(record) if "." in word}
    assert recorded - set(board_events.FIELDS) - ITS_OWN == set()


def test_every_mode_class_and_cause_is_known() -> None:
    assert set(board_events.MODES) == set(portal.MODES)
    assert set(alarm.PRIORITY) - set(board_events.CLASSES) == set()
    assert set(board_events.CAUSES) >= set(record.CAUSES)


def test_every_reason_of_a_denial_is_known() -> None:
    assert board_events.REASONS == credential.REASONS


def test_fault_classes_are_classes_and_duress_is_not_shown() -> None:
    assert set(board_events.FAULTS) <= set(board_events.CLASSES)
    assert set(board_events.CLASSES) - set(board_events.SHOWN) == {"duress"}
    assert all("duress" not in values for values in board_events.VALUES.values())
