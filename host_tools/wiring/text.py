"""How wide a text is on paper, where it is cut and where it is broken.

Widths are those of Arial and its metric twins in thousandths of the size; whatever is not ASCII counts as a
whole square, as Chinese characters do. The drawing states each text's length, so other fonts keep to it.
"""

_PLAIN = (
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556,) * 10,
    *(278, 278, 584, 584, 584, 556, 1015),
    *(667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833),
    *(722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611),
    *(278, 278, 278, 469, 556, 333),
    *(556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833),
    *(556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500),
    *(334, 260, 334, 584),
)
_BOLD = (
    *(278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556,) * 10,
    *(333, 333, 584, 584, 584, 611, 975),
    *(722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833),
    *(722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611),
    *(333, 278, 333, 584, 556, 333),
    *(556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889),
    *(611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500),
    *(389, 280, 389, 584),
)
_OTHER = {"·": 278, "–": 556, "×": 584, "Ω": 748, "²": 333, "−": 584, "±": 549, "’": 222, "°": 400}
_OTHER |= {"“": 333, "”": 333}


def width(text: str, size: float, bold: bool = False) -> float:
    """The width of `text` in mm at `size` mm."""
    table = _BOLD if bold else _PLAIN
    units = sum(
        table[ord(char) - 32] if " " <= char <= "~" else _OTHER.get(char, 1000) for char in text
    )
    return units * size / 1000


def fit(text: str, size: float, most: float, bold: bool = False) -> str:
    """`text`, with three dots for its middle where it is wider than `most` mm: its end tells it apart."""
    if width(text, size, bold) <= most:
        return text
    start, end = text[: len(text) // 2], text[len(text) // 2 :]
    while (start or end) and width(f"{start.rstrip()}...{end.lstrip()}", size, bold) > most:
        if width(start, size, bold) > width(end, size, bold):
            start = start[:-1]
        else:
            end = end[1:]
    return f"{start.rstrip()}...{end.lstrip()}"


def wrap(text: str, size: float, most: float, bold: bool = False) -> list[str]:
    """`text` in lines of at most `most` mm: broken at spaces, Chinese between any two characters."""
    lines, line = [], ""
    for piece in _pieces(text):
        if line and width((line + piece).rstrip(), size, bold) > most:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return [*lines, line.rstrip()] if line.strip() else lines


_CLOSING = "，。；：、）？！"


def _pieces(text: str) -> list[str]:
    """What stays together: a word with the space after it, or one Chinese character with its comma."""
    pieces: list[str] = []
    for char in text:
        joined = pieces and (
            char in _CLOSING or (_latin(char) and _latin(pieces[-1][-1]) and pieces[-1][-1] != " ")
        )
        if joined:
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces


def _latin(char: str) -> bool:
    return ord(char) < 0x2E80
