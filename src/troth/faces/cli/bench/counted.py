"""`troth serve` with a note of every statement of SQL, for `troth bench`: role, what it was for, the statement.

Notes go to `run/statements` in the shop's folder; parameters are never in them. A worker's look at an empty table is
not noted, since nothing was to be done. CPU time and memory are measured without this.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from troth import config
from troth.faces.cli import serve
from troth.faces.cli.main import troth

FILE = Path("run") / "statements"
ROLES = ("keeper", "worker", "web")


class Notes:
    """Lines for the file, from any thread. `kind` says what the thread is at."""

    def __init__(self, role: str, path: Path) -> None:
        self._role, self._path = role, path
        self._of_thread = threading.local()

    @property
    def kind(self) -> str:
        return getattr(self._of_thread, "kind", "")

    @kind.setter
    def kind(self, kind: str) -> None:
        self._of_thread.kind = kind

    def hold(self) -> list[str]:
        """Keep this thread's statements back; the list fills until `write` is given it, or another one is held."""
        held: list[str] = []
        self._of_thread.held = held
        return held

    def note(self, sql: str) -> None:
        held = getattr(self._of_thread, "held", None)
        if held is None:
            self.write([sql])
        else:
            held.append(sql)

    def write(self, statements: list[str]) -> None:
        self._of_thread.held = None
        lines = [f"{self._role}\t{self.kind}\t{' '.join(sql.split())[:1000]}\n" for sql in statements]
        with self._path.open("a") as file:
            file.write("".join(lines))


def watch_django(notes: Notes) -> None:
    """Note the statements of every database connection that Django opens."""
    from django.db.backends.signals import connection_created

    def execute(run: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        notes.note(sql)
        return run(sql, params, many, context)

    def opened(connection: Any, **_: object) -> None:
        if execute not in connection.execute_wrappers:
            connection.execute_wrappers.append(execute)

    connection_created.connect(opened, weak=False)


def watch_errands(notes: Notes) -> None:
    """Tell for which errand of the worker a statement was; drop the looks at an empty table."""
    import django

    django.setup()
    from troth.pledge.due import loop as module

    loop: Any = module
    claim, work_off = loop.claim, loop.work_off

    def claiming(*given: Any) -> Any:
        held = notes.hold()
        claimed = claim(*given)
        notes.kind = claimed.kind if claimed else ""
        notes.write(held if claimed else [])
        return claimed

    def working(claimed: Any, errands: Any) -> None:
        notes.kind = claimed.kind
        work_off(claimed, errands)

    loop.claim, loop.work_off = claiming, working


def watch_keyring(notes: Notes) -> None:
    from troth.pledge.keeper import main as module

    process: Any = module
    connect = process.connect

    def traced(path: Path | None) -> sqlite3.Connection:
        db: sqlite3.Connection = connect(path)
        db.set_trace_callback(lambda sql: notes.note(sql.partition("(")[0]))
        return db

    process.connect = traced


def main(role: str) -> None:
    """One role, or with "" all of them under the supervisor."""
    if not role:
        module = "troth.faces.cli.bench.counted"
        serve.run({role: [sys.executable, "-P", "-m", module, role] for role in ROLES})
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    notes = Notes(role, config.load().home / FILE)
    if role == "keeper":
        watch_keyring(notes)
    else:
        watch_django(notes)
        if role == "worker":
            watch_errands(notes)
    troth([role], prog_name="troth")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
