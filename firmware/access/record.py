"""What a decision leaves behind: records, as values, in the contract's words."""

from collections import namedtuple

#: One event before it is written.
#: type    str   one of the contract's event types
#: at_ms   int   monotonic time of the edge or decision
#: fields  dict  what the type carries; JSON values, never a number of a card, a PIN or a key
Record = namedtuple("Record", ("type", "at_ms", "fields"))

#: Keep `value` (JSON, or None: forget it) under `key`, durably, with the records of the same answer.
Keep = namedtuple("Keep", ("key", "value"))

ACCESS_GRANTED = "access.granted"
ACCESS_DENIED = "access.denied"
ACCESS_TAKEN = "access.taken"
ACCESS_NOT_TAKEN = "access.not_taken"
PORTAL_RELEASED = "portal.released"
PORTAL_SECURED = "portal.secured"
PORTAL_MODE = "portal.mode"
PORTAL_OPENED = "portal.opened"
PORTAL_CLOSED = "portal.closed"
PASSBACK_FORGIVEN = "passback.forgiven"
ALARM_RAISED = "alarm.raised"
ALARM_ACKNOWLEDGED = "alarm.acknowledged"
ALARM_REPEATED = "alarm.repeated"
ALARM_CLEARED = "alarm.cleared"
ALARM_SILENCED = "alarm.silenced"
ALARM_SHELVED = "alarm.shelved"
ALARM_UNSHELVED = "alarm.unshelved"
PARTITION_ARMED = "partition.armed"
PARTITION_DISARMED = "partition.disarmed"
PARTITION_REFUSED = "partition.refused"
PARTITION_BYPASSED = "partition.bypassed"
PARTITION_ENTRY = "partition.entry"
AUTOMATION_DONE = "automation.done"
CREDENTIAL_CHANGED = "credential.changed"
CREDENTIAL_SYNCED = "credential.synced"
OPERATOR_CHANGED = "operator.changed"
COMMAND_ACCEPTED = "command.accepted"
COMMAND_REJECTED = "command.rejected"
SYSTEM_STARTED = "system.started"
SYSTEM_STOPPING = "system.stopping"
SYSTEM_FAULT = "system.fault"
SYSTEM_RECOVERED = "system.recovered"
JOURNAL_STARTED = "system.journal_started"
CHECKPOINT = "system.checkpoint"
CLOCK_CHANGED = "clock.changed"
EGRESS_TEST = "system.egress_test"

#: Causes of a release (law 2: every release has exactly one).
CREDENTIAL = "credential"
COMMAND = "command"
SCHEDULE = "schedule"
REX = "rex"
FIRE = "fire"
CALL = "call"
OVERRIDE = "override"
POWER = "power"
CAUSES = (CREDENTIAL, COMMAND, SCHEDULE, REX, FIRE, CALL, OVERRIDE, POWER)


def make(type: str, at_ms: int, portal: "str | None", fields: "dict[str, object] | None") -> Record:
    """A record of one portal (or none); fields that are None are left out."""
    kept: dict[str, object] = {}
    if portal is not None:
        kept["portal"] = portal
    for key, value in (fields or {}).items():
        if value is not None:
            kept[key] = value
    return Record(type, at_ms, kept)
