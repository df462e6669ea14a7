"""docs/promises.md: each promise with its enforcement, checks and mutants, written from the clauses themselves.

`. .ci/home.sh; python -m tests.clauses.document` writes the page anew; test_document.py compares.
"""

import os
from pathlib import Path

import django

PAGE = Path(__file__).parents[2] / "docs" / "promises.md"
HEAD = """# The promises

Written from the clauses in `src/troth/shop/clauses` (`python -m tests.clauses.document`), which is what the shop
publishes at `/privacy` and checks while it runs. A mutant is the smallest change that breaks the promise; the tests
plant each one, and the check that is named with it must find it out: `make test` prints who caught what.
"""


def page() -> str:
    from django.utils import translation

    from troth.shop.clauses import CLAUSES

    with translation.override("en"):
        return "\n".join([HEAD, *(_promise(clause) for clause in CLAUSES)])


def _promise(clause: object) -> str:
    lines = [f"## {clause.id} {clause.title}", "", f"> {clause.words}", ""]
    if str(clause.stricter):
        lines += [f"Compared with 2010: {clause.stricter}", ""]
    lines += ["| enforced by |", "|---|", *(f"| {line} |" for line in clause.enforced)]
    if str(clause.by_people):
        lines.append(f"| by people: {clause.by_people} |")
    lines += ["", "| check | kind | mutants that must turn it |", "|---|---|---|"]
    for check in clause.checks:
        mutants = [mutant.name for mutant in clause.mutants if check.run in mutant.turns]
        lines.append(f"| {check.name} | {check.kind} | {'; '.join(mutants)} |")
    return "\n".join([*lines, ""])


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    django.setup()
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
