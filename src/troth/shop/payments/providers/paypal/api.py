"""Calls of PayPal's REST API: token, Request-Id, errors as issue codes."""

from __future__ import annotations

import json

import httpx
import msgspec

from troth.shop.payments.providers import parse
from troth.shop.payments.providers.contract import ProviderDown
from troth.shop.payments.providers.http import Answer, send
from troth.shop.payments.providers.paypal.settings import PayPalSettings
from troth.shop.payments.providers.paypal.token import Token


class Reply(msgspec.Struct, frozen=True):
    """PayPal's answer. `issue` is "" on success, else the code to branch on (its texts change, its codes do not)."""

    status: int
    body: dict[str, object]
    issue: str = ""


class Api:
    def __init__(self, settings: PayPalSettings, http: httpx.Client, token: Token) -> None:
        self._base = settings.base_url.rstrip("/")
        self._http = http
        self._token = token

    def get(self, path: str) -> Reply:
        return self._call("GET", path, None, {})

    def post(self, path: str, body: dict[str, object], request_id: str) -> Reply:
        """POST under a PayPal-Request-Id: repeating it with the same id acts once (PayPal: "Idempotency")."""
        headers = {"Content-Type": "application/json", "Prefer": "return=representation"}
        return self._call("POST", path, json.dumps(body).encode(), headers | {"PayPal-Request-Id": request_id})

    def verify(self, body: bytes) -> Reply:
        """Ask PayPal whether a webhook is its own. `body` goes as it is: put together anew it would not verify."""
        path = "/v1/notifications/verify-webhook-signature"
        return self._call("POST", path, body, {"Content-Type": "application/json"})

    def _call(self, method: str, path: str, content: bytes | None, headers: dict[str, str]) -> Reply:
        token = self._token.get()
        answer = self._send(method, path, content, headers, token)
        if answer.status == 401:  # in whatever words: OAuth's `invalid_token`, the API's `AUTHENTICATION_FAILURE`, none
            self._token.drop(token)
            answer = self._send(method, path, content, headers, self._token.get())
        body = _read(answer)
        if answer.status < 400:
            return Reply(answer.status, body)
        named = parse.at(body, "details", 0, "issue") or body.get("name") or body.get("error")
        return Reply(answer.status, body, parse.code(named) or f"http_{answer.status}")

    def _send(self, method: str, path: str, content: bytes | None, headers: dict[str, str], token: str) -> Answer:
        return send(
            self._http,
            method,
            self._base + path,
            headers=headers | {"Authorization": f"Bearer {token}", "Accept": "application/json"},
            content=content,
        )


def _read(answer: Answer) -> dict[str, object]:
    try:
        return parse.json_object(answer.body)
    except ValueError:
        raise ProviderDown("answer") from None
