"""PayPal's webhooks: is it PayPal's, and what of it do we keep.

The signature covers `transmission id | time | webhook id | CRC-32 of the raw body` (RSA PKCS#1 v1.5, SHA-256). The
webhook id is ours from the settings: one taken from the message would let another merchant's event pass.

A CRC is no hash: whoever may alter a body can keep its CRC. So what a webhook says is a reason to look at PayPal
over TLS, and money is believed from that look; see `Message`.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from troth.shop.payments.providers import parse
from troth.shop.payments.providers.contract import Forged, Message, ProviderDown, Sight, State
from troth.shop.payments.providers.parse import at, code
from troth.shop.payments.providers.paypal import sight
from troth.shop.payments.providers.paypal.api import Api
from troth.shop.payments.providers.paypal.certificates import Certificates

_SHAPES = {
    "paypal-transmission-id": re.compile(r"[A-Za-z0-9-]{1,100}"),
    "paypal-transmission-time": re.compile(r"[0-9TZ:.+-]{1,40}"),
    "paypal-transmission-sig": re.compile(r"[A-Za-z0-9+/]{1,1400}={0,2}"),
    "paypal-cert-url": re.compile(r"[!-~]{1,500}"),
    "paypal-auth-algo": re.compile(r"SHA256withRSA"),
    "paypal-auth-version": re.compile(r"(v2)?"),  # not among the headers that PayPal documents; never another one
}
_REFUNDS = {
    "PAYMENT.CAPTURE.REFUNDED": State.REFUNDED,
    "PAYMENT.CAPTURE.REVERSED": State.REVERSED,
    "PAYMENT.REFUND.PENDING": State.UNKNOWN,
    "PAYMENT.REFUND.FAILED": State.UNKNOWN,
}
_CAPTURES = {f"PAYMENT.CAPTURE.{end}" for end in ("COMPLETED", "PENDING", "DENIED", "DECLINED")}
# What is stored of a message, by its place in the event. Everything else, and all about a person, is cut off here.
_KEPT: dict[str, tuple[str | int, ...]] = {
    "create_time": ("create_time",),
    "resource_type": ("resource_type",),
    "resource_id": ("resource", "id"),
    "status": ("resource", "status"),
    "value": ("resource", "amount", "value"),
    "currency": ("resource", "amount", "currency_code"),
    "refunded_in_all": ("resource", "seller_payable_breakdown", "total_refunded_amount", "value"),
    "invoice_id": ("resource", "invoice_id"),
    "dispute_id": ("resource", "dispute_id"),
    "dispute_capture": ("resource", "disputed_transactions", 0, "seller_transaction_id"),
    "dispute_stage": ("resource", "dispute_life_cycle_stage"),
    "dispute_reason": ("resource", "reason"),
    "dispute_outcome": ("resource", "dispute_outcome", "outcome_code"),
    "dispute_value": ("resource", "dispute_amount", "value"),
    "dispute_currency": ("resource", "dispute_amount", "currency_code"),
}


def verify(headers: Mapping[str, str], body: bytes, webhook_id: str, certificates: Certificates) -> None:
    """Raise Forged unless PayPal signed exactly these bytes for our webhook."""
    if len(body) > parse.LARGEST_MESSAGE:
        raise Forged("too_large")
    given = _headers(headers)
    try:
        signature = base64.b64decode(given["paypal-transmission-sig"], validate=True)
    except ValueError:
        raise Forged("header_paypal-transmission-sig") from None
    if base64.b64encode(signature).decode() != given["paypal-transmission-sig"]:
        raise Forged("header_paypal-transmission-sig")  # one spelling for one signature
    signed = "|".join(
        (given["paypal-transmission-id"], given["paypal-transmission-time"], webhook_id, str(zlib.crc32(body)))
    )
    key = certificates.key(given["paypal-cert-url"])
    try:
        key.verify(signature, signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise Forged("signature") from None


def verify_online(headers: Mapping[str, str], body: bytes, webhook_id: str, api: Api) -> None:
    """Raise Forged unless PayPal says that it signed this.

    The raw event is spliced into the question: PayPal computes the CRC anew, and a number written another way would
    not verify. Source: developer.paypal.com, "Webhooks: REST".
    """
    given = _headers(headers)
    parse_only_once(body)
    told = {
        "auth_algo": given["paypal-auth-algo"],
        "cert_url": given["paypal-cert-url"],
        "transmission_id": given["paypal-transmission-id"],
        "transmission_sig": given["paypal-transmission-sig"],
        "transmission_time": given["paypal-transmission-time"],
        "webhook_id": webhook_id,
    }
    reply = api.verify(json.dumps(told).encode()[:-1] + b', "webhook_event": ' + body + b"}")
    answer = reply.body.get("verification_status")
    if reply.issue or answer not in ("SUCCESS", "FAILURE"):
        raise ProviderDown(reply.issue[:40] or "answer")
    if answer != "SUCCESS":
        raise Forged("signature")


def parse_only_once(body: bytes) -> None:
    """The body must be one JSON object by itself, or it could end the question early and begin another."""
    try:
        parse.json_object(body)
    except ValueError:
        raise Forged("json") from None


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    lower = {name.lower(): value for name, value in headers.items()}
    for name, shape in _SHAPES.items():
        if not shape.fullmatch(lower.get(name, "")):
            raise Forged(f"header_{name}")
    return {name: lower.get(name, "") for name in _SHAPES}


def read(body: bytes) -> Message:
    """Cut a verified event down to what is declared above. Raises Forged where it is no event."""
    try:
        event = parse.json_object(body)
    except ValueError:
        raise Forged("json") from None
    event_id, kind = code(event.get("id")), code(event.get("event_type"))
    if not event_id or not kind:
        raise Forged("event")
    seen = _sight(kind, event.get("resource"))
    kept = {name: code(at(event, *place)) for name, place in _KEPT.items()}
    return Message(
        event_id=event_id,
        kind=kind,
        provider_ref=seen.provider_ref if seen else "",
        payment_id=seen.payment_id if seen else "",
        sight=seen,
        kept={name: value for name, value in kept.items() if value},
        refund_ref=kept["resource_id"] if kind in _REFUNDS else "",
        dispute_ref=kept["dispute_id"] if kind.startswith("CUSTOMER.DISPUTE.") else "",
        capture_ref=(seen.capture_ref if seen else "") or kept["dispute_capture"],
    )


def _sight(kind: str, resource: object) -> Sight | None:
    if kind in ("CHECKOUT.ORDER.APPROVED", "CHECKOUT.ORDER.COMPLETED"):
        return sight.of_order(resource)
    if kind in _CAPTURES:
        return sight.of_capture(resource)
    if kind in _REFUNDS:
        return sight.of_refund(resource, _REFUNDS[kind])
    if kind == "CHECKOUT.PAYMENT-APPROVAL.REVERSED":
        ref = code(at(resource, "order_id")) or code(at(resource, "id"))
        ours = code(at(resource, "purchase_units", 0, "custom_id"))
        return Sight(State.CANCELLED, ref, ours, None, "", "", "approval_reversed")
    return None
