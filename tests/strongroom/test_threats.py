"""Each line of the threats names a test, and there is such a test."""

from __future__ import annotations

import ast
import re

import pytest

from tests.shape.tree import ROOT

PAGE = (ROOT / "docs" / "threats.md").read_text("utf-8")
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def rows() -> list[tuple[str, str]]:
    """Who, and what shows it."""
    lines = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]
    return [(cells[0], cells[-1]) for cells in lines[1:] if len(cells) == 3]


def named_in(path: str) -> set[str]:
    """Names of test functions and of the classes that hold some."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    named = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return {node.name for node in named if node.name.lower().startswith("test")}


@pytest.mark.parametrize(("who", "shown"), rows(), ids=[who for who, _ in rows()])
def test_a_threat_is_shown_by_a_test(who: str, shown: str) -> None:
    named = TEST.findall(shown)
    assert named, f"{who}: name a test that shows it, or say it under what we do not claim"
    for path, name in named:
        assert (ROOT / path).is_file(), path
        found = named_in(path)
        assert name in found if name else found, f"{path}::{name}"


def test_every_line_of_the_table_is_read() -> None:
    table = [line for line in PAGE.splitlines() if line.startswith("|")]
    assert len(rows()) == len(table) - 2 > 20
