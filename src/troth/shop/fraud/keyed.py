"""An address as it may be counted: a keyed hash, whose key is random, of one day (UTC), and then destroyed.

The key lies in a file of the shop's folder, `run/network-<day>.key`, in no table and no copy: who has the database
alone cannot try all addresses until one fits, and once the key is gone nobody can. So counts begin anew each midnight,
and each machine counts for itself.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import secrets
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from troth.pledge import clock

KEY_BYTES = 32
_kept: tuple[Path, bytes] | None = None  # today's file and key


def counted(address: str) -> str:
    """What counts as one: an IPv4 address, or the /64 of an IPv6 one (RFC 6177). "" for what is no address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def name(address: str) -> str:
    """Today's name of an address: 32 hexadecimal digits, the same for all in one /64. "" for what is no address."""
    one = counted(address)
    return hashlib.blake2b(one.encode(), key=_key(), digest_size=16).hexdigest() if one else ""


def end_keys() -> int:
    """Destroy the keys of other days. Returns how many."""
    others = [path for path in _folder().glob("network-*.key") if path != _today()]
    for path in others:
        path.unlink(missing_ok=True)
    return len(others)


def _key() -> bytes:
    global _kept
    path = _today()
    if _kept is None or _kept[0] != path:
        _kept = path, _read_or_make(path)
    return _kept[1]


def _read_or_make(path: Path) -> bytes:
    """One key for all processes of this machine: whoever puts its file in place first has made it."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    end_keys()
    own = path.with_suffix(f".{os.getpid()}-{secrets.token_hex(4)}")
    own.touch(0o640)
    own.write_bytes(secrets.token_bytes(KEY_BYTES))
    try:
        with suppress(FileExistsError):
            os.link(own, path)
    finally:
        own.unlink()
    return path.read_bytes()


def _today() -> Path:
    return _folder() / f"network-{clock.now():%Y-%m-%d}.key"


def _folder() -> Path:
    return Path(settings.TROTH.home) / "run"
