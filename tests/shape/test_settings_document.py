"""Every setting is documented with its default, and no other is."""

import re

import msgspec

from tests.shape.tree import ROOT
from troth.config import SECTIONS

ROW = re.compile(r"^\| `\[(\w+)\] (\w+)` \| ([^|]+) \|", re.MULTILINE)


def test_every_setting_is_documented_with_its_default() -> None:
    rows = {(section, key): default.strip() for section, key, default in ROW.findall(text())}
    known = {
        (name, field.name): field.default for name, kind in SECTIONS.items() for field in msgspec.structs.fields(kind)
    }
    assert rows.keys() == known.keys()
    for place, told in rows.items():
        if told.startswith("`") and ":" not in told:
            assert told.strip("`") == str(known[place]), place


def text() -> str:
    return (ROOT / "docs/operate/settings.md").read_text("utf-8")
