"""Who calls too often is asked to wait. Nobody's address is kept: counts stand under a keyed hash, in memory alone.

The key is random, of this process, and new for each window; with it all counts of the window before are forgotten. So
N web processes let through N times as much, which is still too little to guess anything.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import threading
import time

from django.conf import settings
from django.http import HttpRequest

from troth.config import is_loopback
from troth.shop.fraud.keyed import counted

PASSED_ON = {"HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP"}
ROOM = 50_000  # callers counted one by one in a window; whoever comes later shares one count


class Window:
    """At most `most` calls of one caller in `seconds`."""

    def __init__(self, most: int, seconds: int = 60) -> None:
        self.most, self.seconds = most, seconds
        self._lock = threading.Lock()
        self._began = 0.0
        self._key = b""
        self._counts: dict[bytes, int] = {}

    def count(self, who: str) -> int:
        """Count a call. 0, or the seconds to wait where it is one too many."""
        with self._lock:
            self._turn()
            name = self._name(who)
            self._counts[name] = count = self._counts.get(name, 0) + 1
            return self._left() if count > self.most else 0

    def full(self, who: str) -> int:
        """The same without counting: for what is counted only when it fails."""
        with self._lock:
            self._turn()
            over = bool(self._counts) and self._counts.get(self._name(who), 0) >= self.most
            return self._left() if over else 0

    def busy(self) -> bool:
        """Whether anybody was counted in this window."""
        with self._lock:
            self._turn()
            return bool(self._counts)

    def forget(self) -> None:
        """Begin anew, as each test does."""
        with self._lock:
            self._began = 0.0

    def _turn(self) -> None:
        now = time.monotonic()
        if now - self._began >= self.seconds or not self._key:
            self._began, self._key = now, secrets.token_bytes(32)
            self._counts.clear()

    def _name(self, who: str) -> bytes:
        name = hashlib.blake2b(who.encode(), key=self._key, digest_size=16).digest()
        return name if name in self._counts or len(self._counts) < ROOM else b"everybody else"

    def _left(self) -> int:
        return max(1, round(self._began + self.seconds - time.monotonic()))


def came_from(request: HttpRequest) -> str:
    """The IP address that a request comes from, as it stands in RFC 5952; "" where nobody can say.

    Behind a trusted proxy it is the last address that this proxy wrote down; what stands before it anybody can write.
    """
    told = request.META.get("REMOTE_ADDR", "")
    if told in settings.TROTH.web.proxies and not is_here(request):
        told = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
    return _spelled(told)


def caller(request: HttpRequest) -> str:
    """Where a request comes from, as far as it counts: an IPv4 address, or the /64 of an IPv6 one."""
    return counted(came_from(request)) or "unknown"


def is_here(request: HttpRequest) -> bool:
    """A direct connection over loopback; what a proxy on this machine passes on carries one of its headers."""
    return not request.META.keys() & PASSED_ON and is_loopback(request.META.get("REMOTE_ADDR", ""))


def _spelled(told: str) -> str:
    try:
        address = ipaddress.ip_address(told)
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
