"""The installer's tests of a board, in order, with their sentences: for ``--selftest`` and the last sheet.

Both use the numbers of `hal.board_wires`, so what is printed is what the program asks for.
"""

from collections import namedtuple
from typing import Any

from hal import board_wires, board_wiring

Config = dict[str, Any]

#: One test.
#: wire    str  the wire's number, or two ("W4, W5"); empty for one that needs the whole door
#: device  str  the device; empty for such a one
#: role    str  the line of the device (line, d0, red ...)
#: portal  str  the portal; empty for the house's own
#: kind    str  which sentence of `WORDS`
Test = namedtuple("Test", ("wire", "device", "role", "portal", "kind"))

LANGUAGES = ("en", "zh")

WORDS = {
    "en": {
        "contact": "{wire}: open and close {device}; it reads open, then closed.",
        "bond": "{wire}: {device} reads closed while locked, open while free.",
        "rex": "{wire}: press {device}; it reads pressed, then released.",
        "strike": "{wire}: {relay} clicks, {device} unlocks for 2 s.",
        "magnet": "{wire}: {relay} clicks, {device} lets go for 2 s.",
        "card": "{wire}: hold a card to {device}; one card is read.",
        "keys": "{wire}: press 1 2 3 at {device}; three keys are read.",
        "red": "{wire}: {device} shows red.",
        "green": "{wire}: {device} shows green.",
        "sound": "{wire}: {device} sounds for 1 s.",
        "light": "{wire}: {relay} clicks, {device} is on for 2 s.",
        "loop": "{wire}: open {device} and close it again; both are read.",
        "tamper": "{wire}: open {device}; it reads open.",
        "fire": "{wire}: open {device} at the fire panel; free now: {doors}.",
        "dead_magnet": "Power pulled: {device} is free at once.",
        "dead_strike": "Power pulled: {device} stays locked outside, the way out opens.",
        "dead_shut": "Power pulled: {device} stays locked, from inside too.",
        "exit": "Controller unplugged, {relay} COM-NO bridged: {button} frees {device}. Take the bridge out.",
        "fire_cut": "Controller unplugged, {relay} COM-NO bridged: fire panel frees {device}. Bridge out.",
        "latched": "{wire}: open {device} at the fire panel; it is read, no door moves.",
    },
    "zh": {
        "contact": "{wire}：开关{device}，应显示断开、闭合。",
        "bond": "{wire}：{device}上锁时闭合，开锁时断开。",
        "rex": "{wire}：按{device}，应显示按下、松开。",
        "strike": "{wire}：{relay}吸合，{device}开锁2秒。",
        "magnet": "{wire}：{relay}动作，{device}释放2秒。",
        "card": "{wire}：在{device}刷卡，应读到一张卡。",
        "keys": "{wire}：在{device}按1 2 3，应读到三键。",
        "red": "{wire}：{device}亮红灯。",
        "green": "{wire}：{device}亮绿灯。",
        "sound": "{wire}：{device}响1秒。",
        "light": "{wire}：{relay}吸合，{device}启动2秒。",
        "loop": "{wire}：断开再闭合{device}，两次均有显示。",
        "tamper": "{wire}：打开{device}，应显示断开。",
        "fire": "{wire}：在消防主机断开{device}，{doors}应释放。",
        "dead_magnet": "断电：{device}立即释放。",
        "dead_strike": "断电：{device}外侧仍上锁，内侧可开。",
        "dead_shut": "断电：{device}内外均上锁。",
        "exit": "拔掉控制器，短接{relay}的COM-NO：按{button}，{device}释放；拆短接线。",
        "fire_cut": "拔掉控制器，短接{relay}的COM-NO：断开消防触点，{device}释放；拆短接线。",
        "latched": "{wire}：在消防主机断开{device}，有显示，门锁不动。",
    },
}


