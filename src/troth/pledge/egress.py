"""The one door for connections that leave a process: to declared recipients, and to nobody else (P7, P14).

`guard` puts itself before the look-up of names and before every connect of this process, whichever library asks. A name
or address that nobody declared is refused with Refused, an OSError as if the network were away, and noted in a file
that the checks read: the recipient's name and the time, never what it should have got.

It stands against what a colleague or a library does by mistake. Code that is made to get past it can (CPython offers no
sandbox, PEP 578), and what is written in C and opens its own sockets is not seen, such as PostgreSQL's client: keep a
firewall besides (docs/operate/servers.md). Neither Django nor the shop is imported: the keeper has the guard as well.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

Address = tuple[str, int]  # a host by name or number, and a port; port 0: any
MOST_KNOWN = 4096  # resolved addresses that are remembered
MOST_NOTED = 200  # refusals that are noted in a file


class Refused(PermissionError):
    """The connection would have left for somebody who is not declared. Holds no address."""


class _Door:
    """What may be connected to from this process."""

    def __init__(self, role: str, allowed: Iterable[Address], loopback: bool, noted: Path) -> None:
        self.role, self.allowed, self.loopback, self.noted = role, frozenset(allowed), loopback, noted
        self.resolved: dict[Address, None] = {}

    def permits(self, host: str, port: int) -> bool:
        if {(host, port), (host, 0)} & self.allowed or (host, port) in self.resolved:
            return True
        return self.loopback and _is_loopback(host)

    def refuse(self, host: str) -> Refused:
        self._note(host)
        sys.stderr.write(f'{{"level": "ERROR", "logger": "troth.egress", "event": "refused", "role": "{self.role}"}}\n')
        return Refused("this connection would leave for somebody who is not declared")

    def _note(self, host: str) -> None:
        line = json.dumps({"to": host[:100], "role": self.role, "at": int(time.time())})
        try:
            lines = self.noted.read_text("utf-8").splitlines() if self.noted.exists() else []
            self.noted.write_text("\n".join([*lines[1 - MOST_NOTED :], line, ""]), "utf-8")
        except OSError:
            return  # refused all the same; stderr says so

    def learn(self, found: Iterable[Any]) -> None:
        for *_, address in found:
            while len(self.resolved) >= MOST_KNOWN:
                del self.resolved[next(iter(self.resolved))]
            self.resolved[str(address[0]), int(address[1])] = None


_door: _Door | None = None
_hooked = False
_look_up = socket.getaddrinfo


def guard(role: str, allowed: Iterable[Address], noted: Path, *, loopback: bool = False) -> None:
    """From now on this process connects to `allowed` alone. `loopback`: and to this machine, for look-alikes of tests.

    `noted`: the file in which refusals stand, one JSON object a line. Asked again it replaces what was allowed.
    """
    global _door, _hooked
    _door = _Door(role, allowed, loopback, noted)
    if not _hooked:
        sys.addaudithook(_audit)
        socket.getaddrinfo = _looked_up
        _hooked = True


def rest() -> None:
    """For tests: connections are not looked at any more."""
    global _door
    _door = None


def stands() -> bool:
    """Whether this process refuses somebody who is nowhere declared: asked of the guard itself, and not noted."""
    before = _door
    if before is None:
        return False
    quiet = _Door(before.role, before.allowed, before.loopback, Path("/dev/null"))
    return not quiet.permits("undeclared.invalid", 443) and not quiet.permits("192.0.2.1", 443) and _hooked


def _looked_up(host: Any, port: Any, *args: Any, **more: Any) -> Any:
    """socket.getaddrinfo, that remembers which numbers stand for declared names. The audit hook refused the others."""
    found = _look_up(host, port, *args, **more)
    if _door is not None:
        _door.learn(found)
    return found


def _audit(event: str, given: tuple[Any, ...]) -> None:
    if _door is None:
        return
    if event == "socket.getaddrinfo" and given[0] is not None:
        host, port = _text(given[0]), given[1]
        if not _door.permits(host, port if isinstance(port, int) else _service(port)):
            raise _door.refuse(host)
    elif event in ("socket.gethostbyname", "socket.gethostbyaddr") and not _is_here(_text(given[0])):
        raise _door.refuse(_text(given[0]))
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg") and isinstance(given[1], tuple):
        host, port = _text(given[1][0]), int(given[1][1])
        if not _door.permits(host, port):
            raise _door.refuse(host)


def _service(port: Any) -> int:
    try:
        return int(port or 0)
    except ValueError:
        return socket.getservbyname(_text(port))


def _text(host: Any) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)


def _is_here(host: str) -> bool:
    """This machine, by its own name too: mail programs ask for it before they greet the relay."""
    return host in ("", socket.gethostname()) or _is_loopback(host)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
