"""The one long-lived HTTP client of a process, and the only way a request leaves for a provider.

No redirects are followed, no proxy is taken from the environment, TLS is always verified, and an answer may be
neither large nor slow. Whatever prevents a whole answer is `ProviderDown`, whose text names no address.
"""

from __future__ import annotations

import ipaddress
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import certifi
import httpx
import msgspec

from troth.shop.payments.providers.contract import ProviderDown

LARGEST_ANSWER = 1024 * 1024  # bytes; PayPal's fullest order is some 8 kB
LONGEST_ANSWER = 30.0  # seconds from request to last byte


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: bytes


def make_client(ca_file: str | None = None, *, connect: float = 5.0, read: float = 20.0) -> httpx.Client:
    """Make the client; close it when the process ends. `ca_file` (PEM) is trusted besides the public roots."""
    context = ssl.create_default_context(cafile=certifi.where())
    if ca_file:
        context.load_verify_locations(cadata=Path(ca_file).read_text(encoding="ascii"))
    return httpx.Client(
        verify=context,
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(read, connect=connect),
        limits=httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=30.0),
        headers={"User-Agent": "Troth", "Accept-Encoding": "identity"},
    )


def send(
    http: httpx.Client,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    largest: int = LARGEST_ANSWER,
    longest: float = LONGEST_ANSWER,
) -> Answer:
    """Send one request and read the whole answer. Raises ProviderDown for 429, 5xx, redirects and broken answers."""
    deadline = time.monotonic() + longest
    body = bytearray()
    try:
        with http.stream(method, url, headers=headers, content=content) as response:
            for piece in response.iter_bytes():
                body += piece
                if len(body) > largest:
                    raise ProviderDown("answer_too_large")
                if time.monotonic() > deadline:
                    raise ProviderDown("answer_too_slow")
    except httpx.TimeoutException:
        raise ProviderDown("timeout") from None
    except httpx.HTTPError:
        raise ProviderDown("unreachable") from None
    if response.status_code == 429 or response.status_code >= 500 or 300 <= response.status_code < 400:
        raise ProviderDown(f"http_{response.status_code}")
    return Answer(response.status_code, bytes(body))


def is_loopback(url: str) -> bool:
    """Whether the address is this machine itself: the only place where plain http may be spoken."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def require_safe(url: str, what: str) -> None:
    """Raise ValueError naming `what` unless the address is https, or http on loopback."""
    try:
        parts = urlsplit(url)
        safe = bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url)))
        safe = safe and parts.username is None and parts.password is None and (parts.port or 1) > 0
    except ValueError:
        safe = False
    if not safe:
        raise ValueError(f"{what} must be an https address (plain http only on loopback)")
