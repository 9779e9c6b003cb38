"""What a sheet is made of: lines, texts, boxes, circles, in millimetres from its upper left corner.

A sheet knows which line is which wire, so that a test can look for two wires on one lane.
"""

from collections import namedtuple
from collections.abc import Iterable

from host_tools.wiring import text as texts

THIN, NORMAL, BOLD = 0.18, 0.3, 0.5  #: widths of lines
SMALL, BODY, HEAD = 2.5, 2.8, 4.0  #: sizes of texts; nothing on paper is smaller than 2.5 mm

#: One straight line. `wire`: the number of the wire that it is a piece of, else empty.
#: `dash`: empty, "1.5 1" ...
Line = namedtuple("Line", ("x1", "y1", "x2", "y2", "width", "dash", "wire"))
#: One text; `x` is its left edge whatever it is aligned to, `y` its base line.
#: `claim`: the claimed line that it names (device.role), so that each is found once
Text = namedtuple("Text", ("x", "y", "text", "size", "bold", "width", "wire", "claim", "ink"))
#: A box; `fill` is none, white or black.
Rect = namedtuple("Rect", ("x", "y", "w", "h", "width", "fill", "dash"))
Circle = namedtuple("Circle", ("x", "y", "r", "width", "fill"))
#: A closed figure that is filled.
Polygon = namedtuple("Polygon", ("points", "width", "fill"))

Shape = Line | Text | Rect | Circle | Polygon

FRAME = (8.0, 8.0, 281.0, 194.0)  #: x, y, width, height of the frame on A4 landscape
AREA_BOTTOM = 182.0  #: below it stands the title block


class Sheet:
    """One sheet that is being drawn.

    title  str  what stands in its title block
    desc   str  what it shows, for those who do not see it
    """

    def __init__(self, title: str, desc: str) -> None:
        self.title = title
        self.desc = desc
        self.shapes: list[Shape] = []

    def line(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        width: float = NORMAL,
        dash: str = "",
        wire: str = "",
    ) -> None:
        """A straight line."""
        self.shapes.append(Line(x1, y1, x2, y2, width, dash, wire))

    def wire(self, number: str, *points: tuple[float, float], width: float = NORMAL) -> None:
        """A wire through `points`."""
        for (x1, y1), (x2, y2) in zip(points, points[1:], strict=False):
            self.line(x1, y1, x2, y2, width, wire=number)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = BODY,
        bold: bool = False,
        align: str = "left",
        most: float | None = None,
        wire: str = "",
        claim: str = "",
        ink: str = "black",
    ) -> float:
        """A text on the base line `y`; its width. Longer than `most` mm it loses its middle."""
        shown = text if most is None else texts.fit(text, size, most, bold)
        wide = texts.width(shown, size, bold)
        left = x - {"left": 0.0, "middle": wide / 2, "right": wide}[align]
        if shown:
            self.shapes.append(Text(left, y, shown, size, bold, wide, wire, claim, ink))
        return wide

    def lines(
        self,
        x: float,
        y: float,
        text: str,
        most: float,
        size: float = BODY,
        bold: bool = False,
        at_most: int = 3,
    ) -> float:
        """A text in as many lines as it needs, the last shortened if too many; the next base line."""
        broken = texts.wrap(text, size, most, bold)
        if len(broken) > at_most:
            broken[at_most - 1 :] = [texts.fit(" ".join(broken[at_most - 1 :]), size, most, bold)]
        for line in broken:
            self.text(x, y, line, size, bold, most=most)
            y += size * 1.45
        return y

    def rect(
        self,
        x: float,
        y: float,
        w: float,
        h: float,
        width: float = NORMAL,
        fill: str = "none",
        dash: str = "",
    ) -> None:
        """A box."""
        self.shapes.append(Rect(x, y, w, h, width, fill, dash))

    def circle(
        self, x: float, y: float, r: float, width: float = NORMAL, fill: str = "none"
    ) -> None:
        """A circle."""
        self.shapes.append(Circle(x, y, r, width, fill))

    def polygon(
        self, points: Iterable[tuple[float, float]], width: float = NORMAL, fill: str = "none"
    ) -> None:
        """A closed figure."""
        self.shapes.append(Polygon(tuple(points), width, fill))

    def dot(self, x: float, y: float) -> None:
        """Where wires join."""
        self.circle(x, y, 0.7, 0.1, "black")

    def attention(self, x: float, y: float) -> None:
        """The sign that something is wrong here: a triangle with a mark, 4 mm wide, its foot at `y`."""
        self.polygon(((x, y), (x + 4.4, y), (x + 2.2, y - 3.9)), NORMAL)
        self.line(x + 2.2, y - 2.7, x + 2.2, y - 1.3, 0.45)
        self.circle(x + 2.2, y - 0.65, 0.28, 0.1, "black")
