"""What `troth doctor` asks of the payment providers, and of the way that they take to us. No money moves."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from troth.config import Config
from troth.faces.cli.examinations import Seen

TIMEOUT = 5.0  # seconds


def accounts(config: Config) -> Iterator[Seen]:
    """Credentials, webhook and rights, as the providers themselves see them."""
    from troth.shop.payments.gateways import Gateways

    try:
        gateways = Gateways(config)
    except (ValueError, OSError) as error:
        yield Seen("wrong", f"A provider cannot be set up: {str(error).rstrip('.')}.", "Mend that setting.")
        return
    site = config.web.public_url.rstrip("/")
    try:
        for provider in gateways.by_name.values():
            for right, sentence, mend in provider.examine(f"{site}/hooks/{provider.name}"):
                yield Seen("ok" if right else "wrong", sentence, mend)
        yield from _way_here(site, list(gateways.by_name))
    finally:
        gateways.http.close()


def _way_here(site: str, names: list[str]) -> Iterator[Seen]:
    """Whether the providers' messages can come in. Asked from this machine: a wall around it is not seen so."""
    import httpx

    for name in names:
        url = f"{site}/hooks/{name}"
        try:
            status = httpx.get(url, timeout=TIMEOUT, trust_env=False, verify=ssl.create_default_context()).status_code
        except httpx.ConnectError as error:
            if "CERTIFICATE" in str(error).upper():
                mend = "Renew the certificate of [web] public_url; providers refuse to send to it as it is."
                yield Seen("wrong", "The shop's certificate is not trusted.", mend)
            else:
                yield Seen("note", f"{site} does not answer.", "Start the shop; check [web] public_url and the proxy.")
            return
        except httpx.HTTPError:
            yield Seen("note", f"{site} does not answer in time.", "Check [web] public_url and the proxy.")
            return
        if status != 405:  # a look where only messages are taken
            mend = f"Let the proxy pass {url} on to the shop as it comes."
            yield Seen("wrong", f"{NAMES[name]}'s messages do not reach the shop.", mend)
            return
    if names:
        yield Seen("ok", "The way for the providers' messages is open, seen from this machine.")


NAMES = {"paypal": "PayPal", "skrill": "Skrill"}
