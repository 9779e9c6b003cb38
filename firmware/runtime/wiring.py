"""From a validated config to the deciding core: which device is whose, and the core's plan."""

from firmware import wire
from firmware.access import (
    access_point,
    alarm,
    automation,
    credential,
    fire,
    free_access,
    partition,
    portal,
    schedule,
    site,
    whereabouts,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CONTROLLER = "controller"  #: the point of what is wrong with the controller itself


class Wiring:
    """Who uses which device. Everything is looked up by device id."""

    def __init__(self, config: "dict[str, Any]") -> None:
        self.config = config
        #: device id -> portal, for its contact, REX and lock
        self.contacts: dict[str, str] = {}
        self.exits: dict[str, str] = {}
        self.locks: dict[str, str] = {}
        #: device id of a lock's own contact -> portal
        self.bonds: dict[str, str] = {}
        #: device id -> access point, for its reader and keypad
        self.readers: dict[str, str] = {}
        #: device id -> alarm points that it raises, as (point, True if a closed loop is normal)
        self.points: dict[str, list[tuple[str, bool]]] = {}
        #: device id of a housing's contact -> device id of the reader in it
        self.tampers: dict[str, str] = {}
        self._own = _own_rights(config)
        #: portals whose lock lets go without current
        self.fail_safe = tuple(
            name
            for name in sorted(config["portals"])
            if config["devices"][config["portals"][name]["lock"]]["fail_mode"] == "fail_safe"
        )
        fire_inputs = [
            part["input"]
            for _, part in sorted(config["alarms"]["points"].items())
            if part["class"] == alarm.FIRE
        ]
        #: portal -> devices that must have been read before its lock is engaged: fire and REX (law 1)
        self.before_engaged: dict[str, list[str]] = {
            name: [
                device
                for device in [config["portals"][name]["rex"]] + fire_inputs
                if device is not None
            ]
            for name in self.fail_safe
        }
        self.key_switch: str | None = config["alarms"]["acknowledge"]
        for name, part in config["portals"].items():
            self.locks[part["lock"]] = name
            if part["contact"] is not None:
                self.contacts[part["contact"]] = name
            if part["bond"] is not None:
                self.bonds[part["bond"]] = name
            if part["rex"] is not None:
                self.exits[part["rex"]] = name
        for name, part in config["access_points"].items():
            for role in ("reader", "keypad"):
                if part.get(role) is not None:
                    self.readers[part[role]] = name
        for name, part in config["alarms"]["points"].items():
            raises = self.points.setdefault(part["input"], [])
            raises.append((name, part["normal"] == "closed"))
        #: device id -> what `firmware.wire.decode` is to expect of it
        self.formats: dict[str, str] = {}
        for name, part in config["devices"].items():
            self.formats[name] = part.get("framing") or part.get("format") or wire.ANY
            if part.get("tamper") is not None:
                self.tampers[part["tamper"]] = name
            if part["driver"] == "osdp_reader":  # it tells of its own housing
                self.tampers[name] = name

    def fault_of(self, part: str) -> "tuple[str, str | None]":
        """The alarm (point, class) that it is when `part` of the controller fails; class None: none."""
        if part == "journal":
            return CONTROLLER, alarm.STORAGE_FAULT
        if part in self.locks:
            return part, alarm.LOCK_FAULT
        for heard in (
            self.readers,
            self.contacts,
            self.exits,
            self.bonds,
            self.points,
            self.tampers,
        ):
            if part in heard:
                return part, alarm.READER_FAULT
        return part, None

    def plan(self) -> site.Plan:
        """What the deciding core is built from."""
        config = self.config
        portals = {}
        for name, part in config["portals"].items():
            portals[name] = (self._portal_rules(part), part["mode"])
        access_points = {}
        for name, part in config["access_points"].items():
            access_points[name] = _access_point_rules(part)
        points = {}
        fire_reset = fire.INPUT
        for name, part in config["alarms"]["points"].items():
            points[name] = site.Point(part["class"], part["priority"])
            if part["class"] == alarm.FIRE:
                fire_reset = part["reset"]
        for device in self.tampers.values():
            points[device] = site.Point(alarm.TAMPER, alarm.PRIORITY[alarm.TAMPER])
        alarms = config["alarms"]
        controller = config["controller"]
        return site.Plan(
            portals,
            access_points,
            points,
            fire_reset,
            alarms["siren_max_ms"],
            _areas(config),
            {name: tuple(part["portals"]) for name, part in config["interlocks"].items()},
            _free_access(config),
            _partitions(config),
            _automation(config),
            alarms["repeat_ms"],
            alarms["tamper_blocks"],
            alarms["fault_after_ms"],
            controller["credential_wrong_attempts"],
            controller["credential_block_ms"],
            {name: part["lock"] for name, part in config["portals"].items()},
            {name: part["contact"] for name, part in config["portals"].items()},
            {name: part["bond"] for name, part in config["portals"].items()},
        )

    def rights(self, stored: "credential.Rights", narrowed: bool = False) -> "credential.Rights":
        """What may be when: the host's levels, hours and holidays, and the config's own beside them.

        A name that both give is the host's. `narrowed`: the host was silent for too long.
        """
        own = self._own
        levels = dict(own.levels)
        levels.update(stored.levels)
        schedules = dict(own.schedules)
        schedules.update(stored.schedules)
        holidays = list(stored.holidays) + own.holidays
        return credential.Rights(levels, schedules, holidays, own.lenient, narrowed)

    def found(self, closed: "dict[str, bool]", again: bool) -> "site.Found":
        """What `closed` (device -> its loop is closed) means for doors and alarm points at power-up.

        `again`: it is not the first start, so fail-safe locks had let go.
        """
        open_doors = [
            self.contacts[device] for device in sorted(self.contacts) if closed.get(device) is False
        ]
        active = []
        for device in sorted(self.points):
            for point, closed_is_normal in self.points[device]:
                if device in closed and closed[device] != closed_is_normal:
                    active.append(point)
        for device in sorted(self.tampers):
            if closed.get(device) is False:
                active.append(self.tampers[device])
        power_lost = self.fail_safe if again else ()
        return site.Found(tuple(open_doors), tuple(active), power_lost)

    def _portal_rules(self, part: "dict[str, Any]") -> "portal.Rules":
        return portal.Rules(
            part["egress"] == "button_cuts_power",
            part["egress_ms"],
            part["on_fire"] == "release",
            part["release_ms"],
            part["extended_release_ms"],
            part["open_ms"],
            part["extended_open_ms"],
            part["pre_alarm_ms"],
            part["settle_ms"],
            self.config["devices"][part["lock"]]["travel_ms"],
            part["relock"] == "close",
        )


def _access_point_rules(part: "dict[str, Any]") -> "access_point.Rules":
    return access_point.Rules(
        part["portal"],
        part["verification"],
        part["pin_timeout_ms"],
        part["wrong_attempts"],
        part["wrong_window_ms"],
        part["block_ms"],
        part["direction"],
        part["area"],
        part["anti_passback"],
        part["anti_passback_ms"],
        tuple([(one["schedule"], one["verification"]) for one in part["verification_at"]]),
        part["two_person"],
        part["second_person_ms"],
        part["reader"],
        part["visitors"],
        part["visitor_digits"],
    )


def _areas(config: "dict[str, Any]") -> "dict[str, whereabouts.AreaRules]":
    """The areas of which it matters who is inside: those that a rule names."""
    named = set()
    for part in config["access_points"].values():
        if part["anti_passback"] != whereabouts.OFF:
            named.add(part["area"])
    for part in config["automation"].values():
        if part["if"] is not None and "area" in part["if"]:
            named.add(part["if"]["area"])
    areas = {}
    for name, part in config["areas"].items():
        if name in named or part["occupancy_max"] is not None:
            at = part["forgive_at"]
            at_s = None if at is None else schedule.second_of_day(at)
            areas[name] = whereabouts.AreaRules(
                part["occupancy_max"], part["forgive_after_ms"], at_s
            )
    return areas


def _free_access(config: "dict[str, Any]") -> "dict[str, free_access.Rules]":
    rules = {}
    for name, part in config["portals"].items():
        if part["free_access"] is not None:
            rules[name] = free_access.Rules(
                part["free_access"],
                part["first_card"],
                part["first_card_early_ms"],
                part["first_card_level"],
            )
    return rules


def _own_rights(config: "dict[str, Any]") -> "credential.Rights":
    """The levels, hours and holidays that stand in the config itself."""
    levels = {}
    for name, part in config["levels"].items():
        levels[name] = [
            credential.Right(right["access_point"], right["schedule"], right["deny"])
            for right in part["rights"]
        ]
    schedules = {}
    for name, part in config["schedules"].items():
        hours: list[schedule.Hours] = []
        for line in part["hours"]:
            hours += schedule.parse(line)
        schedules[name] = hours
    days = [schedule.day_number(day) for day in config["holidays"]]
    lenient = config["controller"]["untrusted_time"] == "allow"
    return credential.Rights(levels, schedules, days, lenient, False)


def _partitions(config: "dict[str, Any]") -> "dict[str, partition.Rules]":
    rules = {}
    for name, part in config["partitions"].items():
        appointments = [
            (schedule.local_second(one["from"]), schedule.local_second(one["to"]), one["keys"])
            for one in part["appointments"]
        ]
        rules[name] = partition.Rules(
            tuple(part["points"]),
            tuple(part["delayed"]),
            part["entry_ms"],
            part["exit_ms"],
            part["schedule"],
            part["flat"],
            part["group"],
            part["keys"],
            tuple(appointments),
        )
    return rules


def _automation(config: "dict[str, Any]") -> "tuple[automation.Rule, ...]":
    rules = []
    for name, part in config["automation"].items():
        do = part["do"]
        act: object = None
        if "mode" in do:
            act = automation.SetMode(do["mode"], tuple(do["portals"] or ()))
        elif "output" in do:
            act = automation.SwitchOutput(do["output"], do["for_ms"])
        else:
            act = automation.RaiseAlarm(do["alarm"], do["point"])
        rules.append(automation.Rule(name, part["when"], part["if"] or {}, act))
    return tuple(rules)
