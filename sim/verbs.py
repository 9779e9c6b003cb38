"""The world's vocabulary: which verbs there are, and whether one fits this building. Portable.

Nothing happens here; `sim.world` does it. `Checker` decides before anything begins, so that a verb
either begins or is one clear line. No line repeats a card number, a PIN or a code.
"""

from firmware.access import schedule
from firmware.wire import card_number, keypad, serial_lines
from sim.switch import SHORT
from sim.verb_table import (
    CHOICES,
    LATER,
    LONGEST_PIN,
    NUMBERS,
    ONE_OF,
    OUTSIDE,
    SUPPLY,
    VERBS,
    WANTED,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["LATER", "OUTSIDE", "SUPPLY", "VERBS", "Checker", "VerbError"]

_CARD_FORMS = ("w26", "w34", "w37", "uid")
_LINES = ("contact", "supervised_contact", "rex")
_BITS = ("wiegand_reader", "osdp_reader")  # readers that send bits, and keys
_READERS = _BITS + ("serial_reader", "keypad")
_INPUTS = _LINES + _READERS

#: Verb: what an argument is that was left out.
_LEFT_OUT: "dict[str, tuple[tuple[str, Any], ...]]" = {
    "command": (("args", {}),),
    "command_by": (("args", {}),),
    "fail_storage": (("mode", "error"),),
    "fail_disk": (("file", "journal"),),
}


class VerbError(Exception):
    """The verb does not fit: one line, ``verb: what was wrong; what was expected``."""


def accepts(config: "dict[str, Any]", access_point: str) -> "list[str]":
    """What can be shown at an access point: forms of cards, "qr" and "pin"."""
    part = config["access_points"][access_point]
    reader = config["devices"][part["reader"]]
    if reader["driver"] in _BITS:
        forms = list(_CARD_FORMS)
    elif reader["framing"] == serial_lines.LINES:
        forms = list(_CARD_FORMS) + ["qr"]
    elif reader["framing"] == serial_lines.DECIMAL:
        forms = ["w26", "w34", "uid"]
    else:
        forms = ["w34", "uid"]
    if keys_of(config, access_point) is not None:
        forms.append("pin")
    return forms


def keys_of(config: "dict[str, Any]", access_point: str) -> "str | None":
    """The device whose keys are pressed at an access point; None: it has no keys."""
    part = config["access_points"][access_point]
    keypad_device: str | None = part["keypad"]
    if keypad_device is not None:
        return keypad_device
    reader: str = part["reader"]
    return reader if config["devices"][reader]["driver"] in _BITS else None


def card_frame(reader: "dict[str, Any]", number: str) -> "str | bytes":
    """What `reader` sends of a card: bits of its lines or bytes. Raises ValueError if it cannot."""
    canonical = card_number.parse(number)
    if reader["driver"] in _BITS:
        return _csn(canonical) if reader.get("format") == "csn" else card_number.to_bits(canonical)
    if reader["framing"] == serial_lines.RDM6300:
        return serial_lines.to_rdm6300(canonical)
    if reader["framing"] == serial_lines.DECIMAL:
        return serial_lines.to_decimal(canonical)
    form, _, rest = number.strip(" \t\r\n").partition(":")
    written = "uid:" + rest.upper() if form == "uid" else canonical
    return written.encode() + b"\r\n"


def _csn(canonical: str) -> str:
    """The bits of a card's own number. Raises ValueError where it is no uid."""
    form, _, rest = canonical.partition(":")
    if form == "w34":  # what a uid of 4 bytes is written as
        rest = "%08X" % int(rest)
    elif form != "uid":
        raise ValueError("this reader sends uids; expected uid:HEX")
    return bin(int("1" + rest, 16))[3:]


def code_frame(reader: "dict[str, Any]", text: str) -> bytes:
    """What `reader` sends of a code. Raises ValueError if it cannot."""
    if reader["driver"] != "serial_reader" or reader["framing"] != serial_lines.LINES:
        raise ValueError('this reader reads no codes; expected a serial reader with "lines"')
    for character in text:
        point = ord(character)
        if point < 32 or 127 <= point < 160:
            raise ValueError("text has control characters; expected none")
        if 0xD800 <= point < 0xE000:
            raise ValueError("text is no text; expected Unicode without surrogates")
    data = text.encode()
    if not 0 < len(data) <= serial_lines.LONGEST_CODE:
        raise ValueError("text is empty or too long; expected 1 to 512 bytes of UTF-8")
    return b"]Q1" + data + b"\r\n"


def utc_ms(text: str) -> int:
    """UTC milliseconds of ``2026-11-21T08:15:00Z``, a fraction of a second allowed. Raises ValueError."""
    day, _, clock = text.partition("T")
    whole, _, fraction = clock[:-1].partition(".")
    fields = whole.split(":")
    right = clock[-1:] == "Z" and len(whole) == 8 and len(fields) == 3
    if right and _digits(fields[0] + fields[1] + fields[2], 6):
        hour, minute, second = int(fields[0]), int(fields[1]), int(fields[2])
        plain = "." not in clock or (0 < len(fraction) <= 3 and _digits(fraction, len(fraction)))
        if hour < 24 and minute < 60 and second < 60 and plain and _digits(day[:4], 4):
            at_s = schedule.day_number(day) * 86400 + hour * 3600 + minute * 60 + second
            return at_s * 1000 + int((fraction + "000")[:3])
    raise ValueError('time is none; expected such as "2026-11-21T08:15:00Z"')


def nearest(word: str, known: "list[str]") -> str:
    """The one of `known` that needs the fewest changes of a character; the first of them if several do."""
    best, best_cost = "", 1 << 30
    for name in sorted(known):
        costs = list(range(len(name) + 1))
        for row, letter in enumerate(word[:64]):
            corner = costs[0]
            costs[0] = row + 1
            for column in range(len(name)):
                change = corner + (letter != name[column])
                corner = costs[column + 1]
                costs[column + 1] = min(corner + 1, costs[column] + 1, change)
        if costs[-1] < best_cost:
            best, best_cost = name, costs[-1]
    return best


class Checker:
    """Whether verbs fit one building and its people (a list of `sim.person.Person`)."""

    def __init__(self, config: "dict[str, Any]", people: "list[Any]") -> None:
        self._config = config
        self._people = {somebody.name: somebody for somebody in people}
        devices = config["devices"]
        points = config["alarms"]["points"]
        fixed = [name for name in sorted(points) if points[name]["class"] != "fire"]
        self._known = {
            "access_point": sorted(config["access_points"]),
            "portal": sorted(config["portals"]),
            "person": sorted(self._people),
            "device": sorted(devices),
            "alarm point": fixed,
            "panic point": [name for name in fixed if points[name]["class"] == "panic"],
            "reader": [name for name in sorted(devices) if self._drives(name, _READERS)],
            "contact": [name for name in sorted(devices) if self._drives(name, _LINES)],
            "task": ["door"] + ["feed-" + n for n in sorted(devices) if self._drives(n, _INPUTS)],
            "loop": sorted(set(fixed + [name for name in devices if self._loop(name) is not None])),
        }

    def check(self, do: "Any", args: "dict[str, Any]") -> "dict[str, Any]":
        """The arguments of `do`, complete: what was left out is None, a card or code is its "frame".

        Raises `VerbError`.
        """
        if not isinstance(do, str) or do not in VERBS:
            raise VerbError(self._unknown_verb(do))
        try:
            return self._fill(do, args)
        except ValueError as error:
            raise VerbError("%s: %s" % (do, error)) from None

    def loop_device(self, name: str) -> str:
        """The contact device whose loop `tamper` opens for a device or alarm point."""
        if name not in self._config["devices"]:
            return str(self._config["alarms"]["points"][name]["input"])
        return str(self._loop(name))

    def points_of(self, kind: str) -> "list[str]":
        """The alarm points of a class."""
        points = self._config["alarms"]["points"]
        return [name for name in sorted(points) if points[name]["class"] == kind]

    def _unknown_verb(self, do: "Any") -> str:
        if isinstance(do, str) and do in LATER:
            return "%s: comes in a later version; expected one of the verbs of now" % do
        near = nearest(do if isinstance(do, str) else "", list(VERBS))
        return 'verb %s is unknown; the nearest known one is "%s"' % (_show(do), near)

    def _fill(self, do: str, args: "dict[str, Any]") -> "dict[str, Any]":
        expected = {spec[0].rstrip("?"): spec for spec in VERBS[do]}
        for key in sorted(args):
            if key not in expected:
                raise ValueError(_unknown("argument", key, sorted(expected)))
        full: dict[str, Any] = {}
        if do == "fail_storage" and args.get("on") is False:
            args = {"on": False}  # whatever the mode was
        for name, kind in VERBS[do]:
            key = name.rstrip("?")
            if args.get(key) is None and (key not in args or name != key):
                if name == key:
                    raise ValueError("argument %s is missing; expected %s" % (key, WANTED[kind]))
                full[key] = None
            else:
                full[key] = self._value(key, kind, args[key])
        pair = ONE_OF.get(do)
        if pair is not None and (full[pair[0]] is None) == (full[pair[1]] is None):
            given = "neither" if full[pair[0]] is None else "both"
            raise ValueError("%s of %s and %s given; expected one" % (given, pair[0], pair[1]))
        self._prepare(do, full)
        return full

    def _value(self, key: str, kind: str, value: "Any") -> "Any":
        if kind == "flag":
            if not isinstance(value, bool):
                raise ValueError("%s is %s; expected %s" % (key, _show(value), WANTED[kind]))
            return value
        if kind in NUMBERS:
            least, longest = NUMBERS[kind]
            if isinstance(value, bool) or not isinstance(value, int):
                raise ValueError("%s is %s; expected %s" % (key, _show(value), WANTED[kind]))
            if not least <= value <= longest:
                raise ValueError("%s is out of range; expected %d to %d" % (key, least, longest))
            return value
        if kind == "table":
            if not isinstance(value, dict) or not _is_json(value, 16):
                raise ValueError("%s is no table of JSON values; expected one" % key)
            return value
        if not isinstance(value, str):
            raise ValueError("%s is no text; expected %s" % (key, WANTED[kind]))
        if kind == "text":
            return value
        if kind == "time":
            return utc_ms(value)
        if kind in CHOICES:
            if value not in CHOICES[kind]:
                raise ValueError(_unknown(key, value, list(CHOICES[kind])))
            return value
        if value not in self._known[kind]:
            if kind == "loop" and value in self._config["devices"]:
                raise ValueError("device %s has no loop; expected %s" % (value, WANTED[kind]))
            raise ValueError(_unknown(key, value, self._known[kind]))
        return value

    def _prepare(self, do: str, full: "dict[str, Any]") -> None:
        for key, word in _LEFT_OUT.get(do, ()):
            if full[key] is None:
                full[key] = word
        if do == "present_card" or do == "show_qr":
            reader = self._config["access_points"][full["access_point"]]["reader"]
            device = self._config["devices"][reader]
            if do == "present_card":
                full["frame"] = card_frame(device, self._of(full, "number", "card"))
            else:
                full["frame"] = code_frame(device, self._of(full, "text", "qr"))
        elif do == "enter_pin":
            if keys_of(self._config, full["access_point"]) is None:
                raise ValueError("access point %s has no keys" % full["access_point"])
            for digit in full["digits"]:
                if digit not in keypad.KEYS:
                    raise ValueError("digits are no keys; expected 0 to 9, * and #")
            if not 0 < len(full["digits"]) <= LONGEST_PIN:
                raise ValueError("digits are none or too many; expected 1 to %d" % LONGEST_PIN)
        elif do == "press_ack" and self._config["alarms"]["acknowledge"] is None:
            raise ValueError("this building has no key switch; expected [alarms] acknowledge")
        elif do == "set_fire" and not self.points_of("fire"):
            raise ValueError("this building has no fire loop; expected a point of class fire")
        elif do in SUPPLY and not self.points_of(SUPPLY[do]):
            raise ValueError(
                "no input of this building shows it; expected a point of class %s" % SUPPLY[do]
            )
        elif (
            do == "fail_line"
            and full["fault"] == SHORT
            and not self._drives(full["device"], _INPUTS)
        ):
            raise ValueError(
                "device %s is an output, whose fuse a short would blow; "
                "expected fault cut, stuck or none" % full["device"]
            )

    def _drives(self, device: str, drivers: "tuple[str, ...]") -> bool:
        return self._config["devices"][device]["driver"] in drivers

    def _of(self, full: "dict[str, Any]", given: str, has: str) -> str:
        """What is given as it is, or what the person has."""
        if full["person"] is None:
            return str(full[given])
        thing = getattr(self._people[full["person"]], has)
        if thing is None:
            raise ValueError("%s has no %s; expected somebody who has" % (full["person"], has))
        return str(thing)

    def _loop(self, device: str) -> "str | None":
        part = self._config["devices"][device]
        if part["driver"] in _LINES or part["driver"] == "osdp_reader":  # its own lid
            return device
        tamper: str | None = part.get("tamper")
        return tamper


def _unknown(what: str, word: str, known: "list[str]") -> str:
    if not known:
        return "%s %s is unknown; there is none here" % (what, _show(word))
    near = nearest(word, known)
    return '%s %s is unknown; the nearest known one is "%s"' % (what, _show(word), near)


def _show(value: "Any") -> str:
    """A value in one short line, in words that JSON and TOML have."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)[:24]
    if not isinstance(value, str):
        if isinstance(value, (list, tuple)):
            return "a list"
        return "an object" if isinstance(value, dict) else "a date"  # TOML has dates
    kept = ""
    for character in value[:40]:
        point = ord(character)
        odd = point < 32 or 127 <= point < 160 or 0xD800 <= point < 0xE000
        kept += "?" if odd or character == '"' else character
    return '"%s"' % kept + ("..." if len(value) > 40 else "")


def _is_json(value: "Any", depth: int) -> bool:
    """Whether JSON can carry `value`: no date, no number that is none, no half of a character."""
    if isinstance(value, dict):
        names = all(isinstance(name, str) and _is_json(name, depth) for name in value)
        return depth > 0 and names and all(_is_json(value[name], depth - 1) for name in value)
    if isinstance(value, (list, tuple)):
        return depth > 0 and all(_is_json(one, depth - 1) for one in value)
    if isinstance(value, float):
        return value - value == 0
    if isinstance(value, str):
        return not [one for one in value if 0xD800 <= ord(one) < 0xE000]
    return value is None or isinstance(value, (bool, int))


def _digits(text: str, length: int) -> bool:
    return len(text) == length and all(character in "0123456789" for character in text)
