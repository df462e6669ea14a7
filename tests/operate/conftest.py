"""Shops of real processes, set up as the documents say; on PostgreSQL, where TROTH_DATABASE_URL names a server."""

import os

import pytest

from tests.processes.conftest import database as database


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Users are root's to give; what they own are files, and a test server's socket is its own user's alone."""
    here = os.geteuid() == 0 and not os.environ.get("TROTH_DATABASE_URL", "").startswith("postgresql")
    roots = [] if here else [item for item in items if "operate" in item.path.parts and item.get_closest_marker("root")]
    config.hook.pytest_deselected(items=roots)
    items[:] = [item for item in items if item not in roots]
