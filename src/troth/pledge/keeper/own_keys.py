"""The keeper's own keys: wrapped by the root key in the keyring, held in memory while it runs.

`sign` (Ed25519: key sets), `ledger` (Ed25519: checkpoints), `capability` and `objection` (HMAC) have one version.
`mailbox` (HMAC: look-up) and the wrapping keys of each fate have several while they are rotated: the newest is used
for what is new, the older still find and unwrap.
"""

import secrets
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from troth.pledge.keeper.keyring import Keyring
from troth.pledge.keeper.policy import FATES
from troth.pledge.kms import RootKey

KEYS = ("sign", "ledger", "capability", "mailbox", "objection", *(f"wrapping {fate}" for fate in FATES))


class OwnKeys:
    """Makes what is missing; `load` reads them again after a batch that changed them, or failed to (`changed`)."""

    def __init__(self, db: Keyring, root: RootKey) -> None:
        self._db, self._root = db, root
        for name in KEYS:
            if not db.one("SELECT 1 FROM own_key WHERE name = ?", name):
                self.add_version(name)
        self.load()

    def load(self) -> None:
        self.changed = False
        keys: dict[str, dict[int, bytes]] = {name: {} for name in KEYS}
        for name, version, key in self._unwrapped():
            keys[name][version] = key
        self.sign = Ed25519PrivateKey.from_private_bytes(keys["sign"][max(keys["sign"])])
        self.verify_key = self.sign.public_key().public_bytes_raw()
        self.ledger = Ed25519PrivateKey.from_private_bytes(keys["ledger"][max(keys["ledger"])])
        self.capability = keys["capability"][max(keys["capability"])]
        self.mailbox, self.objection = keys["mailbox"], keys["objection"][max(keys["objection"])]
        self.wrapping = {fate: {n: AESGCM(key) for n, key in keys[f"wrapping {fate}"].items()} for fate in FATES}

    def add_version(self, name: str) -> None:
        newest = self._db.value("SELECT max(version) FROM own_key WHERE name = ?", name) or 0
        wrapped = self._root.wrap(_context(name, newest + 1), secrets.token_bytes(32))
        self._db.execute("INSERT INTO own_key VALUES (?, ?, ?)", (name, newest + 1, wrapped))
        self.changed = True

    def drop_older(self, name: str) -> None:
        """Destroy every version but the newest."""
        sql = "DELETE FROM own_key WHERE name = ?1 AND version < (SELECT max(version) FROM own_key WHERE name = ?1)"
        self._db.execute(sql, (name,))
        self.changed = True

    def rewrap(self, change: Callable[[], None]) -> int:
        """Wrap every one of them anew, by what is the root key after `change`. How many there are."""
        rows = self._unwrapped()
        self.changed = True
        change()
        for name, version, key in rows:
            again = self._root.wrap(_context(name, version), key)
            self._db.execute("UPDATE own_key SET wrapped = ? WHERE (name, version) = (?, ?)", (again, name, version))
        return len(rows)

    def _unwrapped(self) -> list[tuple[str, int, bytes]]:
        rows = self._db.execute("SELECT name, version, wrapped FROM own_key").fetchall()
        return [(name, version, self._root.unwrap(_context(name, version), wrapped)) for name, version, wrapped in rows]


def _context(name: str, version: int) -> bytes:
    return f"own {name} {version}".encode()
