"""Money back at Skrill: prepared in one step, done in a second. The prepared session is what makes a repeat act once.

Source: docs.paysafe.com, digital wallets: "Refunds" and its error messages. Two traps: an `<error>` may stand beside
status 2, so only an answer without one says "done"; and a part's amount is in the account's own currency.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal
from urllib.parse import urlencode
from xml.etree import ElementTree

import httpx

from troth.shop.money import Money
from troth.shop.payments.providers import parse
from troth.shop.payments.providers.contract import (
    Back,
    ProviderDown,
    ProviderRefused,
    RefundAsk,
    Returned,
    SessionOver,
)
from troth.shop.payments.providers.http import Answer, send
from troth.shop.payments.providers.skrill.settings import SkrillSettings
from troth.shop.payments.providers.skrill.signature import mqi_password

STATES = {"2": Back.DONE, "0": Back.PENDING, "-2": Back.FAILED}
# A definite no. Whatever else Skrill says is asked again: after a look at the history, for it may have acted.
NEVER = {"INVALID_AMOUNT", "SINGLE_TRN_LIMIT_VIOLATED", "DISALLOWED_RECIPIENT", "CC_REFUND_FAILED", "PAYMENT_DENIED"}
_SID = re.compile(r"[0-9A-Za-z_-]{16,100}")
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def prepare(http: httpx.Client, settings: SkrillSettings, ask: RefundAsk) -> str:
    """The session of a refund, to be kept before `act`. Moves no money."""
    fields = {"action": "prepare", "mb_transaction_id": ask.capture_ref, "transaction_id": ask.payment_id}
    if not ask.whole or not _converted(ask):  # without an amount Skrill gives what is left, which may be another sum
        fields["amount"] = _part(ask)
    if ask.status_url:
        fields["refund_status_url"] = ask.status_url
    read = _call(http, settings, fields)
    if code := _error(read):
        # "Already refunded" tells nothing of which refund: the history does.
        raise ProviderRefused(code) if code in NEVER else ProviderDown(code)
    sid = (read.findtext("sid") or "").strip()
    if not _SID.fullmatch(sid):
        raise ProviderDown("answer")
    return sid


def act(http: httpx.Client, settings: SkrillSettings, ask: RefundAsk, session: str) -> Returned:
    read = _call(http, settings, {"action": "refund", "sid": session})
    if code := _error(read):
        if code == "SESSION_EXPIRED":
            raise SessionOver(code)
        raise ProviderRefused(code) if code in NEVER else ProviderDown(code)
    state = STATES.get((read.findtext("status") or "").strip())
    if state is None:
        raise ProviderDown("answer")
    ref = parse.code((read.findtext("mb_transaction_id") or "").strip())
    amount = parse.money((read.findtext("mb_amount") or "").strip(), (read.findtext("mb_currency") or "").strip())
    # Whether Skrill names a refund anew or by the payment's own number is not documented.
    return Returned("" if ref == ask.capture_ref else ref, amount, state, ask.refund_id, ask.capture_ref)


def _converted(ask: RefundAsk) -> bool:
    return ask.received is not None and ask.received.currency != ask.of.currency


def _part(ask: RefundAsk) -> str:
    """The amount in the account's currency: a part as large as it is of the order's amount."""
    if not _converted(ask):
        return f"{ask.amount.decimal():f}"
    assert ask.received is not None
    share = Decimal(ask.received.minor) * ask.amount.minor / ask.of.minor
    return f"{Money(int(share.to_integral_value(ROUND_HALF_EVEN)), ask.received.currency).decimal():f}"


def _call(http: httpx.Client, settings: SkrillSettings, fields: dict[str, str]) -> ElementTree.Element:
    told = {"email": settings.pay_to_email, "password": mqi_password(settings.mqi_password), **fields}
    answer = send(http, "POST", settings.refund_url, headers=_FORM, content=urlencode(told).encode(), largest=64 * 1024)
    return _xml(answer)


def _xml(answer: Answer) -> ElementTree.Element:
    """A small document without a DTD: nothing in it can point elsewhere or grow."""
    if answer.status != 200 or b"<!" in answer.body:
        raise ProviderDown(f"http_{answer.status}" if answer.status != 200 else "answer")
    try:
        read = ElementTree.fromstring(answer.body)  # noqa: S314
    except ElementTree.ParseError:
        raise ProviderDown("answer") from None
    if read.tag != "response":
        raise ProviderDown("answer")
    return read


def _error(read: ElementTree.Element) -> str:
    """The code of an error, wherever in the answer it stands; "" where there is none."""
    found = read.find(".//error")
    if found is None:
        return ""
    return parse.code((found.findtext("error_msg") or found.text or "").strip())[:40] or "error"
