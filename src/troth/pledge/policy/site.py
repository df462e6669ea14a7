"""The shop's pages for checks: by HTTP where it is served, with one visitor a round."""

from __future__ import annotations

import httpx

from troth.config import Config
from troth.pledge.policy.visitor import Page, Visitor


class Unreachable(Exception):
    """The shop is not served at the address of its settings."""


class Served:
    """The running shop, at the address it listens on. Raises Unreachable where nobody answers."""

    def __init__(self, config: Config) -> None:
        host = "127.0.0.1" if config.web.host in ("0.0.0.0", "::") else config.web.host  # noqa: S104 - compared only
        self.base = f"http://{host}:{config.web.port}"
        self._headers = {"Host": config.web.public_url.partition("://")[2].rstrip("/")}
        self._http = httpx.Client(trust_env=False, timeout=10, headers=self._headers)
        self.visitor = Visitor(self.base, self._http)

    def get(self, path: str) -> Page:
        try:
            return self.visitor.get(path)
        except httpx.HTTPError:
            raise Unreachable from None

    def submit(self, path: str, values: dict[str, str], form: str = "") -> Page:
        return self.visitor.submit(path, values, form)

    def newcomer(self) -> Visitor:
        """Another visitor, without the first one's cookies; may also go to the providers' pages."""
        return Visitor(self.base, httpx.Client(trust_env=False, timeout=20))

    def close(self) -> None:
        self._http.close()
