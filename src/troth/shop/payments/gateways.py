"""The payment providers that this shop uses, made once a process from its settings."""

from __future__ import annotations

import threading

import msgspec
from django.conf import settings

from troth.config import Config
from troth.shop.payments.providers.contract import Provider
from troth.shop.payments.providers.http import is_loopback, make_client
from troth.shop.payments.providers.paypal.client import PayPal
from troth.shop.payments.providers.paypal.settings import PayPalSettings
from troth.shop.payments.providers.skrill.client import Skrill
from troth.shop.payments.providers.skrill.settings import SkrillSettings

TRANSFER = "transfer"  # money that came past all providers, to the shop's bank account
NAMES = {"paypal": "PayPal", "skrill": "Skrill", TRANSFER: "Bank transfer"}


class Gateways:
    """One long-lived HTTP client, and the providers that speak through it."""

    def __init__(self, config: Config) -> None:
        ca_file = str(config.home / config.paypal.ca_file) if config.paypal.ca_file else None
        self.http = make_client(ca_file)
        providers: list[Provider] = []
        if config.paypal.client_id:
            values = msgspec.structs.asdict(config.paypal)
            values["cert_url_prefix"] = config.paypal.cert_url_prefix or _certificates(config.paypal.base_url)
            providers.append(PayPal(PayPalSettings(**{**values, "ca_file": ca_file}), self.http))
        if config.skrill.merchant_id:
            providers.append(Skrill(SkrillSettings(**msgspec.structs.asdict(config.skrill)), self.http))
        self.by_name = {provider.name: provider for provider in providers}


_made: Gateways | None = None
_making = threading.Lock()


def _all() -> dict[str, Provider]:
    """Threads that come first at the same time wait for one another: there is one client, not one each."""
    global _made
    if _made is None:
        with _making:
            if _made is None:
                _made = Gateways(settings.TROTH)
    return _made.by_name


def _certificates(base_url: str) -> str:
    """Where PayPal keeps the certificates that sign webhooks: its sandbox has its own host, and so has a look-alike."""
    if is_loopback(base_url):
        return f"{base_url.rstrip('/')}/v1/notifications/certs/"
    host = "api.sandbox.paypal.com" if "sandbox" in base_url else "api.paypal.com"
    return f"https://{host}/v1/notifications/certs/"


def offered() -> list[str]:
    """The names of the providers that are set up, in the order in which buyers see them."""
    return list(_all())


def provider(name: str) -> Provider:
    """KeyError for one that is not set up."""
    return _all()[name]


def forget() -> None:
    """Read the settings again: for tests that move a provider."""
    global _made
    with _making:
        if _made is not None:
            _made.http.close()
        _made = None
