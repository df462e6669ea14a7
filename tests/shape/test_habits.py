"""The habits themselves: each guard is shown to refuse what it is there to refuse."""

import os
import shutil
import socket
import subprocess
import sys
import warnings
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from tests import campaign, postgres
from tests.shape.tree import ROOT

SKIPS = "import pytest\n\ndef test_skips():\n    pytest.skip('no browser here')\n"
BREACHES = {
    "the pledge reaches up": ("pledge/ids.py", "import troth.shop.money", "faces know the shop"),
    "orders know payments": ("shop/orders/models.py", "import troth.shop.payments.models", "inside the shop"),
    "a journey knows a clause": ("shop/journeys/buy.py", "import troth.shop.clauses", "inside the shop"),
    "an unplaced module": ("shop/extras.py", "", "inside the shop"),
    "the keeper loads Django": ("pledge/keeper/seals.py", "import django.db", "the keeper knows neither"),
    "the keeper loads Django by a detour": ("pledge/ids.py", "import django.utils", "the keeper knows neither"),
    "a page opens the keyring": ("faces/storefront/apps.py", "import troth.pledge.keeper.keyring", "who faces the"),
    "the vault takes the root key": ("pledge/vault/door.py", "import troth.pledge.kms.file", "who faces the"),
    "a look-alike borrows our code": ("sandbox/skrill.py", "import troth.shop.money", "the look-alikes share"),
    "a page knows a look-alike": ("faces/storefront/apps.py", "import troth.sandbox.server", "only the command line"),
}


def pytest_on(folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.unskipped", "-p", "no:randomly", "-p", "no:django"]
    kept = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("PYTEST")}
    environ = {**kept, "PYTHONPATH": str(ROOT), **environ}
    arguments = ["-c", os.devnull, "--rootdir", str(folder), str(folder)]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, cwd=folder, env=environ)


def test_a_skip_fails_in_ci_and_nowhere_else(tmp_path):
    (tmp_path / "test_it.py").write_text(SKIPS)
    here = pytest_on(tmp_path)
    assert (here.returncode, "1 skipped" in here.stdout) == (0, True), here.stdout + here.stderr
    ci = pytest_on(tmp_path, CI="true")
    assert (ci.returncode, "1 failed" in ci.stdout) == (1, True), ci.stdout + ci.stderr
    assert "skipped, which CI does not allow: Skipped: no browser here" in ci.stdout


def test_a_skipped_module_fails_in_ci(tmp_path):
    (tmp_path / "test_it.py").write_text("import pytest\npytest.importorskip('no_such_module')\n")
    ci = pytest_on(tmp_path, CI="true")
    assert ci.returncode != 0
    assert "skipped, which CI does not allow" in ci.stdout


def test_the_network_is_shut_but_for_loopback():
    with pytest.raises((RuntimeError, UserWarning), match=r"192\.0\.2\.1"):
        socket.create_connection(("192.0.2.1", 443), timeout=1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()


def test_warnings_are_errors():
    with pytest.raises(ResourceWarning, match="left open"):
        warnings.warn("left open", ResourceWarning, stacklevel=1)


@pytest.mark.django_db
def test_the_tests_run_on_the_database_they_were_given():
    if settings.TROTH.database.url.startswith("postgresql:"):
        assert connection.vendor == "postgresql"
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version_num")
            assert int(cursor.fetchone()[0]) >= 180000
    else:
        assert connection.vendor == "sqlite"


def test_a_postgres_ends_with_its_command(tmp_path):
    script = "import os; print(os.environ['TROTH_DATABASE_URL']); raise SystemExit(7)"
    command = [sys.executable, "-m", "tests.postgres", "--", sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 7, done.stderr
    folder = Path(done.stdout.strip().partition("host=")[2])
    assert folder.name.startswith("troth-pg-")
    assert not folder.exists()


def test_a_fresh_database_lasts_as_long_as_its_test():
    with postgres.server() as url:
        with postgres.fresh_database(url) as mine, psycopg.connect(mine) as db:
            assert db.execute("SELECT current_database()").fetchone() != ("troth",)
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            psycopg.connect(mine)


def test_draws_repeat_for_the_same_seed():
    assert campaign.draws("kills").random() == campaign.draws("kills").random()
    assert campaign.draws("kills").random() != campaign.draws("faults").random()


@pytest.fixture(scope="module")
def lint(tmp_path_factory):
    """Run the import contracts over a copy of the sources with a line planted at the end of a module."""
    root = tmp_path_factory.mktemp("lint")

    def run(module: str, line: str) -> subprocess.CompletedProcess[str]:
        shutil.rmtree(root / "src", ignore_errors=True)
        shutil.copytree(ROOT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__", "static", "jinja2"))
        with (root / "src/troth" / module).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
        command = [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache"]
        arguments = ["--config", str(ROOT / "pyproject.toml")]
        environ = {**os.environ, "PYTHONPATH": str(root / "src"), "COLUMNS": "200"}
        return subprocess.run([*command, *arguments], cwd=root, env=environ, capture_output=True, text=True)

    return run


@pytest.mark.parametrize("breach", BREACHES)
def test_the_import_contracts_catch(breach, lint):
    module, line, contract = BREACHES[breach]
    done = lint(module, line)
    assert done.returncode == 1, done.stdout + done.stderr
    broken = [text for text in done.stdout.splitlines() if " BROKEN" in text]
    assert any(text.startswith(contract) for text in broken), done.stdout
