"""Shops of real processes, set up as the documents say; on PostgreSQL, where TROTH_DATABASE_URL names a server."""

import os

import pytest

from tests.processes.conftest import database as database

ON_SQLITE_ALONE = ("test_sandbox.py", "test_upgrade.py")  # folders of their own settings


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Users are root's to give; what they own are files, and a test server's socket is its own user's alone."""
    ours = [item for item in items if "operate" in item.path.parts]
    postgres = os.environ.get("TROTH_DATABASE_URL", "").startswith("postgresql")
    left_out = [one for one in ours if one.get_closest_marker("root") and (postgres or os.geteuid() != 0)]
    left_out += [one for one in ours if postgres and one.path.name in ON_SQLITE_ALONE]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
