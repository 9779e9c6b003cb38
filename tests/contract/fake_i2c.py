"""smbus2's SMBus over chips at the level of their registers, as the data sheets describe them.

MCP23017 (DS20001952): power-up values, OLAT behind GPIO, pins that are inputs read the world or their pull.
ADS1115 (SBAS444): one conversion a start, whose end OS tells; the gain; two's complement. Does not imitate:
bus speeds, clock stretching, arbitration, BANK = 1, interrupt pins, crosstalk.
"""

import errno
import os
from typing import Any

IODIR, GPPU, GPIO, OLAT = 0x00, 0x0C, 0x12, 0x14


class FakeMcp23017:
    """One expander, from outside: sixteen pins, GPA0 first."""

    def __init__(self) -> None:
        self.world: list[bool | None] = [None] * 16
        self.shown: list[list[bool]] = [[] for _ in range(16)]
        self.power_up()

    def power_up(self) -> None:
        """Its supply comes (back)."""
        self.registers = [0] * 0x16
        self.registers[IODIR] = self.registers[IODIR + 1] = 0xFF

    def is_output(self, pin: int) -> bool:
        return not self.registers[IODIR + pin // 8] >> pin % 8 & 1

    def high(self, pin: int) -> bool:
        """The pin's level, as a meter shows it; one that floats is shown low."""
        if self.is_output(pin):
            return bool(self.registers[OLAT + pin // 8] >> pin % 8 & 1)
        driven = self.world[pin]
        return bool(self.registers[GPPU + pin // 8] >> pin % 8 & 1) if driven is None else driven

    def write(self, register: int, value: int) -> None:
        before = [self.is_output(pin) and self.high(pin) for pin in range(16)]
        was_output = [self.is_output(pin) for pin in range(16)]
        if register in (GPIO, GPIO + 1):
            register += OLAT - GPIO  # writing a port writes its latch
        self.registers[register] = value
        for pin in range(16):
            if not self.is_output(pin):
                continue
            if not was_output[pin]:
                self.shown[pin] = [self.high(pin)]
            elif self.high(pin) != before[pin]:
                self.shown[pin].append(self.high(pin))

    def read(self, register: int) -> int:
        if register in (GPIO, GPIO + 1):
            port = (register - GPIO) * 8
            return sum(self.high(port + bit) << bit for bit in range(8))
        return self.registers[register]


class FakeAds1115:
    """One converter, from outside: millivolts on four channels."""

    SCALE_MV = (6144, 4096, 2048, 1024, 512, 256, 256, 256)

    def __init__(self, looks: int = 3) -> None:
        self.millivolts = [0.0] * 4
        self.config = 0x8583
        self.conversion = 0
        self.looks = looks  # how often OS is 0 before a conversion has ended
        self._left = 0

    def write_word(self, register: int, value: int) -> None:
        assert register == 1, "only the config is written"
        self.config = value & 0x7FFF
        if value & 0x8000:
            self._left = self.looks
            mux, gain = value >> 12 & 7, value >> 9 & 7
            assert mux >= 4, "differential"
            code = round(self.millivolts[mux - 4] * 32768 / self.SCALE_MV[gain])
            self.conversion = max(-32768, min(32767, code)) & 0xFFFF

    def read_word(self, register: int) -> int:
        if register == 0:
            assert self._left == 0, "read before the conversion has ended"
            return self.conversion
        self._left = max(0, self._left - 1)
        return self.config | (0 if self._left else 0x8000)


class FakeSmbus2:
    """Stands in for the module `smbus2`."""

    def __init__(self, chips: dict[int, Any]) -> None:
        self.chips = chips
        self.gone: set[int] = set()
        self.refuses = 0
        self.log: list[tuple[int, int, int]] = []

    def SMBus(self, path: str) -> "FakeSmbus2":  # noqa: N802  the library's own name
        if self.refuses:
            raise OSError(self.refuses, os.strerror(self.refuses), path)
        return self

    def close(self) -> None:
        """The bus's file; the chips stay as they are."""

    def write_byte_data(self, address: int, register: int, value: int) -> None:
        chip = self._chip(address)
        self.log.append((address, register, value))
        chip.write(register, value)

    def read_i2c_block_data(self, address: int, register: int, count: int) -> list[int]:
        chip = self._chip(address)
        return [chip.read(register + at) for at in range(count)]

    def write_word_data(self, address: int, register: int, value: int) -> None:
        self._chip(address).write_word(register, (value & 0xFF) << 8 | value >> 8)

    def read_word_data(self, address: int, register: int) -> int:
        value: int = self._chip(address).read_word(register)
        return (value & 0xFF) << 8 | value >> 8

    def _chip(self, address: int) -> Any:
        if address in self.gone or address not in self.chips:
            raise OSError(errno.EREMOTEIO, os.strerror(errno.EREMOTEIO))
        return self.chips[address]
