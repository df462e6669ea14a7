"""The numbers as a table, with target and what others need (measured on the same kind of machine, see docs)."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """`most` is the target; `ratio` compares with a bare Django view with default middlewares in the same run."""

    name: str
    unit: str
    measured: float
    most: float | None = None
    ratio: float | None = None
    peers: str = ""

    @property
    def kept(self) -> bool | None:
        return None if self.most is None else self.measured <= self.most


def lines(rows: list[Row]) -> list[str]:
    """A table in Markdown."""
    head = ("number", "target", "measured", "x bare view", "peers")
    body = [
        (row.name, _target(row), _written(row.measured, row.unit), _times(row.ratio), row.peers or "-") for row in rows
    ]
    widths = [max(len(line[column]) for line in (head, *body)) for column in range(len(head))]

    def drawn(cells: tuple[str, ...]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    return [drawn(head), drawn(tuple("-" * width for width in widths)), *(drawn(cells) for cells in body)]


def as_json(rows: list[Row]) -> list[dict[str, object]]:
    return [{**row._asdict(), "kept": row.kept} for row in rows]


def _target(row: Row) -> str:
    if row.most is None:
        return "-"
    return f"≤ {row.most:g} {row.unit} {'✓' if row.kept else '✗ missed'}"


def _written(value: float, unit: str) -> str:
    return f"{value:.0f} {unit}" if value == int(value) or value >= 100 else f"{value:.2f} {unit}"


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.1f}"
