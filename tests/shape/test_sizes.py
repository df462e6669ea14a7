"""Files and functions stay of a size that one reads in one go. Exceptions are named and may only shrink."""

import ast

import pytest

from tests.shape.tree import ROOT, lines_of_code, python_files

FILE_LINES = 400
FUNCTION_LINES = 70
LONG_FILES = {
    "tests/sandbox/test_sandbox_providers.py": 421,
}
LONG_FUNCTIONS: dict[str, int] = {}
VAGUE = {"util", "utils", "helper", "helpers", "service", "services", "manager", "managers", "common", "misc"}


def long_files(limit: int) -> dict[str, int]:
    sizes = {str(path): len((ROOT / path).read_text("utf-8").splitlines()) for path in python_files()}
    return {name: size for name, size in sizes.items() if size > limit}


def long_functions(limit: int) -> dict[str, int]:
    found = {}
    for path in python_files():
        for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or node.lineno) - node.lineno + 1
                if size > limit:
                    found[f"{path}:{node.name}"] = size
    return found


def assert_only_shrinking(found: dict[str, int], allowed: dict[str, int]) -> None:
    grown = {name: size for name, size in found.items() if size > allowed.get(name, 0)}
    assert not grown, "longer than the house allows: divide them by what they are about"
    mended = allowed.keys() - found.keys()
    assert not mended, "no longer too long: take them off the list"


def test_files_are_short():
    assert_only_shrinking(long_files(FILE_LINES), LONG_FILES)


def test_functions_are_short():
    assert_only_shrinking(long_functions(FUNCTION_LINES), LONG_FUNCTIONS)


def test_the_measures_find_what_is_long():
    assert "tests/shape/test_sizes.py" in long_files(10)
    assert "tests/shape/test_sizes.py:long_functions" in long_functions(8)
    with pytest.raises(AssertionError, match="longer"):
        assert_only_shrinking({"a.py": 12}, {"a.py": 11})
    with pytest.raises(AssertionError, match="no longer"):
        assert_only_shrinking({}, {"a.py": 11})


def test_names_say_what_is_inside():
    assert [str(path) for path in python_files() if path.stem in VAGUE or path.parent.name in VAGUE] == []


def test_a_line_of_code_is_neither_blank_nor_told():
    source = '"""Told.\n\nMore."""\n\n# said\nX = """a\n\nb"""\n\ndef f():\n    "Told."\n    return X  # said\n'
    assert lines_of_code(source) == 5
