"""Where the root key lives. Four calls, so that a file, OpenBao or a cloud's key service can stand behind them."""

from __future__ import annotations

from typing import Protocol


class RootKeyError(Exception):
    """The root key cannot be used. The text says why and what to do, and never holds a part of the key."""


class RootKey(Protocol):
    """Wraps and unwraps the few keys below the root. `context` is bound: another one does not unwrap.

    During a rotation several versions unwrap and the newest wraps: `rotate` makes one, `retire` destroys the older.
    """

    def wrap(self, context: bytes, key: bytes) -> bytes: ...

    def unwrap(self, context: bytes, wrapped: bytes) -> bytes: ...

    def rotate(self) -> None: ...

    def retire(self) -> None: ...
