"""Between tests with real transactions a database is emptied, which its own guards would refuse (pytest -p …).

On SQLite emptying is DELETE: for that moment the triggers are taken off and put back as they were. PostgreSQL empties
by TRUNCATE, which row triggers do not see.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.sqlite3.base import DatabaseOperations

_flush = DatabaseOperations.sql_flush


def sql_flush(self: DatabaseOperations, style: Any, tables: Any, **more: Any) -> list[str]:
    with self.connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = cursor.fetchall()
    lifted = [f"DROP TRIGGER {name}" for name, _ in triggers]
    return [*lifted, *_flush(self, style, tables, **more), *(sql for _, sql in triggers)]


DatabaseOperations.sql_flush = sql_flush  # type: ignore[method-assign]
