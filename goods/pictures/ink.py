"""The few shapes and colours that all pictures are made of. Every function returns a piece of SVG as text.

The drawings have a ground of their own, so they read on light and on dark pages; they name generic font families only
and refer to nothing outside themselves.
"""

from __future__ import annotations

from html import escape

WIDTH, HEIGHT = 1200, 800

PAPER = "#f6f1e7"
SHEET = "#fffdf8"
SAND = "#e6dccb"
SAGE = "#d5dfce"
MOSS = "#7f9f86"
GREEN = "#2f5d4a"
INK = "#22302a"
SOFT = "#5d6a63"
CLAY = "#b8623f"
HONEY = "#f1d9a0"

SERIF = "Georgia, 'Times New Roman', serif"
SANS = "system-ui, Helvetica, Arial, sans-serif"
MONO = "ui-monospace, Menlo, Consolas, monospace"


def picture(title: str, *shapes: str) -> str:
    """A whole drawing of 1200 by 800 on its own paper. The title is for those who open the file by itself."""
    body = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">\n'
        f"<title>{escape(title)}</title>\n{rect(0, 0, WIDTH, HEIGHT, PAPER)}\n{body}\n</svg>\n"
    )


def rect(x: float, y: float, w: float, h: float, fill: str = SHEET, r: float = 0, stroke: str = "none") -> str:
    edge = "" if stroke == "none" else f' stroke="{stroke}" stroke-width="2"'
    return f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="{r:g}" fill="{fill}"{edge}/>'


def circle(x: float, y: float, r: float, fill: str, stroke: str = "none", width: float = 2) -> str:
    edge = "" if stroke == "none" else f' stroke="{stroke}" stroke-width="{width:g}"'
    return f'<circle cx="{x:g}" cy="{y:g}" r="{r:g}" fill="{fill}"{edge}/>'


def line(x1: float, y1: float, x2: float, y2: float, colour: str = SAND, width: float = 2) -> str:
    ends = f'x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width:g}" stroke-linecap="round"/>'


def path(d: str, fill: str = "none", stroke: str = "none", width: float = 2) -> str:
    edge = "" if stroke == "none" else f' stroke="{stroke}" stroke-width="{width:g}"'
    return f'<path d="{d}" fill="{fill}"{edge} stroke-linecap="round" stroke-linejoin="round"/>'


def text(
    x: float,
    y: float,
    words: str,
    size: float = 22,
    fill: str = INK,
    family: str = SANS,
    weight: int = 400,
    anchor: str = "start",
) -> str:
    """One line of text; y is its base line."""
    look = f'font-family="{family}" font-size="{size:g}" font-weight="{weight}" fill="{fill}" text-anchor="{anchor}"'
    return f'<text x="{x:g}" y="{y:g}" {look} xml:space="preserve">{escape(words, quote=False)}</text>'


def bars(x: float, y: float, widths: list[float], step: float = 34, fill: str = SAND, h: float = 12) -> str:
    """Lines of writing too small to read."""
    return "\n".join(rect(x, y + i * step, w, h, fill, h / 2) for i, w in enumerate(widths))


def group(shapes: str, x: float = 0, y: float = 0, turn: float = 0, scale: float = 1) -> str:
    return f'<g transform="translate({x:g} {y:g}) rotate({turn:g}) scale({scale:g})">\n{shapes}\n</g>'


def fern(x: float, y: float, scale: float = 1, colour: str = GREEN) -> str:
    """The sign of the house: a frond, rooted at (x, y), 100 units high."""
    stem = path("M0 0 C 4 -36 2 -70 -8 -100", stroke=colour, width=3.5)
    leaves = []
    for i in range(8):
        height, length = -14 - i * 11, 30 - i * 2.9
        middle = 3 - (i / 8) ** 2 * 9
        for side in (-1, 1):
            tip_x, tip_y = middle + side * length, height - length * 0.5
            bend = f"{middle + side * length * 0.3:.1f} {tip_y:.1f}"
            back = f"{middle + side * length * 0.75:.1f} {height:.1f}"
            leaves.append(
                path(f"M{middle:.1f} {height} Q {bend} {tip_x:.1f} {tip_y:.1f} Q {back} {middle:.1f} {height}", colour)
            )
    return group("\n".join([stem, *leaves]), x, y, 0, scale)
