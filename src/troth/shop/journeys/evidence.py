"""Evidence for a dispute, without a person in it: times, counts, hashes, and the provider's own references.

The provider knows who paid; what it does not know is that the goods arrived and were used, and what was agreed to.
Made from the rows as they are now; nothing is opened for it.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.pledge.vault.models import Seen
from troth.shop.catalogue.models import Release
from troth.shop.delivery.models import Grant, Letter
from troth.shop.fraud.models import Hold
from troth.shop.invoices.models import Invoice
from troth.shop.licences.models import Activation, Licence
from troth.shop.orders.models import Order
from troth.shop.payments.models import Dispute, Payment
from troth.shop.refusal import Refused
from troth.shop.withdrawals.models import Waiver

FORM = "troth evidence 1"


def pack(ref: str) -> str:
    """The document, as JSON. Refused for an order that does not exist, or that nobody paid."""
    order = Order.found(ref)
    if order is None or order.paid_at is None:
        raise Refused(_("There is no paid order of this number; it looks like ord_…"))
    waiver, hold = Waiver.objects.filter(pk=ref).first(), Hold.objects.filter(pk=ref).first()
    told = {
        "form": FORM,
        "made_at": _time(clock.now()),
        "shop": settings.TROTH.web.public_url,
        "order": {
            "number": ref,
            "ordered_at": _time(order.made_at),
            "paid_at": _time(order.paid_at),
            "total": f"{order.total.decimal()} {order.currency}",
            "billing_country": order.country,
            "terms_version": order.terms_version,
            "policy_version": order.policy_version,
            "asked_for_delivery_at_once_at": _time(waiver.given_at) if waiver else None,
            "looked_at_before_payment": hold is not None,
        },
        "payments": [_payment(one, order.country) for one in order.payments.order_by("made_at")],
        "delivery": _delivery(ref),
        "licences": _licences(ref),
        "invoices": list(Invoice.objects.filter(order=ref).order_by("issued_at").values("number", "digest")),
        "ledger_checkpoint": Seen.objects.values_list("checkpoint", flat=True).first() or "",
    }
    return json.dumps(told, indent=2, ensure_ascii=False)


def _payment(one: Payment, country: str) -> dict[str, Any]:
    cases = [
        {"case": case.provider_ref, "state": case.state, "reason": case.reason, "opened_at": _time(case.opened_at)}
        for case in Dispute.objects.filter(payment=one).order_by("opened_at")
    ]
    return {
        "provider": one.provider,
        "our_reference": one.id,
        "their_reference": one.provider_ref,
        "their_capture": one.capture_ref,
        "state": one.state,
        "amount": f"{one.amount.decimal()} {one.currency}",
        "settled_at": _time(one.settled_at),
        "payer_country_is_billing_country": one.payer_country == country if one.payer_country else None,
        "disputes": cases,
    }


def _delivery(ref: str) -> dict[str, Any]:
    letter = Letter.objects.filter(order=ref, kind="deliver").first()
    grants = Grant.objects.filter(line__order=ref).select_related("product").order_by("made_at")
    return {
        "letter_taken_by_the_mail_relay_at": _time(letter.sent_at) if letter else None,
        "downloads": [
            {
                "product": grant.product_id,
                "opened_at": _time(grant.made_at),
                "times_downloaded": grant.used,
                "files": list(
                    Release.objects.filter(product=grant.product_id).order_by("pk").values("version", "sha256", "size")
                ),
            }
            for grant in grants
        ],
    }


def _licences(ref: str) -> list[dict[str, Any]]:
    return [
        {
            "licence": one.id,
            "issued_at": _time(one.issued_at),
            "revoked_at": _time(one.revoked_at),
            "activated_at": [_time(at) for at in _activations(one)],
        }
        for one in Licence.objects.filter(line__order=ref).order_by("issued_at")
    ]


def _activations(one: Licence) -> list[datetime]:
    return list(Activation.objects.filter(licence=one).order_by("activated_at").values_list("activated_at", flat=True))


def _time(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
