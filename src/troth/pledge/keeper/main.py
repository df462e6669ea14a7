"""Start a keeper: open the root key and the keyring, take the doors, run until told to stop.

Everything it needs comes as arguments; it reads no settings and imports nothing of the shop.
"""

import ctypes
import logging
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from troth.pledge.keeper.copy import Order
from troth.pledge.keeper.doors import Doors
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.keeper.keyring import Keyring, KeyringError, connect
from troth.pledge.kms import RootKey, RootKeyError
from troth.pledge.ledger.tree import LedgerError

Door = tuple[socket.socket, str, int | None]  # socket, role, the only uid that may use it


def run(
    keyring: Path, root: Callable[[Keyring], RootKey], verify_key: Path, doors: list[Door], *, daily: int,
    journal: Path, elsewhere: Path | None, order: Callable[[RootKey], Order] | None, origin: str, site: str,
) -> int:  # fmt: skip
    """Serve until SIGTERM or SIGINT. The exit code: 0, or 1 after one clear line on stderr.

    `order`: what copies of the keyring are made by (copy.py); None: none are made here.
    """
    try:
        db = connect(keyring)
        key = root(db)
        keeper = Keeper(
            db, key, daily=daily, journal=journal, elsewhere=elsewhere, order=order(key) if order else None,
            separate_user=any(uid is not None for _, _, uid in doors), closed=True, origin=origin, site=site,
        )  # fmt: skip
    except (KeyringError, RootKeyError, LedgerError) as error:
        print(f"keeper: {error}", file=sys.stderr)  # noqa: T201
        return 1
    _publish(verify_key, keeper.room.keys.verify_key.hex())
    _publish(verify_key.with_name("ledger.pub"), str(keeper.room.leaves.verify_key))
    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE: no core file, no ptrace by the same user; root reads on
    loop = Doors(keeper, {sock: (role, uid) for sock, role, uid in doors})
    # Not from a handler: that would have to wait until the loop, which may be about to wait itself, comes by.
    signal.set_wakeup_fd(loop.wake.fileno())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    logging.getLogger("troth.keeper").info("ready")
    loop.run()
    db.close()
    return 0


def _publish(path: Path, key: str) -> None:
    """The public half of a key that signs key sets or checkpoints, for whoever checks. Never replaced by another."""
    known = path.read_text("ascii").strip() if path.exists() else ""  # made empty where the folder is another user's
    if known and known != key:
        raise SystemExit(f"keeper: {path} belongs to another keyring; this keyring is not the shop's own")
    if not known:
        path.write_text(key + "\n", "ascii")
