"""What the tables of a board config owe each other: names that exist, one role a device, ways out.

Takes the normalised config (`hal.board.load`), in which None stands for what was missing or wrong and
has been told already. Lines and pins are `hal.board_lines`.
"""

from typing import Any

from hal.board_schema import CONTACT_DRIVERS, KEY_DRIVERS, READER_DRIVERS
from hal.schema import Problems, nearest_known

Config = dict[str, Any]


class _Uses:
    """Who uses which device: a device has one role."""

    def __init__(self, config: Config, problems: Problems) -> None:
        self._devices = config["devices"]
        self._problems = problems
        self._used: dict[str, str] = {}
        self._unknown = False

    def use(self, path: str, device: str | None, drivers: tuple[str, ...]) -> None:
        """`path` names `device` for something that takes one of `drivers`."""
        if device is None:
            return
        entry = self._devices.get(device)
        if entry is None:
            self._unknown = True
            near = nearest_known(device, self._devices)
            self._problems.add(path, f'no device "{device}"; expected a name of [devices], {near}')
        elif entry["driver"] is not None and entry["driver"] not in drivers:
            self._problems.add(
                path,
                f'device "{device}" has driver "{entry["driver"]}"; expected {" or ".join(drivers)}',
            )
        if device in self._used:
            self._problems.add(
                path,
                f'device "{device}" is already used by {self._used[device]}; '
                "expected a device of its own",
            )
        else:
            self._used[device] = path

    def share(self, named: list[tuple[str, str | None]], drivers: tuple[str, ...]) -> None:
        """`named` (path, device) name devices that may be the same: one role with several owners."""
        told: set[str] = set()
        for path, device in named:
            if device is not None and device not in told:
                told.add(device)
                self.use(path, device, drivers)

    def tell_idle(self) -> None:
        """Report each device that nobody uses: its wire would lead nowhere.

        Not while a name is wrong somewhere: that would be the same slip, told twice.
        """
        for device in self._devices:
            if device not in self._used and not self._unknown:
                self._problems.add(
                    f"devices.{device}",
                    "nothing uses it; expected a portal, access point, reader or alarm that names it",
                )


def check(config: Config, problems: Problems) -> None:
    """Add to `problems` what is wrong between the tables of `config`."""
    uses = _Uses(config, problems)
    for portal, entry in config["portals"].items():
        path = f"portals.{portal}"
        uses.use(f"{path}.lock", entry["lock"], ("lock",))
        uses.use(f"{path}.contact", entry["contact"], CONTACT_DRIVERS)
        uses.use(f"{path}.rex", entry["rex"], ("rex",))
        uses.use(f"{path}.bond", entry["bond"], CONTACT_DRIVERS)
        _way_out(path, entry, config["devices"], problems)
        _times(path, entry, problems)
    for point, entry in config["access_points"].items():
        path = f"access_points.{point}"
        uses.use(f"{path}.reader", entry["reader"], READER_DRIVERS)
        uses.use(f"{path}.keypad", entry["keypad"], ("keypad",))
        uses.use(f"{path}.led", entry["led"], ("led", "osdp_led"))
        uses.use(f"{path}.buzzer", entry["buzzer"], ("buzzer", "osdp_buzzer"))
        _portal(f"{path}.portal", entry["portal"], config, problems)
        _keys(path, entry, config["devices"], problems)
    for camera, entry in config["cameras"].items():
        _portal(f"cameras.{camera}.portal", entry["portal"], config, problems)
    for device, entry in config["devices"].items():
        uses.use(f"devices.{device}.tamper", entry.get("tamper"), CONTACT_DRIVERS)
        if entry["driver"] == "led" and entry["red"] is None and entry["green"] is None:
            problems.add(f"devices.{device}", "a light without lines; expected red, green or both")
    _alarms(config["alarms"], uses, problems)
    uses.share(_outputs(config), ("relay",))
    buses = [(f"devices.{name}.bus", part.get("bus")) for name, part in config["devices"].items()]
    uses.share(buses, ("osdp_bus",))
    _link(config["link"], problems)
    uses.tell_idle()


def _outputs(config: Config) -> list[tuple[str, str | None]]:
    """What automation switches. A lock is none of it: `hal.board_watch_rules` says so in its own words."""
    found = []
    for rule, entry in config["automation"].items():
        device = (entry["do"] or {}).get("output")
        if config["devices"].get(device, {}).get("driver") != "lock":
            found.append((f"automation.{rule}.do.output", device))
    return found


