"""The converter ADS1115 on I2C (Texas Instruments SBAS444): four channels, 16 bits, 860 a second.

It measures volts against a reference of its own, so the supply of the loops must be told. One conversion
takes 1.2 ms; the chip says in its config register when it is over.
"""

from hal.backends.i2c_bus import I2cBus
from hal.errors import DeviceUnavailableError

CONVERSION, CONFIG = 0x00, 0x01

_START = 0x8000  # OS: begin one conversion; read: 1 when none is running
_AGAINST_GROUND = 0x4000  # MUX: AIN0 against ground; the channel's number stands 12 bits up
_SINGLE_SHOT = 0x0100
_860_A_SECOND = 0x00E0
_NO_COMPARATOR = 0x0003
_FULL_SCALE = 32768
_MOST_LOOKS = 50  # at 400 kHz a look takes 0.1 ms

#: largest supply that a gain takes (mV), its full scale (mV), its PGA bits
_GAINS = ((2048, 2048, 0x0400), (4096, 4096, 0x0200), (6144, 6144, 0x0000))


class Ads1115:
    """One chip.

    address    int  0x48 to 0x4b
    supply_mv  int  what the loops are pulled up to, and the chip's own supply
    """

    channels: tuple[str, ...] = ("AIN0", "AIN1", "AIN2", "AIN3")

    def __init__(self, bus: I2cBus, address: int, supply_mv: int) -> None:
        self._bus = bus
        self._address = address
        self._supply_mv = supply_mv
        self._scale_mv, self._gain = next(
            (scale, bits) for most, scale, bits in _GAINS if supply_mv <= most
        )

    def measure(self, channel: int) -> int:
        """See `converters.Converter.measure`."""
        wanted = (
            _START
            | _AGAINST_GROUND
            | channel << 12
            | self._gain
            | _SINGLE_SHOT
            | _860_A_SECOND
            | _NO_COMPARATOR
        )
        self._bus.write_word(self._address, CONFIG, wanted)
        for _ in range(_MOST_LOOKS):
            if self._bus.read_word(self._address, CONFIG) & _START:
                break
        else:
            raise DeviceUnavailableError(
                f"{self._bus.path} 0x{self._address:02x}: never ends to measure; expected an ADS1115"
            )
        code = self._bus.read_word(self._address, CONVERSION)
        if code >= _FULL_SCALE:  # a little below ground
            code = 0
        return min(1000, round(code * self._scale_mv * 1000 / (_FULL_SCALE * self._supply_mv)))

    def load(self) -> None:
        """See `converters.Converter.load`."""
        self._bus.load()

    def close(self) -> None:
        """See `converters.Converter.close`."""
        self._bus.close()
