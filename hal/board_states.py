"""What a lock does in every situation, worked out from the pin's pull, its polarity and the relay's contact.

The table that inspectors ask for: with power and without, with the program dead or alive, who gets in and
out.
"""

from collections import namedtuple
from typing import Any

from hal import board_facts, board_loads, board_wires, board_wiring
from hal.board_lines import claims

Config = dict[str, Any]

#: One situation of one lock; every field is a word of its own list, for the languages to say.
#: situation  str  start, locked, released, released_fire, fire_latched, exit, exit_alone, handle,
#:                 fire_open, hung, mains or dead
#: coil       str  on, off or any
#: lock       str  holds, locked, free or any
#: outside    str  opens, key or no
#: inside     str  opens, handle, panic_bar, button, break_glass, hardware, hardware_alone, fire_only,
#:                 watchdog or nothing; `_alone`: no fire panel cuts the current
State = namedtuple("State", ("situation", "coil", "lock", "outside", "inside"))


def table(config: Config, portal: str) -> list[State]:
    """Every situation of the lock of `portal`, in the order in which they are read."""
    lock = _Lock(config, portal)
    locks_on = lock.fail_safe
    rows = [lock.row("start", lock.coil_at_boot, alive=False), lock.row("locked", locks_on)]
    if board_wiring.fire_loop(config) == "":
        rows.append(lock.row("released", not locks_on))
    elif config["portals"][portal]["on_fire"] == "latch":
        rows += [lock.row("released", not locks_on), lock.row("fire_latched", locks_on)]
    else:
        rows.append(lock.row("released_fire", not locks_on))
    if lock.way == "cut":
        situation = "exit" if lock.fire_cuts else "exit_alone"
        rows.append(State(situation, "any", "free", "opens", "opens"))
    elif lock.way == "handle":
        rows.append(State("handle", "any", "any", "no", "opens"))
    if lock.fire_cuts and lock.way != "cut":
        rows.append(State("fire_open", "any", "free", "opens", "opens"))
    rows.append(lock.row("hung", True, alive=False))
    if lock.battery:
        rows.append(lock.row("mains", locks_on and lock.led_on_battery, lock.led_on_battery))
    rows.append(lock.unpowered())
    return rows


class _Lock:
    def __init__(self, config: Config, portal: str) -> None:
        device = config["portals"][portal]["lock"]
        entry = config["devices"][device]
        claim = next(one for one in claims(config) if one.device == device)
        self.fail_safe = entry["fail_mode"] == "fail_safe"
        self.magnet = board_wiring.is_magnet(config, device)
        self.normally_open = entry["relay_contact"] == "no"
        self.exit = board_wiring.exit_device(config["portals"][portal])
        self.way = "cut" if board_wires.cuts(config, portal) else self.exit
        self.fire_cuts = board_wiring.fire_cuts(config, device)
        if self.way == "panic_bar":
            self.way = "handle"
        supply = board_wiring.supply_name(config, device)
        self.battery = board_loads.battery_of(config, supply) != ""
        leads = (board_loads.board_supply(config), board_loads.coil_supply(config))
        #: Whether board and relay live on a battery too; what is not stated is not doubted.
        self.led_on_battery = all(not one or board_loads.battery_of(config, one) for one in leads)
        header = config["board"] != "sim" and board_facts.number(claim.line) is not None
        level = {"up": "high", "down": "low"}[board_facts.boot_pull(claim.line)]
        # What is no pin of the header has its driver's safe level from the start.
        self.coil_at_boot = (level if header else claim.safe) == claim.active

    def row(self, situation: str, coil: bool, alive: bool = True) -> State:
        """With supply; `alive`: a program listens to keys and buttons."""
        return self._state(situation, coil, coil == self.normally_open, alive)

    def unpowered(self) -> State:
        """No mains, no battery: no current whatever the contact."""
        return self._state("dead", False, False, alive=False)

    def _state(self, situation: str, coil: bool, current: bool, alive: bool) -> State:
        free = current != self.fail_safe
        word = "free" if free else ("holds" if self.magnet else "locked")
        if free:
            outside, inside = "opens", "watchdog" if situation == "hung" else "opens"
        else:
            outside = "key" if alive else "no"
            inside = {"none": "nothing"}.get(self.exit, self.exit)
            if not alive and self.way == "cut":
                inside = "hardware" if self.fire_cuts else "hardware_alone"
            elif not alive and self.way != "handle":  # who asks by a button asks nobody
                inside = "fire_only" if self.fire_cuts else "nothing"
        return State(situation, "on" if coil else "off", word, outside, inside)
