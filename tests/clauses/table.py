"""The table clause, mutant, caught by, printed at the end of a run (pytest -p tests.clauses.table)."""

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each mutant that this run planted, whichever worker did."""
    rows: dict[tuple[str, str], str] = {}
    for report in [report for reports in terminalreporter.stats.values() for report in reports]:
        for name, told in getattr(report, "user_properties", ()):
            if name == "mutant" and report.when == "call":
                rows[told[0], told[1]] = told[2]
    if not rows:
        return
    terminalreporter.section("clause, mutant, caught by")
    for (clause, mutant), caught in sorted(rows.items(), key=lambda row: (int(row[0][0][1:]), row[0][1])):
        terminalreporter.write_line(f"{clause:4} {mutant:58} {caught or 'NOT CAUGHT'}")
    escaped = sum(not caught for caught in rows.values())
    terminalreporter.write_line(f"{len(rows)} mutants planted, {len(rows) - escaped} caught, {escaped} not")
