"""P15 turns red for each way of being reached without TLS: shown on servers of a few lines that do it wrong."""

import http.server
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings

from troth.pledge import clock
from troth.pledge.policy.clause import Finding, State
from troth.pledge.policy.probe import Probe
from troth.pledge.policy.visitor import Page
from troth.sandbox.authority import Authority
from troth.shop.clauses import p15_in_transit


def answering(status: int, **headers: str) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    return Handler


@contextmanager
def serving(handler: type[http.server.BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server on this machine; its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.handle_error = lambda *arguments: None  # type: ignore[method-assign]
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


class OnePage:
    """A site whose every page has these headers."""

    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = headers

    def get(self, path: str) -> Page:
        return Page(path, 200, self.headers, b"")

    def submit(self, path: str, values: dict[str, str], form: str = "") -> Page:
        raise NotImplementedError

    def newcomer(self, at: str = "") -> Any:
        raise NotImplementedError


def found(check: Any, port: int, headers: dict[str, str] | None = None) -> list[Finding]:
    """What a check says of a shop that is public at https://localhost:port, and listens there."""
    web = msgspec.structs.replace(settings.TROTH.web, public_url=f"https://localhost:{port}", port=port)
    config = msgspec.structs.replace(settings.TROTH, web=web)
    return list(check(Probe(config, clock.now(), OnePage(headers or {}))))


def states(findings: list[Finding]) -> set[State]:
    return {finding.state for finding in findings}


@pytest.mark.parametrize(
    ("handler", "state"),
    [
        (answering(200), State.BROKEN),
        (answering(302, Location="http://elsewhere.example/"), State.BROKEN),
        (answering(308, Location="https://localhost/"), State.HOLDS),
        (answering(403), State.HOLDS),
    ],
    ids=["shown", "sent on in clear", "sent to https", "refused"],
)
def test_a_page_without_tls_is_a_breach(handler: type[http.server.BaseHTTPRequestHandler], state: State) -> None:
    with serving(handler) as port:
        assert state in states(found(p15_in_transit.plain_http_gets_nothing, port))


def certified(folder: Path, authority: Authority, oldest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2) -> ssl.SSLContext:
    leaf = authority.leaf("localhost")
    key = leaf._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "both.pem").write_bytes(leaf.pem + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    if oldest < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = oldest
    return context


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("trusted", "oldest", "sentence"),
    [
        (True, ssl.TLSVersion.TLSv1_2, ""),
        (True, ssl.TLSVersion.TLSv1, "TLS 1.0 or 1.1"),
        (False, ssl.TLSVersion.TLSv1_2, "not one that browsers trust"),
    ],
    ids=["good", "old versions", "a stranger's certificate"],
)
def test_bad_tls_is_a_breach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: bool, oldest: ssl.TLSVersion, sentence: str
) -> None:
    authority = Authority()
    (tmp_path / "ca.pem").write_bytes((authority if trusted else Authority()).ca_pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with serving(answering(200), certified(tmp_path, authority, oldest)) as port:
        findings = found(p15_in_transit.the_shop_is_reached_by_tls, port)
    broken = [finding.sentence for finding in findings if finding.state == State.BROKEN]
    assert [sentence in one for one in broken] == ([True] if sentence else []), findings


def test_nobody_answering_is_unknown_not_green() -> None:
    assert states(found(p15_in_transit.the_shop_is_reached_by_tls, 1)) == {State.UNKNOWN}


def test_who_hangs_up_said_nothing_of_a_certificate() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            line, _ = listening.accept()
            line.recv(4096)
            line.shutdown(socket.SHUT_RDWR)
            line.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        findings = found(p15_in_transit.the_shop_is_reached_by_tls, listening.getsockname()[1])
        thread.join()
    assert states(findings) == {State.UNKNOWN}


@pytest.mark.parametrize("header", ["", "max-age=60", "includeSubDomains", "max-age=soon", "max-age=31536000"])
@pytest.mark.parametrize("secure", [True, False])
def test_browsers_and_cookies_not_held_to_https_are_a_breach(settings: Any, header: str, secure: bool) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = secure
    findings = found(p15_in_transit.browsers_stay_with_tls, 1, {"strict-transport-security": header})
    broken = " ".join(finding.sentence for finding in findings if finding.state == State.BROKEN)
    assert ("Strict-Transport-Security" in broken) == (header != "max-age=31536000")
    assert ("cookies may travel" in broken) == (not secure)
