"""Carries webhooks and status posts to the shop, and tries again until it answers as the provider wants.

Real providers repeat over hours and days; here the pauses are a demo's.
"""

from __future__ import annotations

import heapq
import ipaddress
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import msgspec

PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0)  # seconds before the second, third ... attempt


class Post(msgspec.Struct):
    """A message to the shop; `answers` holds the status of each attempt, 0 where there was none."""

    number: int
    kind: str
    url: str
    headers: dict[str, str]
    body: bytes
    answers: list[int] = []


class Courier:
    """One thread that delivers in order of due time. `done(status)` says whether an answer ends the attempts."""

    def __init__(self, done: Callable[[int], bool]) -> None:
        self.posts: list[Post] = []
        self.dropping = False
        self._done = done
        self._due: list[tuple[float, int, int]] = []  # when, post number, attempt
        self._busy = False
        self._stopped = False
        self._wake = threading.Condition()
        self._http = httpx.Client(timeout=httpx.Timeout(10.0, connect=2.0), trust_env=False, follow_redirects=False)
        self._thread = threading.Thread(target=self._run, name="sandbox-courier", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._wake:
            self._stopped = True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        self._http.close()

    def post(self, kind: str, url: str, headers: dict[str, str], body: bytes) -> Post:
        """Take a message on. While `dropping`, it is written down and never sent. No URL: nobody to send it to."""
        with self._wake:
            post = Post(len(self.posts), kind, url, headers, body)
            self.posts.append(post)
            if url and not self.dropping:
                heapq.heappush(self._due, (time.monotonic(), post.number, 0))
                self._wake.notify_all()
        return post

    def burst(self, post: Post, times: int, at_once: int = 1) -> list[int]:
        """Send a message `times` more, up to `at_once` in parallel, and return the answers."""
        with ThreadPoolExecutor(max_workers=max(1, at_once)) as pool:
            return list(pool.map(lambda _: self._send(post), range(times)))

    def wait(self, seconds: float = 5.0) -> bool:
        """Wait until nothing is due or on its way. False if that took longer."""
        with self._wake:
            return self._wake.wait_for(lambda: not self._due and not self._busy, timeout=seconds)

    def clear(self) -> None:
        """Forget all messages, after the one on its way."""
        with self._wake:
            self._due.clear()
            self._wake.wait_for(lambda: not self._busy, timeout=15)
            self.posts.clear()
            self.dropping = False

    def _run(self) -> None:
        while (taken := self._next()) is not None:
            post, attempt = taken
            status = self._send(post)
            with self._wake:
                self._busy = False
                known = post.number < len(self.posts) and self.posts[post.number] is post
                if known and not self._done(status) and attempt < len(PAUSES):
                    heapq.heappush(self._due, (time.monotonic() + PAUSES[attempt], post.number, attempt + 1))
                self._wake.notify_all()

    def _next(self) -> tuple[Post, int] | None:
        with self._wake:
            while not self._stopped:
                pause = self._due[0][0] - time.monotonic() if self._due else None
                if pause is not None and pause <= 0:
                    _, number, attempt = heapq.heappop(self._due)
                    self._busy = True
                    return self.posts[number], attempt
                self._wake.wait(pause)
        return None

    def _send(self, post: Post) -> int:
        try:
            status = self._http.post(post.url, headers=post.headers, content=post.body).status_code
        except (httpx.HTTPError, httpx.InvalidURL):
            status = 0
        post.answers.append(status)
        return status


def is_local(url: str) -> bool:
    """The sandbox talks to this machine only, whatever a shop tells it."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        local = host == "localhost" or host.endswith(".localhost") or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
    return local and parts.scheme in ("http", "https")
