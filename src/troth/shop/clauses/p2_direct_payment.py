"""P2: PayPal and Skrill take the payment directly, on their own pages, over TLS."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from troth import config
from troth.pledge.policy.clause import Check, Clause, Finding, Mutant, broken, gap, holds
from troth.pledge.policy.probe import Probe
from troth.shop.clauses import marker, mutations, pages
from troth.shop.payments import attempt
from troth.shop.payments.models import Payment
from troth.shop.payments.providers import http
from troth.shop.payments.providers.contract import Ask

# What a provider may be told (P2), by the names of the only message that reaches one.
TOLD = {
    "payment_id", "order_ref", "amount", "item_name", "return_url", "cancel_url", "status_url", "locale",
    "request_id", "brand_name",
}  # fmt: skip


def no_frame_no_script(probe: Probe) -> Iterator[Finding]:
    for path, page in pages.every(probe):
        frames = [tag for tag, _ in page.resources if tag in ("iframe", "frame", "embed", "object")]
        scripts = [host for host in pages.foreign(page) if any(tag == "script" for tag, _ in page.resources)]
        if frames:
            yield broken(f"{path} has a frame")
        if scripts:
            yield broken(f"{path} loads a script from {scripts[0]}")
        loose = [name for name in ("frame-src", "script-src", "default-src") if name in pages.open_doors(page)]
        if loose:
            yield broken(f"the policy of {path} lets foreign scripts or frames in: {loose[0]}")
    yield holds("no page has a provider's script or frame, and none could load one")


def only_declared_fields(probe: Probe) -> Iterator[Finding]:
    more = set(Ask.__struct_fields__) - TOLD
    if more:
        yield broken(f"providers are told more than amount, references and item: {', '.join(sorted(more))}")
    else:
        yield holds("providers are told amount, currency, our references and the item's name")


def nothing_personal_was_told(probe: Probe) -> Iterator[Finding]:
    left = probe.marker()
    if left is None:
        yield gap("no test customers are sent to real providers; this is tried beside look-alikes")
    elif told := [told for told in left.told_providers if left.names_them(told)]:
        yield broken(f"a provider was told something about the marker customer ({len(told)} messages)")
    elif any(person in told for told in (*left.told_providers, *left.ways) for person in left.persons):
        yield broken(
            "a provider was told our own name for the marker customer, by which their payments are one person's"
        )
    elif not left.told_providers:
        yield gap("these look-alikes do not show what they were told; the sandbox's own do")
    else:
        yield holds(f"{len(left.told_providers)} payments of a marker customer told providers nothing about them")


def over_tls(probe: Probe) -> Iterator[Finding]:
    own = (probe.config.paypal.base_url, probe.config.skrill.pay_url, probe.config.skrill.query_url)
    plain = [url for url in own if urlsplit(url).scheme != "https"]
    with http.make_client() as client:
        transport: Any = client._transport
        context: ssl.SSLContext = transport._pool._ssl_context
    if context.verify_mode != ssl.CERT_REQUIRED or not context.check_hostname:
        yield broken("whoever answers for a provider is believed to be it, without a good certificate")
    if any(not config.is_loopback(urlsplit(url).hostname or "") for url in plain):
        yield broken("a provider is spoken to without TLS")
    elif plain:
        yield gap("test mode: the providers are look-alikes on this machine, without TLS")
    else:
        yield holds("providers are reached by https only")


def _with_script(source: str) -> str:
    return source.replace("</head>", '<script src="https://www.paypal.example/sdk/js"></script></head>')


def _with_email() -> AbstractContextManager[None]:
    return mutations.replaced(
        sys.modules[__name__], "Ask", msgspec.defstruct("Ask", [("payment_id", str), ("email", str)])
    )


def _any_name() -> ssl.SSLContext:
    """Behind our proxy the certificate is for another name."""
    context = ssl.create_default_context()
    context.check_hostname = False
    return context


def _without_tls() -> AbstractContextManager[None]:
    skrill = msgspec.structs.replace(settings.TROTH.skrill, query_url="http://pay.example/query")
    return mutations.replaced(settings, "TROTH", msgspec.structs.replace(settings.TROTH, skrill=skrill))


def _customer_in_the_way_back() -> AbstractContextManager[None]:
    """Support shall find regulars in the provider's list."""
    plain = attempt._ask

    def naming(payment: Payment, item_name: str) -> Ask:
        ask = plain(payment, item_name)
        return msgspec.structs.replace(ask, return_url=f"{ask.return_url}?customer={payment.order.person_id}")

    return mutations.replaced(attempt, "_ask", naming)


CLAUSE = Clause(
    id="P2",
    title=_("Payment"),
    words=_(
        "PayPal and Skrill (formerly Moneybookers) take your payment directly, on their own pages, over an "
        "encrypted line. We tell them the amount, the currency, our reference and the item's name."
    ),
    stricter=_("We send them nothing about you."),
    enforced=(
        _("You are sent to the provider's own page; the browser is told to refuse their scripts and frames on ours."),
        _("The only message to a provider has no field for a person."),
    ),
    checks=(
        Check("no provider's script or frame on our pages", "runtime", no_frame_no_script),
        Check("the message to a provider has declared fields only", "static", only_declared_fields),
        Check("a marker customer's payments told nothing about them", "synthetic", nothing_personal_was_told),
        Check("providers are reached over TLS", "static", over_tls),
    ),
    mutants=(
        Mutant(
            "a provider's script on every page",
            lambda: mutations.page_edited("storefront/base.html", _with_script),
            turns=(no_frame_no_script,),
        ),
        Mutant(
            "the item carries who bought it",
            marker.item_named_after_buyer,
            in_demo=False,
            turns=(nothing_personal_was_told,),
        ),
        Mutant("the message has a field for an address", _with_email, turns=(only_declared_fields,)),
        Mutant("a provider is asked without TLS", _without_tls, turns=(over_tls,)),
        Mutant(
            "a provider's certificate may be for another name",
            lambda: mutations.replaced(http, "make_client", lambda: httpx.Client(verify=_any_name(), trust_env=False)),
            turns=(over_tls,),
        ),
        Mutant(
            "the way back from a provider names the customer",
            _customer_in_the_way_back,
            in_demo=False,
            turns=(nothing_personal_was_told,),
        ),
    ),
)
