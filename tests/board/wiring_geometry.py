"""What no wiring drawing may have: texts that touch something, wires on one lane, things outside the frame.

Looks at the written SVG, with the widths that its texts state (`textLength`), and with no help of the code
that drew it.
"""

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

SVG = "{http://www.w3.org/2000/svg}"
FRAME = (8.0, 8.0, 289.0, 202.0)
SMALLEST = 2.5  #: mm
_ASCENT, _DESCENT = (
    0.73,
    0.2,
)  #: of a text's size; capitals and Chinese characters, and what hangs below
_SLACK = 0.05  #: mm

Box = tuple[float, float, float, float]
Segment = tuple[float, float, float, float]


def sheets(svg: str) -> list[ET.Element]:
    """Each sheet of a drawing."""
    return list(ET.fromstring(svg).iter(SVG + "g"))


def faults(sheet: ET.Element) -> list[str]:
    """Everything that is wrong with one sheet."""
    texts = [(one.text or "", _text_box(one), one) for one in sheet.iter(SVG + "text")]
    found = [f"no {name}" for name in ("title", "desc") if not sheet.findtext(SVG + name)]
    for text, box, one in texts:
        if float(one.attrib["font-size"]) < SMALLEST:
            found.append(f"text {text!r} is smaller than {SMALLEST} mm")
        if _outside(box):
            found.append(f"text {text!r} is outside the frame")
    for place, (text, box, _) in enumerate(texts):
        for other, their, _ in texts[place + 1 :]:
            if _overlap(box, their):
                found.append(f"texts {text!r} and {other!r} overlap")
    segments = list(_segments(sheet))
    for text, box, _ in texts:
        if any(_crosses(segment, box) for segment in segments):
            found.append(f"text {text!r} stands on a line")
    for segment in segments:
        if _outside((*_sorted(segment[0], segment[2]), *_sorted(segment[1], segment[3]))):
            found.append(f"line {segment} is outside the frame")
    return found + lanes(sheet)


def lanes(sheet: ET.Element) -> list[str]:
    """Two wires that run on one another."""
    wires = [
        (one.attrib["data-wire"], _line(one))
        for one in sheet.iter(SVG + "line")
        if "data-wire" in one.attrib
    ]
    found = []
    for place, (wire, (ax, ay, bx, by)) in enumerate(wires):
        for other, (cx, cy, dx, dy) in wires[place + 1 :]:
            if wire == other:
                continue
            level = ay == by == cy == dy and _shared(ax, bx, cx, dx)
            upright = ax == bx == cx == dx and _shared(ay, by, cy, dy)
            if level or upright:
                found.append(f"{wire} and {other} on one lane")
    return found


def claimed(svg: str) -> Counter[str]:
    """How often each claimed line is named beside its wire."""
    texts = ET.fromstring(svg).iter(SVG + "text")
    return Counter(one.attrib["data-claim"] for one in texts if "data-claim" in one.attrib)


def _text_box(one: ET.Element) -> Box:
    """Left, right, top, bottom."""
    x, y, size = (float(one.attrib[key]) for key in ("x", "y", "font-size"))
    return x, x + float(one.attrib["textLength"]), y - _ASCENT * size, y + _DESCENT * size


def _line(one: ET.Element) -> Segment:
    x1, y1, x2, y2 = (float(one.attrib[key]) for key in ("x1", "y1", "x2", "y2"))
    return x1, y1, x2, y2


def _segments(sheet: ET.Element) -> Iterator[Segment]:
    """Every straight piece of ink: lines, and the sides of boxes and figures that are not filled."""
    for one in sheet.iter(SVG + "line"):
        yield _line(one)
    for one in sheet.iter(SVG + "rect"):
        x, y, w, h = (float(one.attrib[key]) for key in ("x", "y", "width", "height"))
        if one.attrib["fill"] != "black":
            yield from ((x, y, x + w, y), (x, y + h, x + w, y + h))
            yield from ((x, y, x, y + h), (x + w, y, x + w, y + h))
    for one in sheet.iter(SVG + "circle"):
        x, y, r = (float(one.attrib[key]) for key in ("cx", "cy", "r"))
        if r < 1.5:  # terminals and joins; larger ones are pins, with their number inside
            yield from ((x - r, y, x + r, y), (x, y - r, x, y + r))
    for one in sheet.iter(SVG + "polygon"):
        points: list[Any] = [
            tuple(map(float, point.split(","))) for point in one.attrib["points"].split()
        ]
        for (x1, y1), (x2, y2) in pairwise([*points, points[0]]):
            yield x1, y1, x2, y2


def _sorted(a: float, b: float) -> tuple[float, float]:
    return min(a, b), max(a, b)


def _outside(box: Box) -> bool:
    left, top, right, bottom = FRAME
    return (
        box[0] < left - _SLACK
        or box[1] > right + _SLACK
        or box[2] < top - _SLACK
        or box[3] > bottom + _SLACK
    )


def _overlap(one: Box, other: Box) -> bool:
    return (
        one[0] + _SLACK < other[1]
        and other[0] + _SLACK < one[1]
        and one[2] + _SLACK < other[3]
        and other[2] + _SLACK < one[3]
    )


def _shared(a: float, b: float, c: float, d: float) -> bool:
    return max(min(a, b), min(c, d)) + _SLACK < min(max(a, b), max(c, d))


def _crosses(segment: Segment, box: Box) -> bool:
    """Whether a piece of ink enters a text's box (clipping after Liang and Barsky)."""
    x1, y1, x2, y2 = segment
    left, right, top, bottom = box[0] + _SLACK, box[1] - _SLACK, box[2] + _SLACK, box[3] - _SLACK
    enter, leave = 0.0, 1.0
    for way, room in (
        (x1 - x2, x1 - left),
        (x2 - x1, right - x1),
        (y1 - y2, y1 - top),
        (y2 - y1, bottom - y1),
    ):
        if way == 0:
            if room < 0:
                return False
        elif way < 0:
            enter = max(enter, room / way)
        else:
            leave = min(leave, room / way)
    return enter < leave
