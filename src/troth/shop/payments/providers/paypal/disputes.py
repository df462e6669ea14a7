"""PayPal's disputes, read. Source: PayPal's OpenAPI file customer_disputes_v1."""

from __future__ import annotations

import re
from datetime import datetime

from troth.shop.payments.providers.contract import Case, DisputeSight, ProviderDown, ProviderRefused
from troth.shop.payments.providers.parse import at, code, money
from troth.shop.payments.providers.paypal.api import Api

# How a resolved dispute ended. One that PayPal or the buyer let go of leaves the money with us.
OUTCOMES = {
    "RESOLVED_SELLER_FAVOUR": Case.WON,
    "CANCELED_BY_BUYER": Case.WON,
    "DENIED": Case.WON,
    "RESOLVED_WITH_PAYOUT": Case.WON,  # PayPal paid the buyer out of its own pocket
    "RESOLVED_BUYER_FAVOUR": Case.LOST,
    "ACCEPTED": Case.LOST,
}
_ID = re.compile(r"[A-Za-z0-9-]{1,60}")


def look(api: Api, ref: str) -> DisputeSight:
    if not _ID.fullmatch(ref):
        raise ProviderRefused("bad_reference")
    reply = api.get(f"/v1/customer/disputes/{ref}")
    if reply.status == 404:
        raise ProviderRefused(reply.issue)
    if reply.issue:
        raise ProviderDown(reply.issue[:40])
    body = reply.body
    if at(body, "dispute_id") != ref:
        raise ProviderDown("answer")
    outcome = code(at(body, "dispute_outcome", "outcome_code"))
    over = code(at(body, "status")) == "RESOLVED"
    return DisputeSight(
        ref=ref,
        # An outcome that we have no word for keeps the case open: a person looks at it.
        state=OUTCOMES.get(outcome, Case.OPEN) if over else Case.OPEN,
        capture_ref=code(at(body, "disputed_transactions", 0, "seller_transaction_id")),
        amount=money(at(body, "dispute_amount", "value"), at(body, "dispute_amount", "currency_code")),
        stage=code(at(body, "dispute_life_cycle_stage")),
        reason=code(at(body, "reason")),
        outcome=outcome,
        answer_by=_time(at(body, "seller_response_due_date")),
    )


def _time(text: object) -> datetime | None:
    try:
        when = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return when if when is not None and when.tzinfo is not None else None
