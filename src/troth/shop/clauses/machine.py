"""What can be seen of the machine from here: who may read which file, open ports, the clock, known holes.

Sources: proc(5) for /proc/net/tcp, adjtimex(2), and the JSON that pip-audit writes.
"""

from __future__ import annotations

import ctypes
import json
import os
import stat
import time
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import msgspec

from troth.config import Config

MOST_FILES = 20_000  # of the shop's folder that are looked at in one round
_UNSYNCHRONISED = 0x40  # STA_UNSYNC
_LISTENING = "0A"


def open_to_others(config: Config) -> Iterator[Path]:
    """Files and folders of the shop that any user of this machine could read or change.

    Where the folder itself is closed to others, what lies in it is so, too; then its secrets are looked at alone, and
    the folders that hold what customers gave: whoever opened one of them will open the next.
    """
    if not _others_may(config.home):
        secrets = [config.home / name for name in ("troth.toml", "web.key", "licence.key", "worker.key")]
        folders = [config.home / name for name in ("data", "keeper", "run", "attachments")]
        yield from (
            path for path in (*secrets, *folders, config.root_key.parent) if path.exists() and _others_may(path)
        )
        return
    yield config.home
    seen = 0
    for folder, _, names in os.walk(config.home):
        for path in (Path(folder) / name for name in names):
            seen += 1
            if seen > MOST_FILES:
                return
            if _others_may(path):
                yield path


def _others_may(path: Path) -> bool:
    try:
        return bool(stat.S_IMODE(path.stat().st_mode) & 0o007)
    except OSError:
        return False  # not even its mode may be seen from here


class Port(msgspec.Struct, frozen=True):
    number: int
    ours: bool  # held by this very process


def open_ports() -> list[Port]:
    """TCP ports that other machines may reach. FileNotFoundError where there is no /proc."""
    held = {_inode(descriptor) for descriptor in Path("/proc/self/fd").iterdir()}
    found: dict[int, bool] = {}
    for table, width in (("tcp", 8), ("tcp6", 32)):
        path = Path("/proc/net") / table
        for line in path.read_text("ascii").splitlines()[1:] if path.exists() else ():
            fields = line.split()
            address, _, port = fields[1].rpartition(":")
            if fields[3] == _LISTENING and not _stays_here(address, width):
                number = int(port, 16)
                found[number] = found.get(number, False) or fields[9] in held
    return [Port(number, ours) for number, ours in sorted(found.items())]


def _inode(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]")
    except OSError:
        return ""


def _stays_here(address: str, width: int) -> bool:
    """Whether an address of /proc/net/tcp, words of four bytes in the machine's own order, is loopback."""
    raw = b"".join(bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, width, 8))
    if len(raw) == 4:
        return IPv4Address(raw).is_loopback
    mapped = IPv6Address(raw).ipv4_mapped
    return mapped.is_loopback if mapped else IPv6Address(raw).is_loopback


def clock_is_kept() -> bool | None:
    """Whether the kernel says that something (NTP) keeps its clock right; None where it does not say."""
    fields = (ctypes.c_long * 64)()  # struct timex, with room; modes = 0 only asks
    if ctypes.CDLL(None).adjtimex(ctypes.byref(fields)) < 0:
        return None
    status = ctypes.cast(ctypes.byref(fields, 5 * ctypes.sizeof(ctypes.c_long)), ctypes.POINTER(ctypes.c_int))
    return not status[0] & _UNSYNCHRONISED


class Audit(msgspec.Struct, frozen=True):
    days: int  # its age
    holes: list[str]  # "package version: advisory"


def audit(path: Path) -> Audit | None:
    """What pip-audit found, from the file that its owner put there. None where there is none that can be read."""
    try:
        told = json.loads(path.read_text("utf-8"))
        days = int((time.time() - path.stat().st_mtime) / 86400)
        holes = [
            f"{one['name']} {one['version']}: {hole['id']}"
            for one in told["dependencies"]
            for hole in one.get("vulns", ())
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Audit(days, holes)
