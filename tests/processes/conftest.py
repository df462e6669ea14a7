"""Shops of real processes, on SQLite, or on PostgreSQL where TROTH_DATABASE_URL names a server."""

import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.postgres import fresh_database
from tests.processes import running

ON_SQLITE_ALONE = ("test_demo.py", "test_doctor.py", "test_init.py", "test_units.py", "test_uploading.py")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL, what would only run the same once more is left to the run on SQLite. Users are root's to give."""
    if os.geteuid() != 0:
        roots = [item for item in items if item.get_closest_marker("root")]
        config.hook.pytest_deselected(items=roots)
        items[:] = [item for item in items if item not in roots]
    if not os.environ.get("TROTH_DATABASE_URL", "").startswith("postgresql"):
        return
    here = Path(__file__).parent
    again = [item for item in items if item.path.parent == here and item.path.name in ON_SQLITE_ALONE]
    config.hook.pytest_deselected(items=again)
    items[:] = [item for item in items if item not in again]


@pytest.fixture(scope="module")
def database() -> Iterator[dict[str, str]]:
    """What a shop must be told to use a database of its own."""
    server = os.environ.get("TROTH_DATABASE_URL", "")
    with fresh_database(server) if server.startswith("postgresql") else nullcontext() as url:
        yield {"TROTH_DATABASE_URL": url} if url else {}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, database: dict[str, str]) -> Iterator[running.Serving]:
    """A shop that runs for all tests of a file."""
    serving = running.Serving(running.folder(tmp_path_factory.mktemp("shop") / "home"), **database)
    yield serving
    serving.stop()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return running.folder(tmp_path / "home")
