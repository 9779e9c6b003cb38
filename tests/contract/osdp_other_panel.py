"""A control panel that shares no line with libosdp: the Python package `osdp`, in a process of its own.

    PYTHONPATH=its folder python osdp_other_panel.py PORT ADDRESS KEY

KEY in hex. Tells what it hears, one JSON object a line; any line on standard input lights the reader red.
"""

import importlib
import json
import os
import sys
import threading
from typing import Any

osdp = importlib.import_module("osdp")
channels = importlib.import_module("osdp._secure_channel")


def _tell(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def main(port: str, address: int, key: bytes) -> None:
    """Be that panel until standard input ends."""
    # The package makes each reader's key from one master key; here a reader has a key of its own.
    channels.SecureChannel.calculate_scbk = lambda self: key

    class Panel(osdp.ControlPanel):  # type: ignore[misc, name-defined]
        """Tells what it hears."""

        def on_reply_received(self, reply: Any) -> None:
            _tell(reply=reply.type.name, secure=reply.is_secure_message)
            super().on_reply_received(reply)

        def on_raw_card_data_reply_received(self, address: int, card: Any) -> None:
            bits = "".join(f"{byte:08b}" for byte in card.data)[: card.bit_count]
            _tell(card=bits)

        def on_keypad_data_reply_received(self, address: int, keypad: Any) -> None:
            _tell(keys=keypad.data.decode())

        def on_local_status_report_reply_received(self, address: int, status: Any) -> None:
            _tell(tamper=status.tamper, power=status.power_failure)

    panel = Panel()
    bus = panel.start_connection(osdp.SerialPortOsdpConnection(port=port, baud_rate=115_200))
    panel.add_device(bus, address, True, True)
    for _ in sys.stdin:
        threading.Thread(target=_light, args=(panel, bus, address), daemon=True).start()
    os._exit(0)  # its thread has no end of its own


def _light(panel: Any, bus: Any, address: int) -> None:
    red, black = osdp.LedColor.Red, osdp.LedColor.Black
    control = osdp.ReaderLedControl(
        0,
        0,
        osdp.TemporaryReaderControlCode.Nop,
        0,
        0,
        black,
        black,
        0,
        osdp.PermanentReaderControlCode.SetPermanentState,
        1,
        0,
        red,
        red,
    )
    _tell(lit=panel.reader_led_control(bus, address, osdp.ReaderLedControls([control])))


main(sys.argv[1], int(sys.argv[2]), bytes.fromhex(sys.argv[3]))
