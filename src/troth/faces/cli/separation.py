"""Shut web and worker out of the keeper's files, then try the door: what counts is that the kernel says no.

Each role writes what it found into `run/separation.json`, for `troth check`:

"landlock"  the kernel refuses this process the keyring and the root key
"user"      so it does because they belong to another user
"none"      nothing but our own code keeps them apart

Once it is ready, each notes in `run/shut_in.json` what the kernel says of it (process.shut_in).
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from troth.config import Config
from troth.faces.cli import landlock, process

WRITABLE = ("data", "run")  # in the shop's folder; goods and pictures are for reading
UPLOADS = "uploads"  # what comes in at the desk: the web process may write it, and nothing that was brought otherwise


def shut_out(config: Config, role: str) -> str:
    """Give up the keeper's files, try to read them, note the outcome in `run/separation.json`, and return it."""
    process.no_new_privileges()
    with suppress(OSError):  # a folder that is not ours was made with the units
        (config.home / UPLOADS).mkdir(exist_ok=True)
    outcome = _outcome(config, role)
    _note(config.home / "run" / "separation.json", role, outcome)
    return outcome


def note_how_shut_in(config: Config, role: str) -> None:
    """For `troth check`, once the process has done all that it does to itself."""
    _note(config.home / "run" / "shut_in.json", role, process.shut_in())


def read(home: Path) -> dict[str, str]:
    """Role -> "landlock", "user" or "none", as found when each started. Empty where none has started."""
    try:
        with (home / "run" / "separation.json").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            return dict(json.loads(file.read() or "{}"))
    except FileNotFoundError:
        return {}


def keepers_own(config: Config) -> list[Path]:
    """What nobody but the keeper may read: the keyring's folder, the root key, and the journal of the erased."""
    beside = config.root_key.parent.glob(f"{config.root_key.stem}-*.key")  # keys of epochs
    token = [config.home / config.keys.token_file] if config.keys.token_file else []
    return [config.keyring.parent, config.root_key, config.journal, config.keyring_copies, *beside, *token]


def refused(config: Config) -> bool:
    """Whether the kernel refuses this process all of the keeper's files, tried now."""
    return all(_is_refused(path) for path in (config.keyring, config.root_key))


def _outcome(config: Config, role: str) -> str:
    if refused(config):
        return "user"
    if landlock.version() == 0 or not _can_be_told_apart(config):
        return "none"
    own = [path.resolve() for path in [*keepers_own(config), *([config.home / "worker.key"] if role == "web" else [])]]
    # The names of its files may be listed: the checks see which ones they may not read, and say so.
    landlock.restrict(read=list(_around(Path("/"), own)), write=_writable(config, role), names=[config.home.resolve()])
    return "landlock" if refused(config) else "none"


def _is_refused(path: Path) -> bool:
    try:
        os.close(os.open(path, os.O_RDONLY))
    except PermissionError:
        return True
    except FileNotFoundError:
        return False  # nothing to refuse: that shows nothing
    return False


def _can_be_told_apart(config: Config) -> bool:
    """False where the database lies right beside the keeper's folder: its journal comes and goes there."""
    database = urlsplit(config.database.url)
    folder = (config.home / database.path.removeprefix("/")).resolve().parent
    return database.scheme != "sqlite" or not any(path.resolve().is_relative_to(folder) for path in keepers_own(config))


def _around(folder: Path, own: Sequence[Path]) -> Iterator[Path]:
    """Everything in `folder` but `own`: whole folders where none of it is inside. Links are told by their targets."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except PermissionError:
        return
    for entry in entries:
        path = Path(entry.path)
        if entry.is_symlink() or path in own:
            continue
        if any(kept.is_relative_to(path) for kept in own):
            yield from _around(path, own)
        else:
            yield path


def _writable(config: Config, role: str) -> list[Path]:
    """What web and worker may change: the shop's data, temporary files, devices and their own /proc; the web process
    takes what comes in at the desk besides, the worker puts sealed copies of the main database away."""
    database = urlsplit(config.database.url)
    data = [(config.home / database.path.removeprefix("/")).parent] if database.scheme == "sqlite" else []
    shop = [config.home / name for name in WRITABLE]
    shop += [config.home / UPLOADS] if role == "web" else []
    shop += [config.main_copies] if role == "worker" and config.main_copies.exists() else []
    own = keepers_own(config)
    places = [*data, *shop, Path("/tmp"), Path("/var/tmp"), Path("/dev"), Path("/proc")]  # noqa: S108
    return [path.resolve() for path in places if not any(kept.is_relative_to(path.resolve()) for kept in own)]


def _note(path: Path, role: str, found: object) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    # Web and worker may be two users of one group; the folder is closed to everybody else.
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o660), "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        noted = json.loads(file.read() or "{}") | {role: found}
        file.seek(0)
        file.truncate()
        file.write(json.dumps(noted))
