"""The table of promises in the documents is the clauses' own, and no cell of it is empty."""

from tests.clauses import document


def test_the_page_is_what_the_clauses_say() -> None:
    assert document.PAGE.read_text("utf-8") == document.page(), "write it anew: python -m tests.clauses.document"


def test_each_promise_has_its_sentence_and_each_check_a_row() -> None:
    rows = [line for line in document.page().splitlines() if line.startswith("| ") and line.count("|") == 4]
    assert len(rows) > 20
    assert all(cell.strip() for row in rows for cell in row.split("|")[1:3])
