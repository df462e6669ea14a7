"""Start a keeper: open the root key and the keyring, take the doors, run until told to stop.

Everything it needs comes as arguments; it reads no settings and imports nothing of the shop.
"""

from __future__ import annotations

import ctypes
import logging
import signal
import socket
import sys
from pathlib import Path

from troth.pledge.keeper.doors import Doors
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.keeper.keyring import KeyringError, connect
from troth.pledge.kms import RootKeyError
from troth.pledge.kms.file import FileKey

PR_SET_DUMPABLE = 4
Door = tuple[socket.socket, str, int | None]  # socket, role, the only uid that may use it


def run(keyring: Path, root_key: Path, verify_key: Path, doors: list[Door], daily: int, journal: Path) -> int:
    """Serve until SIGTERM or SIGINT. The exit code: 0, or 1 after one clear line on stderr."""
    try:
        root = FileKey(root_key)
        db = connect(keyring)
        keeper = Keeper(
            db,
            root,
            daily=daily,
            journal=journal,
            separate_user=any(uid is not None for _, _, uid in doors),
            closed=True,
        )
    except (KeyringError, RootKeyError) as error:
        print(f"keeper: {error}", file=sys.stderr)  # noqa: T201
        return 1
    _publish(verify_key, keeper.verify_key)
    _no_core_dumps()
    loop = Doors(keeper, {sock: (role, uid) for sock, role, uid in doors})
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.stop())
    logging.getLogger("troth.keeper").info("ready")
    loop.run()
    db.close()
    return 0


def listen(path: Path) -> socket.socket:
    """A door for a separate user: a socket in the file system, whose uid is checked as well."""
    path.unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(path))
    path.chmod(0o666)  # the folder and the uid check decide; a mode alone never does
    door.listen(64)
    return door


def _publish(path: Path, verify_key: bytes) -> None:
    """The public half of the key that signs key sets, for whoever seals. Never replaced by another one."""
    known = path.read_text("ascii").strip() if path.exists() else ""  # made empty where the folder is another user's
    if known and known != verify_key.hex():
        raise SystemExit(f"keeper: {path} belongs to another keyring; this keyring is not the shop's own")
    if not known:
        path.write_text(verify_key.hex() + "\n", "ascii")


def _no_core_dumps() -> None:
    """No core file and no ptrace by the same user (prctl(2)); root can still read everything."""
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
