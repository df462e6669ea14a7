"""The access token: one for the whole process, fetched anew shortly before its end.

PayPal limits how often a token may be asked for, so a token per call does not work.
"""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Callable

import httpx

from troth.shop.payments.providers import parse
from troth.shop.payments.providers.contract import ProviderDown, ProviderRefused
from troth.shop.payments.providers.http import send
from troth.shop.payments.providers.paypal.settings import PayPalSettings

UNTOLD = 300.0  # seconds that a token is used whose end nobody told
EARLY = 60.0  # seconds before its end at which a token counts as ended


class Token:
    """Hands out a living token. Threads that need one at once wait for the same fetch."""

    def __init__(
        self, settings: PayPalSettings, http: httpx.Client, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._http = http
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._ends = 0.0

    def get(self) -> str:
        """A token that lives. Raises ProviderDown, or ProviderRefused where PayPal does not know our credentials."""
        with self._lock:
            if not self._token or self._clock() >= self._ends:
                self._fetch()
            return self._token

    def drop(self, token: str) -> None:
        """Forget this token, which PayPal called dead; a newer one that another thread has fetched stays."""
        with self._lock:
            if self._token == token:
                self._token = ""

    def _fetch(self) -> None:
        asked = self._clock()
        pair = f"{self._settings.client_id}:{self._settings.client_secret}"
        answer = send(
            self._http,
            "POST",
            self._settings.base_url.rstrip("/") + "/v1/oauth2/token",
            headers={
                "Authorization": "Basic " + base64.b64encode(pair.encode()).decode(),
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            },
            content=b"grant_type=client_credentials",
        )
        try:
            read = parse.json_object(answer.body)
        except ValueError:
            raise ProviderDown("answer") from None
        if answer.status != 200:
            raise ProviderRefused(parse.code(read.get("error")) or f"http_{answer.status}")
        token, life = read.get("access_token"), _seconds(read.get("expires_in"))
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            raise ProviderDown("answer")
        self._token = token
        self._ends = asked + max(life - EARLY, life / 2)  # a short remainder is still worth using


def _seconds(told: object) -> float:
    """How long a token lives. RFC 6749, 5.1 only recommends to say so: then it is used for a short while."""
    if isinstance(told, str) and re.fullmatch(r"[0-9]{1,9}", told):
        return float(told)
    return float(told) if isinstance(told, int | float) and not isinstance(told, bool) and told >= 0 else UNTOLD
