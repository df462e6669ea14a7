"""What a browser sends is taken off the wire, whether a view looks at it or not; and pages go on while somebody stalls.

A view may refuse before it reads: a wrong link, a form without its token. The server (hyper, below granian) then closes
a connection whose request is not read to its end, although the answer promised to keep it (RFC 9112, 9.3), and the next
request on it, another customer's behind a proxy, meets a closed door. So a form is read before anybody looks at it.

Somebody who sends half a form and waits holds a thread for as long as they like: the server knows no time for bodies.
As many as that may stall but the last; pages are answered all the while. A proxy that takes whole requests in first
(docs/operate/servers.md) keeps such people from every thread.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from threading import BoundedSemaphore
from typing import Any, Protocol

FORM = 64 * 1024  # bytes; a form without files is smaller, and read whole
THREADS = 6  # requests at a time in one process; some only wait: for the worker (journeys/standby.py), a provider
_places = BoundedSemaphore(THREADS - 1)  # to wait at for what is being sent
BUSY = b"The shop is taking in other requests just now; please send this again in some seconds.\n"

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Body(Protocol):
    def read(self, size: int) -> bytes: ...


def whole(application: Application) -> Application:
    """The application, to which a form comes whole. Something larger it reads itself; of what it leaves of that FORM
    bytes are read, and if there is more the answer says `Connection: close`. 503 where all others are being read."""

    def answered(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        length, chunked = environ.get("CONTENT_LENGTH", ""), environ.get("HTTP_TRANSFER_ENCODING")
        if not (length or chunked):
            return application(environ, start_response)
        if not _places.acquire(blocking=False):
            plain = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(BUSY)))]
            start_response("503 Service Unavailable", [*plain, ("Connection", "close"), ("Retry-After", "5")])
            return [BUSY]
        body: Body = environ["wsgi.input"]
        try:
            if chunked or not length.isdigit() or int(length) > FORM:
                return application(environ, _after(body, start_response))
            environ["wsgi.input"] = io.BytesIO(_read(body, int(length)))
        finally:
            _places.release()
        return application(environ, start_response)

    return answered


def _after(body: Body, start_response: Callable[..., Any]) -> Callable[..., Any]:
    def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        more = [] if len(_read(body, FORM)) < FORM else [("Connection", "close")]
        return start_response(status, headers + more, *rest)

    return start


def _read(body: Body, most: int) -> bytes:
    """At most that many bytes; less if there are none left, or the browser hung up, which Django then says."""
    pieces = bytearray()
    try:
        while len(pieces) < most and (piece := body.read(most - len(pieces))):
            pieces += piece
    except OSError:
        pass
    return bytes(pieces)
