"""Where the root key lives. Few calls, so that a file, OpenBao or a cloud's key service can stand behind them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol


class RootKeyError(Exception):
    """The root key cannot be used. The text says why and what to do, and never holds a part of the key."""


class RootKey(Protocol):
    """Wraps and unwraps the few keys below the root. `context` is bound: another one does not unwrap.

    During a rotation several versions unwrap and the newest wraps: `rotate` makes one, `retire` destroys the older.
    `destroy` ends the key with all its versions; done again it changes nothing. Every call raises RootKeyError where
    the key is not to be had, and then nothing is changed.
    """

    def wrap(self, context: bytes, key: bytes) -> bytes: ...

    def unwrap(self, context: bytes, wrapped: bytes) -> bytes: ...

    def rotate(self) -> None: ...

    def retire(self) -> None: ...

    def destroy(self) -> None: ...


class Where(NamedTuple):
    """Where a key is to be found, as the settings say it."""

    kind: str = "file"  # or "openbao", which is Vault's interface as well
    file: Path = Path("root.key")
    url: str = ""
    token_file: str = ""
    ca_file: str = ""
    namespace: str = ""
    mount: str = "transit"
    name: str = "troth"

    def beside(self, name: str) -> Where:
        """The place of another key, for something that ends by itself. `name`: letters, digits and hyphens."""
        file = self.file.with_name(f"{self.file.stem}-{name}.key")
        return self._replace(file=file, name=f"{self.name}-{name}")


def find(where: Where, *, make: bool = False) -> RootKey:
    """The key that lies there. RootKeyError where there is none (with `make` it is made then), or it lies open."""
    if where.kind == "openbao":
        from troth.pledge.kms.openbao import OpenBaoKey

        return OpenBaoKey(where, make=make)
    from troth.pledge.kms.file import FileKey

    return FileKey(where.file, make=make)
