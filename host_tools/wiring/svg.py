"""Sheets as SVG: one file, one below the other. The same sheets give the same bytes."""

from xml.sax.saxutils import escape, quoteattr

from host_tools.wiring.shapes import Circle, Line, Polygon, Rect, Shape, Sheet, Text

WIDTH, HEIGHT = 297, 210  #: A4 landscape, mm

_FONT = (
    "Arial, Helvetica, 'Liberation Sans', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', "
    "'Noto Sans SC', sans-serif"
)


def document(sheets: list[Sheet], title: str, lang: str) -> str:
    """The whole file."""
    high = HEIGHT * len(sheets)
    out = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" lang="{lang}" width="{WIDTH}mm" height="{high}mm" '
        f'viewBox="0 0 {WIDTH} {high}" font-family="{_FONT}" fill="none" stroke="black" '
        'stroke-linecap="round">',
        f"<title>{escape(title)}</title>",
        f'<rect x="0" y="0" width="{WIDTH}" height="{high}" fill="white" stroke="none"/>',
    ]
    for place, sheet in enumerate(sheets):
        out.append(f'<g role="img" transform="translate(0 {place * HEIGHT})">')
        out.append(f"<title>{escape(sheet.title)}</title>")
        out.append(f"<desc>{escape(sheet.desc)}</desc>")
        out += [_shape(shape) for shape in sheet.shapes]
        out.append("</g>")
    out.append("</svg>")
    return "\n".join(out) + "\n"


def _shape(shape: Shape) -> str:
    if isinstance(shape, Line):
        dash = f' stroke-dasharray="{shape.dash}"' if shape.dash else ""
        wire = f" data-wire={quoteattr(shape.wire)}" if shape.wire else ""
        return (
            f'<line x1="{_n(shape.x1)}" y1="{_n(shape.y1)}" x2="{_n(shape.x2)}" y2="{_n(shape.y2)}" '
            f'stroke-width="{_n(shape.width)}"{dash}{wire}/>'
        )
    if isinstance(shape, Text):
        bold = ' font-weight="bold"' if shape.bold else ""
        wire = f" data-wire={quoteattr(shape.wire)}" if shape.wire else ""
        claim = f" data-claim={quoteattr(shape.claim)}" if shape.claim else ""
        return (
            f'<text x="{_n(shape.x)}" y="{_n(shape.y)}" font-size="{_n(shape.size)}"{bold} '
            f'textLength="{_n(shape.width)}" lengthAdjust="spacingAndGlyphs" fill="{shape.ink}" '
            f'stroke="none"{wire}{claim}>{escape(shape.text)}</text>'
        )
    if isinstance(shape, Rect):
        dash = f' stroke-dasharray="{shape.dash}"' if shape.dash else ""
        return (
            f'<rect x="{_n(shape.x)}" y="{_n(shape.y)}" width="{_n(shape.w)}" height="{_n(shape.h)}" '
            f'stroke-width="{_n(shape.width)}" fill="{shape.fill}"{dash}/>'
        )
    if isinstance(shape, Circle):
        return (
            f'<circle cx="{_n(shape.x)}" cy="{_n(shape.y)}" r="{_n(shape.r)}" '
            f'stroke-width="{_n(shape.width)}" fill="{shape.fill}"/>'
        )
    assert isinstance(shape, Polygon)
    points = " ".join(f"{_n(x)},{_n(y)}" for x, y in shape.points)
    return (
        f'<polygon points="{points}" stroke-width="{_n(shape.width)}" fill="{shape.fill}" '
        'stroke-linejoin="round"/>'
    )


def _n(number: float) -> str:
    """A hundredth of a millimetre is enough, and nothing else differs between machines."""
    return f"{number:.2f}".rstrip("0").rstrip(".")
