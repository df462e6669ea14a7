"""How lists name people: by six characters of a reference, which say nothing of whom."""

from __future__ import annotations


def code(ref: str) -> str:
    """per_k4x2abc… → K4X-2AB. For eyes alone: two persons may share one, so nothing is looked up by it."""
    return f"{ref[4:7]}-{ref[7:10]}".upper()
