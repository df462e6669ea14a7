"""A small HTTP/1.1 server for the look-alikes: keep-alive, one thread a connection, and faults on demand.

Only for this machine: it listens on loopback and answers only to loopback host names, so that no page on the web can
reach it through a rebound name.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import msgspec

LARGEST = 1024 * 1024
_LOOPBACK = re.compile(r"(127\.\d+\.\d+\.\d+|localhost|[a-z0-9-]+\.localhost|\[::1\])(:\d+)?", re.IGNORECASE)


class Request(msgspec.Struct, frozen=True):
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    body: bytes

    def form(self) -> dict[str, str]:
        """The body as an url-encoded form; the first of doubled fields, as lenient servers read it."""
        read = parse_qs(self.body.decode("utf-8", errors="replace"), keep_blank_values=True)
        return {name: values[0] for name, values in read.items()}


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = {}

    def closing(self) -> Answer:
        """The same answer as the last one of its connection, and saying so."""
        return msgspec.structs.replace(self, headers=self.headers | {"Connection": "close"})


Handler = Callable[..., Answer]
Route = tuple[str, str, Handler]  # method, pattern of the whole path, handler(request, *groups)


def json_answer(status: int, body: object) -> Answer:
    return Answer(status, json.dumps(body).encode())


def html_answer(status: int, page: str) -> Answer:
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
    return Answer(status, page.encode(), "text/html; charset=utf-8", headers)


def redirect(url: str) -> Answer:
    return Answer(303, b"", "text/plain", {"Location": url})


def with_query(url: str, more: dict[str, str]) -> str:
    """The address with these appended to its own parameters."""
    parts = urlsplit(url)
    query = "&".join(one for one in (parts.query, urlencode(more)) if one)
    return urlunsplit(parts._replace(query=query))


class Fault(msgspec.Struct):
    """What goes wrong with the next `times` requests whose path contains `where`.

    kind: "lost" acts, then cuts the line before a byte of the answer; "half" acts, then cuts in mid-body; "html" acts,
    then answers with a web page; "slow" waits `seconds`, then acts; "drip" acts and lets the answer drip for
    `seconds`; a number such as "500" answers that, and acts not.
    """

    kind: str
    where: str = ""
    times: int = 1
    seconds: float = 0.0


class Faults:
    """The faults that wait for their request."""

    KINDS = re.compile(r"lost|half|html|slow|drip|[45]\d\d")

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, kind: str, where: str = "", times: int = 1, seconds: float = 0.0) -> None:
        """Raises ValueError for a kind there is not."""
        if not self.KINDS.fullmatch(kind):
            raise ValueError("no such fault")
        with self._lock:
            self._waiting.append(Fault(kind, where, times, seconds))

    def take(self, path: str) -> Fault | None:
        with self._lock:
            for fault in self._waiting:
                if fault.where in path:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._waiting.remove(fault)
                    return fault
        return None

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()


class Server(ThreadingHTTPServer):
    """Serves the routes on 127.0.0.1 until `stop`."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, port: int, routes: Iterable[Route], faults: Faults) -> None:
        self.routes = [(method, re.compile(pattern), handler) for method, pattern, handler in routes]
        self.faults = faults
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Connection)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="sandbox", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and end the connections that are kept alive."""
        self.shutdown()
        self._thread.join()
        self.server_close()
        with self._open_lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # the other side was quicker

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is a mistake of ours and may be loud."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def answer(self, request: Request) -> Answer:
        known = False
        for method, pattern, handler in self.routes:
            if match := pattern.fullmatch(request.path):
                known = True
                if method == request.method:
                    return handler(request, *match.groups())
        return json_answer(405 if known else 404, {"name": "METHOD_NOT_ALLOWED" if known else "NOT_FOUND"})


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "TrothSandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = 60
    server: Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what passes here looks like people's data."""

    def _serve(self) -> None:
        request = self._read()
        if request is None:
            return
        fault = None if request.path.startswith("/_control") else self.server.faults.take(request.path)
        kind = fault.kind if fault else ""
        if kind == "slow" and fault:
            time.sleep(fault.seconds)
        if kind.isdigit():
            self._write(json_answer(int(kind), {"name": "RATE_LIMIT_REACHED" if kind == "429" else "SANDBOX_FAULT"}))
            return
        answer = self.server.answer(request)
        if kind == "lost":
            self.close_connection = True
        elif kind == "html":
            self._write(Answer(answer.status, b"<!doctype html><title>Sorry</title>", "text/html"))
        else:
            self._write(answer, half=kind == "half", drip=fault.seconds if fault and kind == "drip" else 0.0)

    def _read(self) -> Request | None:
        length = self.headers.get("Content-Length", "0")
        wrong = 0
        if not _LOOPBACK.fullmatch(self.headers.get("Host", "")):
            wrong = 421
        elif "Transfer-Encoding" in self.headers or not re.fullmatch(r"\d{1,12}", length):
            wrong = 411
        elif int(length) > LARGEST:
            wrong = 413
        if wrong:
            self._write(json_answer(wrong, {"name": "SANDBOX_REFUSES"}).closing())
            self._linger()
            return None
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, parts.path, query, headers, self.rfile.read(int(length)))

    def _linger(self) -> None:
        """Read on for a moment what we refused to read: closing at once would reset the line and lose our answer."""
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(1.0)
        left = 8 * LARGEST
        while left > 0 and (piece := self.connection.recv(65536)):
            left -= len(piece)

    def _write(self, answer: Answer, half: bool = False, drip: float = 0.0) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if half:
            self.close_connection = True
        self.end_headers()
        if not drip:
            self.wfile.write(answer.body[: len(answer.body) // 2] if half else answer.body)
            return
        piece = max(1, len(answer.body) // 20)
        for start in range(0, len(answer.body), piece):
            time.sleep(drip / 20)
            self.wfile.write(answer.body[start : start + piece])
