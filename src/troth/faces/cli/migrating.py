"""Migrations that a dying machine leaves whole: each is applied and noted in one transaction, or not at all.

Django notes a migration after its transaction where indexes come last; a process killed in between has applied what it
does not know of, and trips over it when it starts again (django.db.migrations.executor, 5.2). Who runs us again goes
on with the next one.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState


class Whole(MigrationExecutor):
    """Needs a connection outside transactions."""

    def all(self) -> None:
        """Apply what is waiting, in order."""
        self.migrate(self.loader.graph.leaf_nodes())

    def apply_migration(
        self, state: ProjectState, migration: Migration, fake: bool = False, fake_initial: bool = False
    ) -> Any:
        if not migration.atomic:
            return super().apply_migration(state, migration, fake, fake_initial)
        # SQLite heeds the first outside transactions only; Django makes tables anew, and would lose what refers to one.
        with connection.constraint_checks_disabled(), transaction.atomic():
            return super().apply_migration(state, migration, fake, fake_initial)


def plan_of(executor: MigrationExecutor) -> list[tuple[Migration, bool]]:
    """What is waiting, in order."""
    plan: list[tuple[Migration, bool]] = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return plan
