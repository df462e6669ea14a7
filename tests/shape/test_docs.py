"""Documents speak of what stands: every path and link they give exists."""

import re
from pathlib import Path

import pytest

from tests.shape.tree import ROOT, tracked

TOPS = ("src", "tests", "docs", "goods", "bench", ".ci")
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s#]+)[^)]*\)")
DOCUMENTS = [path for path in tracked() if path.suffix == ".md"]


def spoken_paths(text: str) -> list[str]:
    """Paths of the repository in backticks: those that begin with one of its top folders, without placeholders."""
    words = [word.partition(":")[0] for code in CODE.findall(text) for word in code.split()]
    return [word for word in words if word.startswith(tuple(f"{top}/" for top in TOPS)) and not set(word) & set("<>{}")]


def missing(document: Path) -> list[str]:
    text = (ROOT / document).read_text("utf-8")
    absent = [path for path in spoken_paths(text) if not any(ROOT.glob(path.rstrip("/")))]
    links = LINK.findall(text)
    return absent + [link for link in links if not (ROOT / document.parent / link).exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_what_a_document_names_exists(document):
    assert missing(document) == []


def test_paths_are_found_where_documents_name_them():
    assert spoken_paths("see `src/troth/gone.py:12` and `tests/<name>/`, not src/x or `https://src/`") == [
        "src/troth/gone.py"
    ]
