"""The file of the licences' secret, without what it takes to use it: web, worker and supervisor ask for it first."""

from __future__ import annotations

import secrets
from pathlib import Path

from troth.config import ConfigError

NAME = "licence.key"
SIZE = 32  # bytes, written in hexadecimal


def make(home: Path) -> None:
    """A secret for a shop that has none yet. An existing one is never touched."""
    try:
        with (home / NAME).open("x", encoding="ascii") as file:
            (home / NAME).chmod(0o600)
            file.write(secrets.token_hex(SIZE) + "\n")
    except FileExistsError:
        return


def read(home: Path) -> bytes:
    """The secret. ConfigError with what to do where it is not there: no process of the shop starts without it."""
    try:
        secret = bytes.fromhex((home / NAME).read_text("ascii").strip())
    except (OSError, ValueError):
        secret = b""
    if len(secret) != SIZE:
        raise ConfigError(
            [f"{home / NAME} is missing or damaged: restore it from your backup, without it no licence's key is known."]
        )
    return secret
