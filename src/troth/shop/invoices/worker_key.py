"""The worker's key pair: `worker.key` in the shop's folder, X25519, for the worker alone; `worker.pub` for everybody.

Knows nothing of Django: `troth init` makes it. Lost, it is made anew: links to invoices in older letters then lead
nowhere, and their buyers sign in.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

PRIVATE, PUBLIC = "worker.key", "worker.pub"


def make(home: Path) -> None:
    """A key pair for a shop that has none yet. An existing one is never touched."""
    try:
        with (home / PRIVATE).open("x", encoding="ascii") as file:
            (home / PRIVATE).chmod(0o600)
            made = X25519PrivateKey.generate()
            file.write(made.private_bytes_raw().hex())
    except FileExistsError:
        return
    (home / PUBLIC).write_text(made.public_key().public_bytes_raw().hex(), "ascii")
    (home / PUBLIC).chmod(0o600)


@cache
def private(home: Path) -> X25519PrivateKey:
    """OSError for every process but the worker, where the system keeps them apart."""
    return X25519PrivateKey.from_private_bytes(bytes.fromhex((home / PRIVATE).read_text("ascii")))


@cache
def public(home: Path) -> bytes:
    return bytes.fromhex((home / PUBLIC).read_text("ascii"))
