"""Start a keeper: open the root key and the keyring, take the doors, run until told to stop.

Everything it needs comes as arguments; it reads no settings and imports nothing of the shop.
"""

import ctypes
import logging
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import NamedTuple

from troth.pledge.keeper.copy import Order
from troth.pledge.keeper.doors import Doors
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.keeper.keyring import KeyringError, connect
from troth.pledge.kms import RootKeyError, Where
from troth.pledge.kms.chosen import Chosen

log = logging.getLogger("troth.keeper")
PR_SET_DUMPABLE = 4

Door = tuple[socket.socket, str, int | None]  # socket, role, the only uid that may use it


class Keys(NamedTuple):
    """`places`: where a root key may lie, by kind; `kind`: where a new keyring's does.

    `copies`: what is told to the process that makes copies of the keyring, where any are made.
    """

    places: dict[str, Where]
    kind: str
    copies: dict[str, object] | None = None


def run(keyring: Path, keys: Keys, verify_key: Path, doors: list[Door], daily: int, journal: Path, origin: str) -> int:
    """Serve until SIGTERM or SIGINT. The exit code: 0, or 1 after one clear line on stderr."""
    try:
        db = connect(keyring)
        root = Chosen(db, keys.places, keys.kind)
        keeper = Keeper(
            db,
            root,
            daily=daily,
            journal=journal,
            elsewhere=_beside_copies(keys, journal) if keys.copies else None,
            order=_order(keys, root, keyring, journal) if keys.copies else None,
            separate_user=any(uid is not None for _, _, uid in doors),
            closed=True,
            origin=origin,
        )
    except (KeyringError, RootKeyError) as error:
        print(f"keeper: {error}", file=sys.stderr)  # noqa: T201
        return 1
    _publish(verify_key, keeper.verify_key.hex())
    _publish(verify_key.with_name("ledger.pub"), str(keeper.room.leaves.verify_key))
    _no_core_dumps()
    loop = Doors(keeper, {sock: (role, uid) for sock, role, uid in doors})
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.stop())
    logging.getLogger("troth.keeper").info("ready")
    loop.run()
    db.close()
    return 0


def _beside_copies(keys: Keys, journal: Path) -> Path:
    assert keys.copies is not None
    folder = Path(str(keys.copies["folder"]))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        log.warning("the folder for copies of the keyring cannot be made; no backup is made meanwhile")
    return folder / journal.name


def _order(keys: Keys, root: Chosen, keyring: Path, journal: Path) -> Order:
    always = {**(keys.copies or {}), "places": keys.places, "parent": os.getpid()}
    always |= {"keyring": str(keyring), "journal": str(journal)}
    return lambda name: {**always, "name": name, "kind": root.kind, "now": int(time.time())}


def listen(path: Path) -> socket.socket:
    """A door for a separate user: a socket in the file system, whose uid is checked as well."""
    path.unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(path))
    path.chmod(0o666)  # the folder and the uid check decide; a mode alone never does
    door.listen(64)
    return door


def _publish(path: Path, key: str) -> None:
    """The public half of a key that signs key sets or checkpoints, for whoever checks. Never replaced by another."""
    known = path.read_text("ascii").strip() if path.exists() else ""  # made empty where the folder is another user's
    if known and known != key:
        raise SystemExit(f"keeper: {path} belongs to another keyring; this keyring is not the shop's own")
    if not known:
        path.write_text(key + "\n", "ascii")


def _no_core_dumps() -> None:
    """No core file and no ptrace by the same user (prctl(2)); root can still read everything."""
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
