"""A drawn likeness of the Magento admin: window, side bar, buttons, fields, grids. Not a copy of its design."""

from __future__ import annotations

from pictures.ink import (
    CLAY,
    GREEN,
    HONEY,
    INK,
    MONO,
    MOSS,
    PAPER,
    SAGE,
    SAND,
    SANS,
    SERIF,
    SHEET,
    SOFT,
    circle,
    fern,
    line,
    path,
    rect,
    text,
)

LEFT, RIGHT = 180, 1110  # where the content of an admin page begins and ends


def window(inside: str, fill: str = SHEET) -> str:
    dots = "".join(circle(72 + i * 26, 72, 7, colour) for i, colour in enumerate((CLAY, HONEY, MOSS)))
    return rect(44, 44, 1112, 712, fill, 16, SAND) + dots + line(44, 100, 1156, 100, SAND) + inside


def admin_page(title: str, active: int, inside: str) -> str:
    """`active` counts the entries of the side bar from 0."""
    bar = [path("M44 101 H 140 V 756 H 60 A 16 16 0 0 1 44 740 Z", GREEN), fern(92, 162, 0.46, SAGE)]
    for i, entry in enumerate(("Sales", "Catalog", "Content", "Stores", "System")):
        y = 186 + i * 92
        here = i == active
        if here:
            bar.append(rect(44, y, 96, 84, "#244939"))
        bar.append(rect(80, y + 14, 24, 24, HONEY if here else MOSS, 6))
        bar.append(text(92, y + 64, entry, 17, SHEET if here else SAGE, anchor="middle"))
    head = text(LEFT, 156, title, 34, INK, SERIF)
    return window("\n".join([*bar, head, inside]))


def button(x: float, y: float, words: str, width: float, filled: bool = False) -> str:
    """Upper left corner at (x, y), 44 high."""
    ground = rect(x, y, width, 44, CLAY if filled else SHEET, 4, "none" if filled else SOFT)
    return ground + text(x + width / 2, y + 29, words, 19, SHEET if filled else INK, anchor="middle", weight=600)


def field(y: float, label: str, lines: list[str], hint: str = "", x: float = 566, width: float = 480) -> str:
    """A setting: label at the left, box at the right, a hint below it."""
    height = 22 + 28 * len(lines)
    parts = [
        text(x - 28, y + 32, label, 20, INK, anchor="end", weight=600),
        rect(x, y, width, height, SHEET, 3, "#b9b3a5"),
    ]
    parts += [text(x + 16, y + 32 + i * 28, words, 20) for i, words in enumerate(lines)]
    if hint:
        parts.append(text(x, y + height + 26, hint, 17, SOFT))
    return "\n".join(parts)


def grid(y: float, columns: list[tuple[float, str]], rows: list[list[str]], step: float = 58) -> str:
    """A table across the page; columns are (x, heading); a cell may have two lines."""
    parts = [rect(LEFT, y, RIGHT - LEFT, 48, GREEN, 4)]
    parts += [text(x, y + 31, heading, 19, SHEET, weight=600) for x, heading in columns]
    for i, row in enumerate(rows):
        top = y + 48 + i * step
        parts.append(rect(LEFT, top, RIGHT - LEFT, step, PAPER if i % 2 else SHEET))
        for (x, _), cell in zip(columns, row, strict=True):
            lines = cell.split("\n")
            base = top + step / 2 + 7 - 13 * (len(lines) - 1)
            family = MONO if cell.endswith(".html") else SANS
            parts += [text(x, base + k * 26, words, 19, INK, family) for k, words in enumerate(lines)]
    parts.append(line(LEFT, y + 48 + len(rows) * step, RIGHT, y + 48 + len(rows) * step))
    return "\n".join(parts)


def tabs(entries: list[str], active: int) -> str:
    """The tabs of an order, in a column."""
    parts = []
    for i, entry in enumerate(entries):
        y = 196 + i * 54
        here = i == active
        parts.append(rect(LEFT, y, 218, 54, SHEET if here else PAPER, 0, SAND))
        if here:
            parts.append(rect(LEFT, y, 6, 54, CLAY))
        parts.append(text(LEFT + 22, y + 34, entry, 19, INK, weight=600 if here else 400))
    return "\n".join(parts)
