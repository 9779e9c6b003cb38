"""The laws of the house, looked at after every call of the core: what may never be, whoever came.

They see the calls, the effects and what can be seen from outside, and keep books of their own.
"""

from typing import Any

import house
from building import Building, told
from oracle import within

CAUSES = ("credential", "command", "schedule", "rex", "fire", "call", "override", "power")
FREE_MODES = ("unlocked", "locked_open")
SHUT_MODES = ("blocked", "locked_down")
MOMENTARY = ("duress", "credential_misuse", "wrong_attempts", "panic")
SOUNDING = ("door_forced", "fire", "panic", "intrusion")
NO_TICK = ("card", "code")  #: a look-up alone leaves at once; what is due follows with its answer
KEPT_MAX = 400  #: far above what this building may ever keep


class Door:
    """What is known of one portal."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.exit_until_ms = 0  # nothing may lock before
        self.exit_held = False
        self.free_until_ms = 0  # no timed release lasts longer
        self.unlocked = False
        self.mode_cause = "schedule"
        self.waiting: dict[str, Any] | None = None  # the last grant without a verdict
        self.secured = False  # since that grant


class Laws:
    """Watches one building."""

    def __init__(self, building: Building) -> None:
        self.building = building
        self.doors = {name: Door(part["mode"]) for name, part in house.PORTALS.items()}
        self.fire = self.loop_open = False
        self.alarms: dict[tuple[str, str], str] = {}
        self.sounding: dict[tuple[str, str], int] = {}
        self.since_s: dict[tuple[str, str], int] = {}  # of those that nobody silenced
        self.shelved: set[tuple[str, str]] = set()
        self.armed: set[str] = set()
        self.watching: set[str] = set()  # armed at some instant of this step
        self.bypassed: dict[str, set[str]] = {name: set() for name in house.PARTITIONS}
        self.in_partition = {point for part in house.PARTITIONS.values() for point in part[0]}
        self.secrets = [
            value
            for who in building.people.values()
            for value in (who["card"], who["pin"], who["duress_pin"], who["code"])
            if value is not None
        ] + list(house.STRANGERS)

    def watch(self, call: list[Any], now: Any, effects: list[Any]) -> None:
        """Judge one call."""
        if call[0] == "start":
            self._restarted(now)
        records = [effect for effect in effects if hasattr(effect, "at_ms")]
        fields_of = [(one.type, one.fields.get("portal"), one.fields) for one in records]
        self._heard(call, now)
        self._modes(call, now, fields_of)
        self._no_secret(effects)
        self._releases(call, now, fields_of)
        self._verdicts(now, fields_of)
        self._partitions(call, now, fields_of)
        self._alarms(call, now, fields_of)
        self._automated(fields_of)
        self._egress(call, now)
        self._locks(now)

    # ---- what is known -----------------------------------------------------------------------------

    def _restarted(self, now: Any) -> None:
        for door in self.doors.values():
            door.exit_until_ms = door.free_until_ms = 0
            door.exit_held = door.unlocked = False
        self.sounding = {}
        for key, since_s in self.since_s.items():
            passed_ms = max(0, now.utc_s - since_s) * 1000
            self.sounding[key] = now.ms + house.SIREN_MAX_MS - passed_ms

    def _heard(self, call: list[Any], now: Any) -> None:
        name = call[1] if len(call) > 1 else ""
        if call[0] == "rex":
            door = self.doors[name]
            door.exit_until_ms = now.ms + self._exit_ms(name)
        elif call[0] == "exit":
            self.doors[name].exit_held = call[2]
        elif call[0] == "contact" or (
            call[0] == "contact_state" and call[2] in ("normal", "active")
        ):
            if not house.PORTALS[name]["cuts"]:
                self.doors[name].exit_until_ms = 0  # it has served
        elif call[:2] == ["point", "fire"]:
            self.loop_open = call[2]
        elif call[:2] == ["point_state", "fire"] and call[2] in ("active", "cut", "normal"):
            self.loop_open = call[2] != "normal"
        elif call[0] == "start":
            self.loop_open = bool(self.building.active.get("fire"))
        if self.loop_open:
            self.fire = True
        elif call[0] == "ack":  # the reset is by hand: the loop is whole and the key is then turned
            self.fire = False
        assert self.building.site.burning == self.fire, f"burning, after {call}: not {self.fire}"

    def _exit_ms(self, name: str) -> int:
        return house.EGRESS_MS if house.PORTALS[name]["cuts"] else house.RELEASE_MS

    # ---- law 1 -------------------------------------------------------------------------------------

    def _egress(self, call: list[Any], now: Any) -> None:
        for name, door in self.doors.items():
            core = self.building.site.portals[name]
            if self.fire and house.PORTALS[name]["fire"]:
                assert core.unlocked, f"{name}: fire does not release"
                assert not core.waits_for_record(now.ms), f"{name}: fire waits"
            if now.ms < door.exit_until_ms:
                assert core.unlocked, f"{name}: a way out is shut"
            if call[0] == "rex" and call[1] == name:
                assert core.unlocked, f"{name}: REX does not release"
                assert not core.waits_for_record(now.ms), f"{name}: REX waits"

    # ---- modes -------------------------------------------------------------------------------------

    def _modes(self, call: list[Any], now: Any, records: list[Any]) -> None:
        """A mode changes by command or by the hours of free access, and is recorded."""
        for type, portal, fields in records:
            if type != "portal.mode":
                continue
            door = self.doors[portal]
            assert fields["mode"] != door.mode, f"{portal}: {fields}, and was so before"
            if fields["cause"] == "command":
                assert call == ["mode", portal, fields["mode"]], f"{portal}: {fields} by {call}"
            elif fields["cause"] == "automation":
                wanted = [(row[3][1], row[3][2]) for row in house.AUTOMATION if row[3][0] == "mode"]
                assert fields["mode"] in ("locked", "blocked", "locked_down"), fields
                assert any(fields["mode"] == mode and portal in at for mode, at in wanted), fields
            else:
                assert fields["cause"] == "schedule", fields
                assert fields["mode"] in ("locked", "unlocked"), fields
                assert portal in house.FREE_ACCESS, f"{portal}: has no hours"
                free = self._in_hours(portal, now)
                assert free or fields["mode"] == "locked", f"{portal}: unlocked outside its hours"
            door.mode, door.mode_cause = fields["mode"], fields["cause"]
        if call[0] == "mode" and self.building.site.portals[call[1]].mode == call[2]:
            self.doors[call[1]].mode_cause = "command"
        for name in house.FREE_ACCESS:
            door = self.doors[name]
            if door.mode == "unlocked" and door.mode_cause == "schedule" and call[0] not in NO_TICK:
                assert self._in_hours(name, now), f"{name}: stands free after its hours"

    def _in_hours(self, name: str, now: Any) -> bool:
        return bool(now.trusted and within(house.FREE_ACCESS[name][0], now.local_s))

    # ---- laws 2 and 3 ------------------------------------------------------------------------------

    def _releases(self, call: list[Any], now: Any, records: list[Any]) -> None:
        caused: dict[str, list[str]] = {name: [] for name in self.doors}
        granted: dict[str, int] = dict.fromkeys(self.doors, 0)
        for type, portal, fields in records:
            if type == "portal.released":
                assert fields["cause"] in CAUSES, fields
                caused[portal].append(fields["cause"])
            elif type == "access.granted":
                granted[portal] += 1
        for name, door in self.doors.items():
            causes = caused[name]
            by_key = [one for one in causes if one in ("credential", "override")]
            most = 2 if name == "cellar" else 1  # two people, one release
            assert len(by_key) == (granted[name] + most - 1) // most, f"{name}: {granted}, {causes}"
            self._explained(call, name, causes)
            self._interlocked(call, name, causes)
            core = self.building.site.portals[name]
            if core.unlocked and not door.unlocked:
                assert causes, f"{name}: unlocked by nothing"
            if causes and not self._shut_again(records, name):
                assert core.unlocked, f"{name}: released and not unlocked: {causes}"
            for cause in causes:
                self._lasts(name, door, cause, now)
            assert core.mode == door.mode, f"{name}: mode {core.mode}, not {door.mode}"
            door.unlocked = core.unlocked

    def _shut_again(self, records: list[Any], name: str) -> bool:
        return any(type == "portal.secured" and portal == name for type, portal, _ in records)

    def _explained(self, call: list[Any], name: str, causes: list[str]) -> None:
        """Only what happened can be a cause."""
        door = self.doors[name]
        for cause in causes:
            if cause == "rex":
                assert call[:2] == ["rex", name], f"{name}: rex by {call}"
            elif cause == "command":
                if call[0] == "start":  # in the mode that it was in; a rule may shut it at once
                    continue
                by_mode = call[:2] == ["mode", name]
                assert by_mode or call == ["release", name, cause], f"{name}: by {call}"
                assert not by_mode or door.mode in FREE_MODES, f"{name}: command in {door.mode}"
                assert door.mode not in SHUT_MODES, f"{name}: command in {door.mode}"
            elif cause == "call":
                assert call == ["release", name, cause], f"{name}: by {call}"
                assert door.mode not in SHUT_MODES, f"{name}: call in {door.mode}"
            elif cause == "schedule":
                is_free = door.mode in FREE_MODES or call[0] == "start"
                assert is_free, f"{name}: schedule in {door.mode}"
            elif cause == "fire":
                assert self.fire, f"{name}: by a fire that is none"
                assert house.PORTALS[name]["fire"], f"{name}: stays latched on fire"
            elif cause == "power":
                assert call[0] == "start", f"{name}: by power at {call}"
                assert house.PORTALS[name]["cuts"], f"{name}: is fail-secure"
            elif cause == "override":
                assert door.mode == "locked_down", f"{name}: override in {door.mode}"
            elif cause == "credential":
                assert door.mode not in SHUT_MODES, f"{name}: granted in {door.mode}"

    def _interlocked(self, call: list[Any], name: str, causes: list[str]) -> None:
        """Nobody is let through a door while another of its group is open or unlocked."""
        asked = [one for one in causes if one not in ("rex", "fire", "power")]
        if not asked or call[0] == "start":
            return
        for group in house.INTERLOCKS.values():
            for other in group if name in group else ():
                core = self.building.site.portals[other]
                is_free = core.unlocked or self.building.open.get(other)
                assert other == name or not is_free, f"{name}: {asked} with {other} open"

    def _lasts(self, name: str, door: Door, cause: str, now: Any) -> None:
        if cause == "rex":
            door.free_until_ms = max(door.free_until_ms, now.ms + self._exit_ms(name))
        elif cause in ("command", "call"):
            door.free_until_ms = max(door.free_until_ms, now.ms + house.RELEASE_MS)
        elif cause in ("credential", "override"):
            door.free_until_ms = max(door.free_until_ms, now.ms + house.EXTENDED_RELEASE_MS)

    def _locks(self, now: Any) -> None:
        """A lock that is released is so because of a mode, a fire, a way out or a time that still runs."""
        for name, door in self.doors.items():
            if door.exit_held:  # it does not run out meanwhile
                door.free_until_ms = max(door.free_until_ms, now.ms + self._exit_ms(name))
            if not self.building.site.portals[name].unlocked:
                continue
            part = house.PORTALS[name]
            if door.mode in FREE_MODES or (self.fire and part["fire"]) or door.exit_held:
                continue
            if part["closes"] and self.building.open.get(name) and name not in self.building.blind:
                continue
            held_ms = self._exit_ms(name) if door.exit_until_ms else 0
            assert now.ms < max(door.free_until_ms, held_ms), f"{name}: released by nothing now"

    # ---- verdicts ----------------------------------------------------------------------------------

    def _verdicts(self, now: Any, records: list[Any]) -> None:
        for type, portal, fields in records:
            if type == "access.granted":
                door = self.doors[portal]
                assert door.waiting is None or not door.secured, f"{portal}: {door.waiting}"
                door.waiting, door.secured = fields, False
            elif type == "portal.secured":
                self.doors[portal].secured = True
            elif type in ("access.taken", "access.not_taken"):
                last = self.doors[portal].waiting
                assert last is not None, f"{portal}: a verdict on nobody: {fields}"
                for key in ("credential", "holder", "access_point"):
                    assert fields.get(key) == last.get(key), f"{portal}: {fields}, not {last}"
                self.doors[portal].waiting = None
        for name, door in self.doors.items():
            if door.waiting is not None:
                over_ms = door.free_until_ms + house.SETTLE_MS
                assert now.ms < over_ms, f"{name}: no verdict on {door.waiting}"

    # ---- law 4 -------------------------------------------------------------------------------------

    def _alarms(self, call: list[Any], now: Any, records: list[Any]) -> None:
        for type, _, fields in records:
            if type == "alarm.silenced":
                for key in self._loud(now):
                    del self.sounding[key], self.since_s[key]
            if not type.startswith("alarm.") or "class" not in fields:
                continue
            key = (fields["point"], fields["class"])
            state = self.alarms.get(key, "normal")
            if type == "alarm.raised":
                self.alarms[key] = "returned" if key[1] in MOMENTARY else "unacknowledged"
                self.sounding[key] = now.ms + house.SIREN_MAX_MS
                self.since_s[key] = now.utc_s
                self._watched(key, fields)
            elif type == "alarm.acknowledged":
                self._may_acknowledge(call, key, fields)
                assert state in ("unacknowledged", "returned"), f"{key}: acknowledged, was {state}"
                self.alarms[key] = "acknowledged"
            elif type == "alarm.cleared":
                assert state == "acknowledged", f"{key}: cleared, was {state}"
                self.alarms[key] = "normal"
            elif type == "alarm.repeated":
                assert state in ("unacknowledged", "returned"), f"{key}: repeated, was {state}"
                assert key not in self.shelved, f"{key}: repeated, and is shelved"
            elif type == "alarm.shelved":
                assert key[1] not in ("fire", "panic", "duress"), f"{key}: shelved"
                self.shelved.add(key)
            elif type == "alarm.unshelved":
                self.shelved.remove(key)
        known = {
            (one.point, one.kind): one.state
            for one in self.building.site.alarms.everything()
            if one.state != "normal"
        }
        mine = {key: state for key, state in self.alarms.items() if state != "normal"}
        # That something is over leaves no record where nobody has acknowledged it yet.
        for key in mine:
            if mine[key] == "unacknowledged" and known.get(key) == "returned":
                self.alarms[key] = mine[key] = "returned"
        assert known == mine, f"alarms: {known}; told: {mine}"
        self._signs(now, mine)

    def _may_acknowledge(self, call: list[Any], key: tuple[str, str], fields: Any) -> None:
        """The key switch and a manager's card acknowledge what is shown; a command what it names."""
        if call[0] == "ack_one":
            assert call[2] == key[1] or (call[2] is None and key[1] != "duress"), f"{key}: {call}"
            return
        assert key not in self.shelved, f"{key}: acknowledged, and is not shown"
        assert key[1] != "duress", "duress shows nothing, so nothing here acknowledges it"
        if call[0] != "ack":
            assert call[0] in ("found", "key"), f"{key}: acknowledged by {call}"
            number = int(fields["by"].split("-")[1])
            assert self.building.people[number]["acknowledges"], fields
            assert key[1] != "fire", "a card does not end a fire"

    def _watched(self, key: tuple[str, str], fields: Any) -> None:
        """A sensor of a partition alarms only while that is armed."""
        if key[1] != "intrusion" or key[0] in house.ACCESS_POINTS:
            return
        mine = [name for name, part in house.PARTITIONS.items() if key[0] in part[0]]
        assert not mine or any(name in self.watching for name in mine), f"{key}: and not armed"

    def _partitions(self, call: list[Any], now: Any, records: list[Any]) -> None:
        self.watching = set(
            self.armed
        )  # a late step may see an alarm and then the end of its hours
        for type, _, fields in records:
            if type == "partition.armed":
                name = fields["partition"]
                assert name not in self.armed, f"{name}: armed twice"
                assert fields["by"] in ("op-ling", "schedule", "appointment"), fields
                is_open = [
                    point
                    for point in house.PARTITIONS[name][0]
                    if self.building.active.get(point) and point not in self.bypassed[name]
                ]
                assert not is_open, f"{name}: armed with {is_open} open"
                self.armed.add(name)
                self.watching.add(name)
            elif type == "partition.disarmed":
                self.armed.discard(fields["partition"])
                self.bypassed[fields["partition"]] = set()
            elif type == "partition.bypassed":
                self.bypassed[fields["partition"]].add(fields["point"])
            elif type == "partition.refused":
                assert fields["points"], fields
        if call[0] == "disarm":
            self.bypassed[call[1]] = set()
        for name in house.PARTITIONS:
            is_armed = self.building.site.armed(name)
            assert is_armed == (name in self.armed), f"{name}: armed {is_armed}, not as told"

    def _automated(self, records: list[Any]) -> None:
        for type, _, fields in records:
            if type == "automation.done":
                rules = [row for row in house.AUTOMATION if row[0] == fields["automation"]]
                assert rules, fields
                assert rules[0][1]["type"] == fields["by"], fields

    def _signs(self, now: Any, mine: dict[tuple[str, str], str]) -> None:
        register = self.building.site.alarms
        lit = [key for key in mine if key[1] != "duress" and key not in self.shelved]
        assert register.beacon == bool(lit), f"beacon, with {lit}"
        loud = self._loud(now)
        assert register.siren(now.ms) == bool(loud), f"siren, with {loud}"
        for name, core in self.building.site.portals.items():
            for kind in ("door_forced", "door_held"):
                state = mine.get((name, kind), "normal")
                is_so = core.alarm == kind
                assert (state in ("unacknowledged", "acknowledged")) == is_so, f"{name}: {kind}"
        for name, kind in ((name, part[0]) for name, part in house.POINTS.items()):
            if kind not in MOMENTARY and kind != "fire" and name not in self.in_partition:
                state = mine.get((name, kind), "normal")
                is_so = bool(self.building.active.get(name))
                assert (state in ("unacknowledged", "acknowledged")) == is_so, f"{name}: {state}"

    def _loud(self, now: Any) -> list[tuple[str, str]]:
        return [
            key
            for key, state in self.alarms.items()
            if key[1] in SOUNDING
            and key not in self.shelved
            and state in ("unacknowledged", "returned")
            and now.ms < self.sounding.get(key, 0)
        ]

    # ---- laws 7 and 8 ------------------------------------------------------------------------------

    def _no_secret(self, effects: list[Any]) -> None:
        text = told([effect for effect in effects if not hasattr(effect, "access_point")])
        for secret in self.secrets:
            assert "'%s'" % secret not in text, "a secret is told"

    def bounded(self) -> None:
        """Nothing grows without end (called now and then)."""
        assert len(self.building.kept) < KEPT_MAX
        assert size(self.building.site) < 20000


def size(root: object) -> int:
    """How many values hang on `root`."""
    seen: set[int] = set()
    todo: list[object] = [root]
    while todo:
        one = todo.pop()
        if id(one) in seen or isinstance(one, (str, int, type)) or one is None or callable(one):
            continue
        seen.add(id(one))
        if isinstance(one, dict):
            todo += list(one.values())
        elif isinstance(one, (list, tuple, set)):
            todo += list(one)
        elif hasattr(one, "__dict__"):
            todo += list(vars(one).values())
    return len(seen)
