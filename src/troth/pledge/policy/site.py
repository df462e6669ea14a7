"""The shop's pages for checks: by HTTP where it is served, with one visitor a round."""

from __future__ import annotations

import sys

import httpx

from troth.config import Config
from troth.pledge.policy.visitor import Page, Visitor


class Unreachable(Exception):
    """The shop is not served at the address of its settings."""


class Served:
    """The running shop under its public name, at the address it listens on. Raises Unreachable where nobody answers."""

    def __init__(self, config: Config) -> None:
        self._config, self.base = config, config.web.public_url.rstrip("/")
        self._http = self._client(10)
        self.visitor = Visitor(self.base, self._http)

    def get(self, path: str) -> Page:
        try:
            return self.visitor.get(path)
        except httpx.HTTPError:
            raise Unreachable from None

    def submit(self, path: str, values: dict[str, str], form: str = "") -> Page:
        return self.visitor.submit(path, values, form)

    def newcomer(self, at: str = "") -> Visitor:
        """Another visitor, without the first one's cookies; may go to the providers' pages too. `at`: see Listening."""
        return Visitor(self.base, self._client(20, at))

    def close(self) -> None:
        self._http.close()

    def _client(self, timeout: float, at: str = "") -> httpx.Client:
        return httpx.Client(trust_env=False, timeout=timeout, transport=Listening(self._config, at))


class Listening(httpx.BaseTransport):
    """Brings what is meant for the shop's public name to where this shop listens; everything else goes its usual way.

    Where the shop speaks TLS itself, its certificate must be good for the public name. Where a proxy does, we stand in
    for the proxy: the check that asks from outside (P15) looks at the proxy itself.

    `at`: an address of this machine (127.0.0.0/8, RFC 1122) from which to come, as a browser comes from its own. It
    counts where no proxy stands in front, and where the system has all of these addresses (Linux).
    """

    def __init__(self, config: Config, at: str = "") -> None:
        public = httpx.URL(config.web.public_url)
        self._public = (public.scheme, public.host, public.port)
        self._host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.web.host, config.web.host)  # noqa: S104 - never bound
        self._port, self._own = config.web.port, bool(config.web.certificate)
        self._way = httpx.HTTPTransport()
        direct = self._host == "127.0.0.1" and (self._own or self._public[0] == "http")
        own_address = at if direct and sys.platform == "linux" else None
        self._here = httpx.HTTPTransport(local_address=own_address or None)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if (request.url.scheme, request.url.host, request.url.port) != self._public:
            return self._way.handle_request(request)
        url = request.url.copy_with(scheme="https" if self._own else "http", host=self._host, port=self._port)
        headers, extensions = request.headers.copy(), dict(request.extensions)
        if self._own:
            extensions["sni_hostname"] = self._public[1]
        elif self._public[0] == "https":
            headers["X-Forwarded-Proto"] = "https"
        moved = httpx.Request(request.method, url, headers=headers, stream=request.stream, extensions=extensions)
        return self._here.handle_request(moved)

    def close(self) -> None:
        self._way.close()
        self._here.close()
