"""Shops that make backups, on SQLite, or on PostgreSQL where TROTH_DATABASE_URL names a server."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path

import pytest

from tests.backup.shops import Kept
from tests.postgres import fresh_database
from troth.sandbox import Sandbox

HERE = Path(__file__).parent
ON_SQLITE_ALONE = ("test_documents.py", "test_moving.py", "test_rotation_under_load.py")
SERVER = os.environ.get("TROTH_DATABASE_URL", "")
Database = Callable[[], dict[str, str]]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL, what concerns the keyring alone, which is SQLite either way, is left to the run on SQLite."""
    if not SERVER.startswith("postgresql"):
        return
    again = [item for item in items if item.path.parent == HERE and item.path.name in ON_SQLITE_ALONE]
    config.hook.pytest_deselected(items=again)
    items[:] = [item for item in items if item not in again]


@pytest.fixture
def database() -> Iterator[Database]:
    """Makes what a shop must be told to use a database of its own; empty ones for as many shops as are wanted."""
    with ExitStack() as stack:

        def fresh() -> dict[str, str]:
            url = stack.enter_context(fresh_database(SERVER) if SERVER.startswith("postgresql") else nullcontext())
            return {"TROTH_DATABASE_URL": url} if url else {}

        yield fresh


@pytest.fixture
def shop(tmp_path: Path, database: Database) -> Iterator[Kept]:
    sandbox = Sandbox(mode="test")
    shop = Kept(tmp_path, sandbox, TROTH_POLICY_ERASE_WINDOW="0", **database())
    yield shop
    shop.stop()
    sandbox.stop()
