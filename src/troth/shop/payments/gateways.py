"""The payment providers that this shop uses, made once a process from its settings."""

from __future__ import annotations

from functools import cache

import httpx
import msgspec
from django.conf import settings

from troth.config import Config
from troth.shop.payments.providers.contract import Provider
from troth.shop.payments.providers.http import make_client
from troth.shop.payments.providers.paypal.client import PayPal
from troth.shop.payments.providers.paypal.settings import PayPalSettings
from troth.shop.payments.providers.skrill.client import Skrill
from troth.shop.payments.providers.skrill.settings import SkrillSettings

NAMES = {"paypal": "PayPal", "skrill": "Skrill"}


@cache
def _client() -> httpx.Client:
    config: Config = settings.TROTH
    return make_client(config.paypal.ca_file or None)


@cache
def _all() -> dict[str, Provider]:
    config: Config = settings.TROTH
    providers: list[Provider] = []
    if config.paypal.client_id:
        values = msgspec.structs.asdict(config.paypal)
        values["cert_url_prefix"] = config.paypal.cert_url_prefix or _certificates(config.paypal.base_url)
        providers.append(PayPal(PayPalSettings(**{**values, "ca_file": config.paypal.ca_file or None}), _client()))
    if config.skrill.merchant_id:
        providers.append(Skrill(SkrillSettings(**msgspec.structs.asdict(config.skrill)), _client()))
    return {provider.name: provider for provider in providers}


def _certificates(base_url: str) -> str:
    """Where PayPal keeps the certificates that sign webhooks; its sandbox has a host of its own."""
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
    _all.cache_clear()
    if _client.cache_info().currsize:
        _client().close()
    _client.cache_clear()
