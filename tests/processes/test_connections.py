"""A connection that an answer promised to keep is kept, whether the view read what was sent or refused before."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from tests.processes import running
from tests.processes.running import Serving
from troth.faces.whole_requests import THREADS

pytestmark = pytest.mark.processes
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
REFUSED = {
    "/unsubscribe/per_aaaaaaaaaaaaaaaaaaaaaaaaaa/" + "0" * 40: 404,  # a link that nobody was sent
    "/sign-in": 403,  # a form without its token
    "/no-such-page": 404,
    "/hooks/paypal": 404,  # no provider is set up here
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, database: dict[str, str]) -> Iterator[Serving]:
    serving = Serving(running.folder(tmp_path_factory.mktemp("kept") / "home"), **database)
    yield serving
    serving.stop()


def send(connection: http.client.HTTPConnection, path: str, body: bytes) -> http.client.HTTPResponse:
    """Head first, body after the view has had time to answer: as two packets that another network took apart."""
    connection.putrequest("POST", path)
    for name, value in (FORM | {"Content-Length": str(len(body))}).items():
        connection.putheader(name, value)
    connection.endheaders()
    time.sleep(0.05)
    connection.send(body)
    answer = connection.getresponse()
    answer.read()
    return answer


@pytest.mark.parametrize("path", REFUSED)
def test_the_next_request_finds_the_connection_that_was_promised(shop: Serving, path: str) -> None:
    where = urlsplit(shop.url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=20)
    connection.auto_open = 0  # type: ignore[assignment]  # once only: no connection behind our back
    connection.connect()
    for _ in range(3):
        answer = send(connection, path, b"List-Unsubscribe=One-Click")
        assert (answer.status, answer.getheader("Connection")) == (REFUSED[path], None)
    connection.close()


def test_who_sends_more_unasked_is_told_that_the_connection_ends(shop: Serving) -> None:
    where = urlsplit(shop.url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=20)
    answer = send(connection, "/no-such-page", b"x" * 200_000)
    assert (answer.status, answer.getheader("Connection")) == (404, "close")
    connection.close()


def test_pages_go_on_while_many_send_half_a_form_and_wait(shop: Serving) -> None:
    where = urlsplit(shop.url)
    stalled = []
    for _ in range(4 * THREADS):
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=20)
        connection.putrequest("POST", "/sign-in")
        connection.putheader("Content-Length", "100")
        connection.endheaders(b"half")
        stalled.append(connection)
    for _ in range(5):
        assert httpx.get(f"{shop.url}/contact", timeout=20, trust_env=False).status_code == 200
    for connection in stalled:
        connection.close()
    deadline = time.monotonic() + 60
    while httpx.post(f"{shop.url}/sign-in", timeout=20, trust_env=False).status_code != 403:  # forms are read again
        assert time.monotonic() < deadline
        time.sleep(0.1)
