"""What only moves forward: triggers that make the database itself refuse a step back, whoever asks for it.

Operations for migrations. On SQLite a later migration that rebuilds a table loses its triggers: such a migration has
to repeat them; `tests/payments/test_forward.py` tells by raw SQL when one was lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import migrations

_REFUSE = """CREATE OR REPLACE FUNCTION troth_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'check_violation'; END $$"""


def only_forward(table: str, column: str, ranks: Mapping[str, int]) -> migrations.RunPython:
    """A state may keep its rank or gain; a lower rank, or a state that is not listed, raises IntegrityError."""
    listed = " ".join(f"WHEN '{state}' THEN {rank}" for state, rank in ranks.items())
    old, new = (f"CASE {side}.{column} {listed} ELSE -1 END" for side in ("OLD", "NEW"))
    return refuse(f"{table}_{column}_forward", table, f"({new}) < ({old})", f"{table}.{column} moves forward only")


def never_less(table: str, column: str) -> migrations.RunPython:
    """A sum that only grows."""
    return refuse(f"{table}_{column}_grows", table, f"NEW.{column} < OLD.{column}", f"{table}.{column} never shrinks")


def set_once(table: str, column: str) -> migrations.RunPython:
    """A text that may be filled in once and never becomes another."""
    changed = f"OLD.{column} <> '' AND NEW.{column} <> OLD.{column}"
    return refuse(f"{table}_{column}_once", table, changed, f"{table}.{column} is set once")


def never_altered(table: str) -> tuple[migrations.RunPython, migrations.RunPython]:
    """Rows that are written once: no UPDATE and no DELETE."""
    changed = refuse(f"{table}_unaltered", table, "1 = 1", f"{table} is never altered")
    return changed, refuse(f"{table}_kept", table, "1 = 1", f"{table} is never deleted from", event="DELETE")


def refuse(name: str, table: str, when: str, message: str, event: str = "UPDATE") -> migrations.RunPython:
    """A trigger `name` that refuses every UPDATE (or DELETE) of `table` for which `when`, over OLD and NEW, is true."""

    def install(_apps: Any, editor: Any) -> None:
        if editor.connection.vendor == "sqlite":
            editor.execute(
                f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW WHEN {when} "
                f"BEGIN SELECT RAISE(ABORT, '{message}'); END",
                params=None,
            )
            return
        editor.execute(_REFUSE, params=None)
        editor.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW WHEN ({when}) "
            f"EXECUTE FUNCTION troth_refuse('{message}')",
            params=None,
        )

    def remove(_apps: Any, editor: Any) -> None:
        place = "" if editor.connection.vendor == "sqlite" else f" ON {table}"
        editor.execute(f"DROP TRIGGER IF EXISTS {name}{place}", params=None)

    def again(apps: Any, editor: Any) -> None:
        remove(apps, editor)
        install(apps, editor)

    return migrations.RunPython(again, remove)
