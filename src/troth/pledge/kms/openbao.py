"""The root key in OpenBao or Vault: a key of their transit engine, which never leaves them.

https://openbao.org/api-docs/secret/transit/. The context is bound as `associated_data` of AES-256-GCM. A key that may
be exported or backed up in clear is refused: it could be copied, and then "destroyed" would be an opinion. `retire`
raises min_decryption_version and trims the older versions away, which the engine cannot take back.

The token is read from its file again when it is refused, so that an agent may replace it there. Loaded by keepers
that use it alone.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import hvac
import requests
from hvac.exceptions import Forbidden, InvalidPath, InvalidRequest, Unauthorized, VaultDown, VaultError

from troth.pledge.kms import RootKeyError, Where

TIMEOUT = (3.05, 5)  # seconds to connect, to answer
TYPE = "aes256-gcm96"
SHAPE = re.compile(r"vault:v[1-9][0-9]*:([A-Za-z0-9+/=]+)")
Result = TypeVar("Result")


class OpenBaoKey:
    """`make`: make the key where there is none. Raises RootKeyError where it is missing, of another kind, or away."""

    def __init__(self, where: Where, *, make: bool = False) -> None:
        self._where = where
        session = requests.Session()
        session.trust_env = False  # no proxy and no .netrc of whoever starts the keeper
        session.verify = where.ca_file or True
        self._client = hvac.Client(
            where.url, "", timeout=TIMEOUT, session=session, namespace=where.namespace or None, allow_redirects=False
        )
        self._about: dict[str, Any] = {"name": where.name, "mount_point": where.mount}
        if make:  # exportable, allow_plaintext_backup and derived are off unless asked for
            self._ask(lambda transit: transit.create_key(**self._about, key_type=TYPE))
        secret = ("exportable", "allow_plaintext_backup", "derived")
        if self._read("type") != TYPE or any(self._read(way) is not False for way in secret):
            raise RootKeyError(f"the key {where.name} is no closed {TYPE} key; name another in [keys] name")

    def wrap(self, context: bytes, key: bytes) -> bytes:
        bound = {"plaintext": _text(key), "associated_data": _text(context)}
        self._read("type")  # the engine would make a key that is not there
        told = self._ask(lambda transit: transit.encrypt_data(**self._about, **bound)["data"]["ciphertext"])
        return str(told).encode("ascii")

    def unwrap(self, context: bytes, wrapped: bytes) -> bytes:
        bound = {"ciphertext": _one_spelling(wrapped), "associated_data": _text(context)}
        told = self._ask(lambda transit: transit.decrypt_data(**self._about, **bound)["data"]["plaintext"])
        return base64.b64decode(told)

    def rotate(self) -> None:
        self._ask(lambda transit: transit.rotate_key(**self._about))

    def retire(self) -> None:
        newest = self._read("latest_version")
        self._configure(min_encryption_version=newest)  # first: it must not be below the other
        self._configure(min_decryption_version=newest)
        self._ask(lambda transit: transit.trim_key(**self._about, min_version=newest))

    def destroy(self) -> None:
        try:
            self._read("type")
        except Missing:
            return
        self._configure(deletion_allowed=True)
        self._ask(lambda transit: transit.delete_key(**self._about))

    def _configure(self, **what: object) -> None:
        self._ask(lambda transit: transit.update_key_configuration(**self._about, **what))

    def _read(self, what: str) -> Any:
        return self._ask(lambda transit: transit.read_key(**self._about)["data"][what])

    def _ask(self, act: Callable[[Any], Result], *, again: bool = True) -> Result:
        """One question to the transit engine. Its own words may hold what was asked: they are told to nobody."""
        used, where = self._client.token, self._where
        try:
            if not used:
                raise Unauthorized
            return act(self._client.secrets.transit)
        except (Forbidden, Unauthorized):
            why = f"OpenBao refuses the token in {where.token_file}; put one there that may use the key {where.name}"
        except InvalidPath:
            raise Missing(f"OpenBao has no key {where.name} under {where.mount}/; mend [keys] or put it back") from None
        except InvalidRequest:
            raise RootKeyError(f"OpenBao's key {where.name} does not fit this keyring; was another named?") from None
        except VaultDown:
            raise RootKeyError(f"OpenBao at {where.url} is sealed; unseal it") from None
        except (VaultError, requests.RequestException, OSError, KeyError, TypeError, ValueError):
            raise RootKeyError(f"OpenBao at {where.url} gives no answer that can be used; is it running?") from None
        if again and self._fresh_token() != used:
            return self._ask(act, again=False)
        raise RootKeyError(why)

    def _fresh_token(self) -> str:
        try:
            self._client.token = Path(self._where.token_file).read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            raise RootKeyError(f"[keys] token_file {self._where.token_file} cannot be read") from None
        return str(self._client.token)


class Missing(RootKeyError):
    """There is no such key."""


def _one_spelling(wrapped: bytes) -> str:
    """A ciphertext in its one spelling: the engine takes version 0 for 1, and Base64 can end in several ways."""
    found = SHAPE.fullmatch(wrapped.decode("ascii", "replace"))
    try:
        if found is not None and _text(base64.b64decode(found[1], validate=True)) == found[1]:
            return found[0]
    except ValueError:
        pass  # not Base64
    raise RootKeyError("what was wrapped is damaged; put back the keyring from a backup")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
