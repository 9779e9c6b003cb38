"""One module a device: `driver = "lock"` in a board config is `hal/drivers/lock.py`.

The table is lazy, so that a controller loads only the drivers its board has.

A *source* (reader, keypad, contact, rex) has ``source``, the port to wait on, ``poll(now_ms)``, which
drains the port, honours what was due and returns `hal.ports.Reading` values without ever raising, and
``deadline_ms``, the time by which it wants to be polled again (None: when its port has something). Poll
it once at start. Times are milliseconds on one clock that never wraps, that of `Edge.at_ms`.

An *output* (lock, led, buzzer, siren, beacon, relay) lets `hal.errors.DeviceUnavailableError` through:
whoever commands it must know that it did not happen.
"""

from hal.errors import BoardConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: driver name: class, in the module of the driver's name
DRIVERS = {
    "beacon": "Beacon",
    "buzzer": "Buzzer",
    "contact": "Contact",
    "keypad": "Keypad",
    "led": "Led",
    "lock": "Lock",
    "osdp_buzzer": "OsdpBuzzer",
    "osdp_led": "OsdpLed",
    "osdp_reader": "OsdpReader",
    "pn532_reader": "Pn532Reader",
    "relay": "Relay",
    "rex": "Rex",
    "serial_reader": "SerialReader",
    "siren": "Siren",
    "supervised_contact": "SupervisedContact",
    "wiegand_reader": "WiegandReader",
}


def driver(name: str) -> "Any":
    """The class of a driver. Raises `hal.errors.BoardConfigError` if there is no such driver."""
    if name not in DRIVERS:
        raise BoardConfigError(
            ["driver %s: unknown; expected one of %s" % (name, ", ".join(sorted(DRIVERS)))]
        )
    module = __import__("hal.drivers." + name, None, None, (DRIVERS[name],))
    return getattr(module, DRIVERS[name])
