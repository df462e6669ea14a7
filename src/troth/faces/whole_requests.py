"""What a browser sends is taken off the wire before it is answered, whether a view looked at it or not.

A view may refuse before it reads: a wrong link, a form without its token. The server (hyper, below granian) then closes
a connection whose request is not read to its end, although the answer promised to keep it (RFC 9112, 9.3), and the next
request on it, another customer's behind a proxy, meets a closed door.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

LARGEST = 64 * 1024  # more than a form; who sends more unasked has the connection closed, and is told
PIECE = 16 * 1024

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Body(Protocol):
    def read(self, size: int) -> bytes: ...


def whole(application: Application) -> Application:
    """The application; what it leaves unread of a request is read before the answer begins, LARGEST bytes at most.
    If there is more, the answer says `Connection: close`."""

    def answered(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not (environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING")):
            return application(environ, start_response)
        body: Body = environ["wsgi.input"]

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            more = [] if _is_over(body) else [("Connection", "close")]
            return start_response(status, headers + more, *rest)

        return application(environ, start)

    return answered


def _is_over(body: Body) -> bool:
    """Read what is left, up to LARGEST bytes. Whether that was all: whoever hung up has nothing more to send."""
    left = LARGEST
    try:
        while left > 0 and (piece := body.read(min(PIECE, left))):
            left -= len(piece)
    except OSError:
        return True
    return left > 0
