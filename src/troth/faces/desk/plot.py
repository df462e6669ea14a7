"""Plots drawn on the server: columns as SVG that every browser scales, nothing of it run or fetched.

A plot has no text but a title and a description: what it shows stands in the table beneath it, and its caption.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from troth.shop import written
from troth.shop.journeys.reports import Bar

STEP, TALL = 20, 100  # units of the drawing: a column with its gap, its height


class Column(msgspec.Struct, frozen=True):
    x: int
    y: float
    height: float
    down: bool  # less than nothing


class Plot(msgspec.Struct, frozen=True):
    wide: int
    tall: int
    columns: list[Column]
    said: str  # the highest and the lowest, in words
    first: str
    last: str


def drawn(bars: Sequence[Bar]) -> Plot | None:
    """Columns from a common line at zero; None where there is nothing to compare."""
    if len(bars) < 2 or not any(bar.value.minor for bar in bars):
        return None
    minors = [bar.value.minor for bar in bars]
    top, bottom = max(0, *minors), min(0, *minors)
    unit = TALL / (top - bottom)
    columns = [
        Column(number * STEP, round((top - max(0, minor)) * unit, 2), round(abs(minor) * unit, 2), minor < 0)
        for number, minor in enumerate(minors)
    ]
    high, low = max(bars, key=lambda bar: bar.value.minor), min(bars, key=lambda bar: bar.value.minor)
    said = f"{high.label}: {written.money(high.value)}; {low.label}: {written.money(low.value)}"
    return Plot(len(bars) * STEP, TALL, columns, said, bars[0].label, bars[-1].label)
