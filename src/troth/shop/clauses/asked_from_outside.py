"""Questions to the shop's own public address, as a stranger would ask them: what TLS says, and what plain HTTP gets."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
import warnings
from datetime import UTC, datetime
from urllib.parse import urlsplit

from troth.config import Config

TIMEOUT = 20  # seconds; a busy machine answers late, and late is not never
ATTEMPTS, PAUSE = 3, 2.0  # a web process that starts anew hangs up for a moment; seconds in between


def tls(config: Config) -> tuple[str, datetime]:
    """The version that is spoken, and when the certificate ends. ssl.SSLError or OSError where it cannot be trusted."""
    for _ in range(ATTEMPTS - 1):
        try:
            return _tls(config)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError):
            time.sleep(PAUSE)
    return _tls(config)


def _tls(config: Config) -> tuple[str, datetime]:
    host, port = _public(config)
    context = ssl.create_default_context()
    with (
        socket.create_connection((host, port), timeout=TIMEOUT) as plain,
        context.wrap_socket(plain, server_hostname=host) as line,
    ):
        certificate = line.getpeercert() or {}
        ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
        return line.version() or "", ends


def speaks_old_tls(config: Config) -> bool:
    """Whether TLS 1.0 or 1.1 is taken, which RFC 8996 has ended."""
    host, port = _public(config)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")  # else our own side would refuse before we know what theirs does
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the old versions, which is the question
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with socket.create_connection((host, port), timeout=TIMEOUT) as plain:
        try:
            context.wrap_socket(plain).close()
        except (ssl.SSLError, ConnectionError):  # an alert or a hung-up line: both are a no
            return False
        return True


def plain_http(config: Config) -> str:
    """What somebody gets who asks for the front page without TLS: "nothing", "sent to https", "refused" or "the page".

    Asked at the usual port 80 where the shop is at the usual 443, and at the port on which the shop itself listens.
    """
    host, port = _public(config)
    answers = [_asked(host, 80, host)] if port == 443 else []
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.web.host, config.web.host)  # noqa: S104 - compared only
    answers.append(_asked(here, config.web.port, urlsplit(config.web.public_url).netloc))
    return min(answers, key=("the page", "refused", "sent to https", "nothing").index)


def _asked(host: str, port: int, name: str) -> str:
    line = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    try:
        line.request("GET", "/", headers={"Host": name})
        answer = line.getresponse()
        to_https = (answer.getheader("Location") or "").startswith("https://")
    except (OSError, http.client.HTTPException):
        return "nothing"
    finally:
        line.close()
    if answer.status in (301, 302, 307, 308) and to_https:
        return "sent to https"
    return "refused" if answer.status >= 400 else "the page"


def _public(config: Config) -> tuple[str, int]:
    site = urlsplit(config.web.public_url)
    return site.hostname or "", site.port or 443
