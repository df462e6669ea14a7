"""PayPal's own books: the transaction search, page by page.

Source: PayPal's OpenAPI file reporting_transactions_v1: 31 days at most in one question, 500 entries on a page, and up
to three hours late. The app needs the right "Transaction search".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from troth.shop.payments.providers.contract import Entry, ProviderDown, ProviderRefused
from troth.shop.payments.providers.parse import at, code, money
from troth.shop.payments.providers.paypal.api import Api

LONGEST = timedelta(days=30)
PAGE = 500
MOST_PAGES = 1000
# T0006: a checkout payment; T1107: a refund; T1106: a reversal; T12xx: charge-backs and the like. The rest (fees,
# transfers to a bank, subscriptions) are none of the shop's orders.
OURS = ("T0006", "T1107", "T1106", "T1201")


def books(api: Api, begin: datetime, end: datetime) -> Iterator[Entry]:
    while begin < end:
        until = min(begin + LONGEST, end)
        yield from _span(api, begin, until)
        begin = until


def _span(api: Api, begin: datetime, end: datetime) -> Iterator[Entry]:
    for page in range(1, MOST_PAGES + 1):
        asked = {
            "start_date": _text(begin),
            "end_date": _text(end),
            "fields": "transaction_info",  # never payer_info: who paid is none of our business here (P13)
            "page_size": str(PAGE),
            "page": str(page),
        }
        reply = api.get(f"/v1/reporting/transactions?{urlencode(asked)}")
        if reply.status == 403:
            raise ProviderRefused("transaction_search_not_allowed")
        listed = reply.body.get("transaction_details")
        if reply.issue or not isinstance(listed, list):
            raise ProviderDown(reply.issue[:40] or "answer")
        for one in listed:
            if (entry := _entry(at(one, "transaction_info"))) is not None:
                yield entry
        pages = reply.body.get("total_pages")
        if not isinstance(pages, int) or page >= pages:
            return


def _entry(info: object) -> Entry | None:
    kind, status = code(at(info, "transaction_event_code")), code(at(info, "transaction_status"))
    value, currency = at(info, "transaction_amount", "value"), at(info, "transaction_amount", "currency_code")
    amount = money(value, currency)
    if kind not in OURS or status not in ("S", "P") or amount is None:
        return None
    back = amount.minor < 0
    if not back and kind != "T0006":
        return None  # what was taken comes back: the dispute tells of it
    return Entry(
        ref=code(at(info, "transaction_id")),
        amount=amount * -1 if back else amount,
        back=back,
        final=status == "S",
        payment_id=code(at(info, "custom_field")),
        about=code(at(info, "paypal_reference_id")) if back else "",
        reversal=kind in ("T1106", "T1201"),
    )


def _text(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
