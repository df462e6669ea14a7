"""A catalogue of as many products as wanted: the sample goods again and again, under other addresses."""

from __future__ import annotations

import re
from pathlib import Path

_PRODUCT = "\n[[product]]\n"


def multiply(folder: Path, wanted: int) -> None:
    """Make folder/catalogue.toml list `wanted` products. Copies share pictures and archives with their originals."""
    path = folder / "catalogue.toml"
    head, *blocks = path.read_text("utf-8").split(_PRODUCT)
    rounds = -(-wanted // len(blocks))
    copies = [_renamed(block, number) for number in range(rounds) for block in blocks]
    path.write_text(_PRODUCT.join([head, *copies[:wanted]]), "utf-8")


def _renamed(block: str, number: int) -> str:
    if number == 0:
        return block
    block = re.sub(r'^slug = "(.+)"$', rf'slug = "\1-{number}"', block, flags=re.MULTILINE)
    members = re.compile(r"^members = \[[^]]*]", re.MULTILINE)
    return members.sub(lambda found: re.sub(r'"([^"]+)"', rf'"\1-{number}"', found[0]), block)