def tests(config: Config) -> list[Test]:
    """Every test of `config` (from `hal.board.load`): door by door, the house's own, then without power."""
    everything = board_wires.wires(config)
    wires = [wire for wire in everything if wire.claim is not None]
    order = [*config["portals"], ""]
    found: list[Test] = []
    for portal in order:
        mine = [one for one in wires if board_wires.portal_of(config, one.device) == portal]
        mine.sort(key=lambda one: _rank(config, one.device))
        for device in _on_a_bus(config, portal):
            wire = next((one.number for one in everything if one.device == device), "")
            found.append(Test(wire, device, "a", portal, "card"))
            found += _parts(config, device, portal, wire)
        for one in mine:
            if one.role == "a":
                continue  # a bus is tested by its readers
            kind = _kind(config, one.device, one.role)
            if kind == "both":  # a card or a key comes over both lines, and is one test
                found[-1] = found[-1]._replace(wire=f"{found[-1].wire}, {one.number}")
            else:
                found.append(Test(one.number, one.device, one.role, portal, kind))
    found.sort(
        key=lambda one: one.kind in ("fire", "latched")
    )  # it moves every door: the last live one
    for portal, entry in config["portals"].items():
        lock = entry["lock"]
        magnet = config["devices"][lock]["fail_mode"] == "fail_safe"
        if board_wires.cuts(config, portal):
            found.append(Test("", lock, "", portal, "exit"))
        if board_wiring.fire_cuts(config, lock):
            found.append(Test("", lock, "", portal, "fire_cut"))
        handle = board_wiring.exit_device(entry) in ("handle", "panic_bar")
        dead = "dead_magnet" if magnet else ("dead_strike" if handle else "dead_shut")
        found.append(Test("", lock, "", portal, dead))
    return found


def _on_a_bus(config: Config, portal: str) -> list[str]:
    """Readers of `portal` that hang on an RS-485 bus."""
    return [
        device
        for device in config["devices"]
        if board_wiring.interface(config, device) == "rs485"
        and config["devices"][device]["driver"] not in board_wiring.NO_WIRES
        and board_wires.portal_of(config, device) == portal
    ]


def _parts(config: Config, reader: str, portal: str, wire: str) -> list[Test]:
    """The lights and the buzzer of a reader on a bus, which come over the reader's own wires."""
    found = []
    for device, entry in config["devices"].items():
        if entry.get("reader") == reader:
            kinds = ("red", "green") if entry["driver"] == "osdp_led" else ("sound",)
            found += [Test(wire, device, kind, portal, kind) for kind in kinds]
    return found


def sentence(config: Config, test: Test, lang: str) -> str:
    """What is done and what is then seen, in one line of `lang`."""
    entry = config["devices"][test.device]
    relayed = entry["driver"] in board_wiring.RELAYED
    free = [
        portal["title"][lang]
        for portal in config["portals"].values()
        if portal["on_fire"] == "release"
    ]
    return WORDS[lang][test.kind].format(
        wire=test.wire,
        device=name(config, test.device, lang),
        relay=board_wiring.relay_name(config, test.device) if relayed else "",
        button=board_wires.button_name(config, test.portal) if test.portal else "",
        doors=("、" if lang == "zh" else ", ").join(free),
    )


def name(config: Config, device: str, lang: str) -> str:
    """What people call `device`; a reader's light and buzzer without a title go by their reader's."""
    entry = config["devices"][device]
    lights = (*board_wiring.LIGHTS, "osdp_led", "osdp_buzzer")
    if entry["driver"] in lights and entry["title"]["en"] == device:
        for point in config["access_points"].values():
            if device in (point["led"], point["buzzer"]):
                return str(config["devices"][point["reader"]]["title"][lang])
    return str(entry["title"][lang])


#: Inputs that show the door's state first, then what moves it, then who asks.
_RANKS = ("contact", "supervised_contact", "rex", "lock")


def _rank(config: Config, device: str) -> int:
    if any(one.get("tamper") == device for one in config["devices"].values()):
        return len(_RANKS) + 1
    driver = config["devices"][device]["driver"]
    return _RANKS.index(driver) if driver in _RANKS else len(_RANKS)


def _kind(config: Config, device: str, role: str) -> str:
    """Which sentence; ``both`` where the wire before it is tested for both."""
    entry = config["devices"][device]
    driver = entry["driver"]
    if driver == "lock":
        return "magnet" if entry["fail_mode"] == "fail_safe" else "strike"
    if driver in ("contact", "supervised_contact"):
        return _loop(config, device)
    if driver in board_wiring.PULSES and role == "d1":
        return "both"
    fixed = {"rex": "rex", "keypad": "keys", "led": role, "buzzer": "sound"}
    if driver in ("siren", "beacon", "relay"):
        return "light"
    return fixed.get(driver, "card")


def _loop(config: Config, device: str) -> str:
    if any(one.get("tamper") == device for one in config["devices"].values()):
        return "tamper"
    for portal in config["portals"].values():
        if device in (portal["contact"], portal["bond"]):
            return "contact" if device == portal["contact"] else "bond"
    fire = any(
        point["class"] == "fire" and point["input"] == device
        for point in config["alarms"]["points"].values()
    )
    if not fire:
        return "loop"
    released = any(portal["on_fire"] == "release" for portal in config["portals"].values())
    return "fire" if released else "latched"
