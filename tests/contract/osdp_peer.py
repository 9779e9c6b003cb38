"""One OSDP reader: libosdp's peripheral side on a serial port, a process of its own.

Its one argument is JSON: path, address, key (hex; none: it waits for one under the default key), lights,
mute_after (a command: it does the first of these, and what it answers from then on is lost on its wire).
Takes one event a line on standard input, as libosdp names its fields, with bytes in hex, or ``mute``, whether
its answers are lost; tells every command, one JSON object a line, on standard output.
"""

import importlib
import json
import os
import select
import sys
import tty
from typing import Any

osdp_sys = importlib.import_module("osdp_sys")


class _Port:
    id = 1

    def __init__(self, path: str) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.fd)
        self.mute = False

    def read(self, most: int) -> bytes:
        try:
            return os.read(self.fd, most)
        except BlockingIOError:
            return b""

    def write(self, data: bytes) -> int:
        return len(data) if self.mute else os.write(self.fd, data)

    def flush(self) -> None:
        pass


def _tell(what: dict[str, Any]) -> None:
    shown = {key: value.hex() if isinstance(value, bytes) else value for key, value in what.items()}
    print(json.dumps(shown), flush=True)


def main(told: dict[str, Any]) -> None:
    """Be that reader until standard input ends."""
    port = _Port(told["path"])
    osdp_sys.set_loglevel(osdp_sys.LOG_EMERG)
    key = told.get("key")
    abilities = [
        (osdp_sys.CAP_CARD_DATA_FORMAT, 1, 0),
        (osdp_sys.CAP_CHECK_CHARACTER_SUPPORT, 1, 0),
    ]
    if told.get("lights", True):
        abilities += [(osdp_sys.CAP_READER_LED_CONTROL, 1, 1)]
        abilities += [(osdp_sys.CAP_READER_AUDIBLE_OUTPUT, 1, 1)]
    about = {
        "name": "peer",
        "address": told["address"],
        "flags": 0 if key else osdp_sys.FLAG_INSTALL_MODE,
        "scbk": bytes.fromhex(key) if key else None,
        "channel": port,
        "version": 1,
        "model": 1,
        "vendor_code": 0x123456,
        "serial_number": 1,
        "firmware_version": 1,
    }
    names = ("function_code", "compliance_level", "num_items")
    reader = osdp_sys.PeripheralDevice(
        about, capabilities=[dict(zip(names, one, strict=True)) for one in abilities]
    )

    def commanded(command: dict[str, Any]) -> tuple[int, dict[str, Any] | None]:
        if command["command"] == told.get("mute_after"):
            port.mute = True
            del told["mute_after"]
        _tell(command)
        return 0, None  # to a question for its status libosdp says that nothing is wrong

    reader.set_command_callback(commanded)
    _tell({"ready": os.getpid()})
    step_s = told.get("step_ms", 20) / 1000
    while True:
        readable, _, _ = select.select([0, port.fd], [], [], step_s)
        if 0 in readable:
            lines = os.read(0, 65536)
            if not lines:
                return
            for line in lines.splitlines():
                event = json.loads(line)
                if "mute" in event:
                    port.mute = event["mute"]
                    continue
                for name in ("data", "report"):
                    if name in event:
                        event[name] = bytes.fromhex(event[name])
                reader.submit_event(event)
        reader.refresh()


main(json.loads(sys.argv[1]))
