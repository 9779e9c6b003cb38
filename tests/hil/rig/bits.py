"""Card numbers as the bits that a reader sends; with no code of the project, so that its decoder is tried."""


def w26(place: int, number: int) -> str:
    """26 bits: even parity of a half, 8 bits of facility, 16 of number, odd parity of the other half."""
    inner = f"{place:08b}{number:016b}"
    even = inner[:12].count("1") % 2
    odd = 1 - inner[12:].count("1") % 2
    return f"{even}{inner}{odd}"
