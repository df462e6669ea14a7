"""What a browser did that its user does not see: every request, every word in the console."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError


class Watched:
    def __init__(self, context: BrowserContext) -> None:
        self.asked: list[tuple[str, str]] = []  # (document, what it asked for); a visit is its own document
        self._words: list[tuple[str, str]] = []  # (what the console says, about which address)
        self._refused: set[str] = set()  # documents that answered 4xx; browsers put that into the console
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("console", self._console)
        context.on("weberror", self._error)

    def elsewhere(self, *ours: str) -> list[str]:
        """Visits to others than `ours` (the shop, the provider), and anything a page fetched from another origin."""
        homes = {origin(address) for address in ours}
        found = [f"{document} asked {address}" for document, address in self.asked if origin(address) not in homes]
        return found + [
            f"{document} asked {address}" for document, address in self.asked if origin(address) != origin(document)
        ]

    def faults(self) -> list[str]:
        """Console messages (refusals by the Content-Security-Policy are among them) and script errors."""
        return [
            text
            for text, address in self._words
            if not (text.startswith("Failed to load resource") and address in self._refused)
        ]

    def _request(self, request: Request) -> None:
        visit = request.is_navigation_request()
        self.asked.append((request.url if visit else request.frame.url, request.url))

    def _response(self, response: Response) -> None:
        if 400 <= response.status < 500 and response.request.is_navigation_request():
            self._refused.add(response.url)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._words.append((message.text, message.location.get("url", "")))

    def _error(self, error: WebError) -> None:
        self._words.append((str(error.error), ""))


def origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