def _portal(path: str, portal: str | None, config: Config, problems: Problems) -> None:
    if portal is not None and portal not in config["portals"]:
        near = nearest_known(portal, config["portals"])
        problems.add(path, f'no portal "{portal}"; expected a name of [portals], {near}')


def _way_out(path: str, entry: Config, devices: Config, problems: Problems) -> None:
    """How people leave must fit how the lock fails (IEC 60839-11-1: leaving needs no key or tool)."""
    egress = entry["egress"]
    if entry["on_fire"] == "latch" and egress is not None and egress != "handle":
        problems.add(
            f"{path}.on_fire",
            f'"latch" with egress = "{egress}"; expected "release", or a handle that opens it',
        )
    if not entry["escape_route"] or egress is None:
        return
    if egress == "none":
        problems.add(
            f"{path}.egress",
            '"none" on an escape route; expected "handle" or "button_cuts_power", '
            "or escape_route = false",
        )
        return
    lock = devices.get(entry["lock"], {})
    if lock.get("fail_mode") == "fail_secure" and egress != "handle":
        problems.add(
            f"{path}.egress",
            f'"{egress}" with the fail-secure lock "{entry["lock"]}", which stays locked without '
            'power; expected "handle", or escape_route = false',
        )
    if lock.get("fail_mode") == "fail_safe" and egress != "button_cuts_power":
        problems.add(
            f"{path}.egress",
            f'"{egress}" with the fail-safe lock "{entry["lock"]}", which no handle frees; '
            'expected "button_cuts_power", or escape_route = false',
        )


def _times(path: str, entry: Config, problems: Problems) -> None:
    if entry["pre_alarm_ms"] >= entry["open_ms"]:
        problems.add(
            f"{path}.pre_alarm_ms",
            f"{entry['pre_alarm_ms']} is not below open_ms; expected less than {entry['open_ms']}",
        )
    for key in ("release_ms", "open_ms"):
        if entry[f"extended_{key}"] < entry[key]:
            problems.add(
                f"{path}.extended_{key}",
                f"{entry[f'extended_{key}']} is shorter than {key}; expected {entry[key]} or more",
            )


def _keys(path: str, entry: Config, devices: Config, problems: Problems) -> None:
    reader = devices.get(entry["reader"], {}).get("driver")
    if entry["verification"] == "card" or entry["keypad"] is not None or reader is None:
        return
    if reader not in KEY_DRIVERS:
        problems.add(
            f"{path}.verification",
            f'"{entry["verification"]}" needs keys and "{entry["reader"]}" has none; '
            'expected a keypad, or "card"',
        )


def _alarms(alarms: Config, uses: _Uses, problems: Problems) -> None:
    uses.use("alarms.siren", alarms["siren"], ("siren",))
    uses.use("alarms.beacon", alarms["beacon"], ("beacon",))
    uses.use("alarms.acknowledge", alarms["acknowledge"], ("contact",))
    first = None
    for point, entry in alarms["points"].items():
        path = f"alarms.{point}"
        # The fire loop stays a plain one: whatever is wrong with it is fire, at once.
        drivers = ("contact",) if entry["class"] == "fire" else CONTACT_DRIVERS
        uses.use(f"{path}.input", entry["input"], drivers)
        if entry["class"] != "fire":
            if entry["reset"] is not None:
                problems.add(f"{path}.reset", "only a fire point has it; expected no such key")
            continue
        if first is not None:
            problems.add(path, f"a second fire point beside {first}; expected one fire loop")
        first = first or path
        if entry["normal"] != "closed":
            problems.add(
                f"{path}.normal", '"open" on the fire loop; expected "closed": a cut wire is fire'
            )
        if entry["reset"] == "manual" and alarms["acknowledge"] is None:
            problems.add(
                f"{path}.reset",
                '"manual" without a key switch; expected alarms.acknowledge, or reset = "input"',
            )


def _link(link: Config, problems: Problems) -> None:
    if link["enabled"] and link["host"] is None:
        problems.add("link.host", "missing; expected the broker's name, or enabled = false")
    if not link["tls"]:
        for key in ("ca", "cert", "key"):
            if link[key] is not None:
                problems.add(f"link.{key}", "set without TLS; expected tls = true, or no such key")
    for one, other in (("cert", "key"), ("key", "cert")):
        if link["tls"] and link[one] is not None and link[other] is None:
            problems.add(f"link.{other}", f"missing beside {one}; expected the path of a file")
    if link["password_file"] is not None and link["username"] is None:
        problems.add("link.username", "missing beside password_file; expected the broker's user")
