"""The headers that hold a browser to the policy: nothing loaded from elsewhere, nothing framed, nothing told onwards.

Content-Security-Policy is W3C CSP 3. Browsers apply `form-action` to the redirect that answers a form too (Chromium
does), so the pages whose forms lead to a payment page name the origins of those pages, and no others do.
`Referrer-Policy: same-origin`, not `no-referrer`: with the latter browsers send `Origin: null` with our own forms
(Fetch standard, "append a request Origin header"), and the guard of origin.py could not know them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from troth.config import is_loopback

TO_PAYMENT = frozenset({"checkout", "order", "order_pay"})
WITH_SCRIPT = frozenset({"sign_in", "sign_in_passkey", "account_passkey_add"})  # one of our own, for passkeys
PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "fullscreen", "geolocation",
        "gyroscope", "magnetometer", "microphone", "midi", "payment", "usb", "xr-spatial-tracking",
    )
)  # fmt: skip
_HERE = ("http://127.0.0.1:*", "http://localhost:*")
# Where PayPal's own page stands, by the address of its API (developer.paypal.com, "API requests").
_PAYPAL_PAGES = {
    "https://api-m.paypal.com": "https://www.paypal.com",
    "https://api-m.sandbox.paypal.com": "https://www.sandbox.paypal.com",
}


class SafeHeaders:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.fixed = {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Permissions-Policy": PERMISSIONS,
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "X-Frame-Options": "DENY",
        }
        if settings.TROTH.web.public_url.startswith("https:"):
            self.fixed["Strict-Transport-Security"] = "max-age=31536000"

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        headers = response.headers
        for name, value in self.fixed.items():
            headers[name] = value
        if "Content-Security-Policy" not in headers:
            match = request.resolver_match
            name = match.view_name if match is not None else ""
            scripts = "; script-src 'self'" if name in WITH_SCRIPT else ""
            headers["Content-Security-Policy"] = policy(*(payment_origins() if name in TO_PAYMENT else ())) + scripts
        if "Cache-Control" not in headers:
            headers["Cache-Control"] = "no-store"
        return response


@lru_cache(maxsize=8)
def policy(*payment_pages: str) -> str:
    targets = " ".join(("'self'", *payment_pages))
    return (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        f"form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
    )


def payment_origins() -> list[str]:
    """Origins of the payment pages this shop may send a browser to."""
    api, skrill = _origin(settings.TROTH.paypal.base_url), _origin(settings.TROTH.skrill.pay_url)
    # A look-alike's page may have another port than its API. Live shops have none on this machine (config_sense.py).
    here = _HERE if any(is_loopback(urlsplit(url).hostname or "") for url in (api, skrill)) else ()
    return sorted({_PAYPAL_PAGES.get(api, api), skrill, *here})


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
