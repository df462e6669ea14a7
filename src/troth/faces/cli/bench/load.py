"""Requests one after the other over one kept connection, as fast as they are answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import NamedTuple

Path = Callable[[int], str]  # the number of a request -> what to ask for


class Asked(NamedTuple):
    status: int
    etag: str
    size: int


class Caller:
    """One connection. `headers` go with every request."""

    def __init__(self, port: int) -> None:
        self._line = HTTPConnection("127.0.0.1", port, timeout=20)

    def ask(self, path: str, headers: dict[str, str] | None = None) -> Asked:
        self._line.request("GET", path, headers=headers or {})
        answer = self._line.getresponse()
        body = answer.read()
        return Asked(answer.status, answer.headers.get("ETag", ""), len(body))

    def keep_asking(self, path: Path, seconds: float, status: int = 200, headers: dict[str, str] | None = None) -> int:
        """Ask for `seconds`; how many answers came. WrongAnswer where one has another status."""
        deadline = time.monotonic() + seconds
        for number in _count():
            got = self.ask(path(number), headers)
            if got.status != status:
                raise WrongAnswer(f"{path(number).partition('?')[0]} answers {got.status}, not {status}.")
            if time.monotonic() > deadline:
                return number + 1
        raise AssertionError

    def close(self) -> None:
        self._line.close()


def answers(port: int, path: str) -> bool:
    """Whether somebody listens there and has this page."""
    caller = Caller(port)
    try:
        return caller.ask(path).status == 200
    except OSError:
        return False
    finally:
        caller.close()


class WrongAnswer(Exception):
    """A server under measurement did not do what is measured; the text says where."""


def _count() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1
