"""A look-alike of Skrill Quick Checkout: sessions, the buyer's page, status posts, the query interface; in memory.

Source: docs.paysafe.com, digital wallets: Quick Checkout and "Merchant Query Interface". Written apart from the
shop's client on purpose: two readings of one protocol that agree are worth more than one used twice.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlencode

import msgspec

from troth.sandbox import pages
from troth.sandbox.courier import Courier, Post, is_local
from troth.sandbox.server import Answer, Faults, Request, Route, html_answer, json_answer, redirect, with_query
from troth.sandbox.skrill_money import AfterPayment, Movement

SESSION_LIFE = 15 * 60  # seconds
CURRENCIES = (
    "EUR USD GBP HKD SGD JPY CAD AUD CHF DKK SEK NOK ILS MYR NZD TRY AED MAD QAR SAR TWD THB CZK HUF BGN PLN ISK INR "
    "KRW ZAR RON HRK JOD OMR RSD TND MXN BRL PHP"
)
LENGTHS = {
    "pay_to_email": 50,
    "recipient_description": 30,
    "transaction_id": 100,
    "return_url": 240,
    "cancel_url": 240,
    "status_url": 400,
    "amount": 19,
    "currency": 3,
    "detail1_description": 240,
    "detail1_text": 240,
}
BUYER = {  # what real posts tell about people, of an invented one
    "pay_from_email": "sandbox.buyer@personal.example",
    "customer_id": "99001122",
    "firstname": "Sandbox",
    "lastname": "Buyer",
}
OUTCOMES = {"pay": "2", "pend": "0", "decline": "-2"}


class SkrillMerchant(msgspec.Struct):
    """The shop's account at the look-alike. Its secrets are new with every start.

    `wallet_rate`, where set, puts the wallet into `wallet_currency` at this rate: `mb_amount` then differs from
    `amount`. `secure_return` adds `transaction_id` and `msid` to the return address.
    """

    merchant_id: str = "58010203"
    pay_to_email: str = "shop@merchant.example"
    secret_word: str = ""
    mqi_password: str = ""
    wallet_currency: str = ""
    wallet_rate: str = "1"
    secure_return: bool = True

    def __post_init__(self) -> None:
        self.secret_word = self.secret_word or secrets.token_hex(5)
        self.mqi_password = self.mqi_password or secrets.token_hex(10)


class Session(msgspec.Struct):
    """A prepared session, and what has become of its payment. `status` is "" until something happened."""

    sid: str
    fields: dict[str, str]
    ends: float
    status: str = ""
    mb_transaction_id: str = ""
    failed_reason_code: str = ""
    made: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC))
    movements: list[Movement] = []


class SandboxSkrill:
    """The provider's side. `sessions` are its books, by SID; the verbs below `routes` are the controls."""

    def __init__(self, merchant: SkrillMerchant, faults: Faults, clock: Callable[[], float] = time.monotonic) -> None:
        self.merchant = merchant
        self.faults = faults
        self.base = ""
        self.courier = Courier(done=lambda status: status == 200)
        self.sessions: dict[str, Session] = {}
        self.clock = clock
        self.lock = threading.RLock()
        self.money = AfterPayment(self)
        self._refusals: list[str] = []

    def routes(self) -> list[Route]:
        return [
            ("POST", r"/skrill/pay", self._pay),
            ("GET", r"/skrill/pay", self._page),
            ("POST", r"/skrill/app/query\.pl", self._query),
            ("POST", r"/skrill/app/refund\.pl", self.money.refund),
        ]

    # Controls

    def reset(self) -> None:
        self.courier.clear()
        with self.lock:
            self.sessions.clear()
            self._refusals.clear()
            self.money.reset()

    def refuse_next(self, message: str) -> None:
        """Refuse the next session that the shop prepares, in these words."""
        self._refusals.append(message)

    def pay(self, sid: str, outcome: str = "pay") -> str:
        """Do what the buyer's buttons do: "pay", "pend", "decline" or "cancel"; the address the browser goes to next.

        A declined buyer stays on the page and may try again, hence "".
        """
        with self.lock:
            session = self.sessions[sid]
            if outcome == "cancel":
                return session.fields["cancel_url"]
            if session.status not in ("2", "0"):
                self.becomes(sid, OUTCOMES[outcome])
            return "" if session.status == "-2" else self._return_address(session)

    def becomes(self, sid: str, status: str) -> Post:
        """Put a payment into any state ("2", "0", "-1", "-2", "-3") and post it to the shop."""
        with self.lock:
            session = self.sessions[sid]
            if status == "-3":
                self.money.charged_back(session)
            session.status = status
            session.failed_reason_code = "05" if status == "-2" else ""
            session.mb_transaction_id = session.mb_transaction_id or str(2_000_000_000 + secrets.randbelow(10**9))
            return self.post(session)

    def post(self, session: Session, changed: dict[str, str] | None = None) -> Post:
        """Post a payment's status, signed. `changed` fields are changed *before* signing."""
        body = urlencode(self.status_fields(session, changed)).encode()
        url = session.fields.get("status_url", "")
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.courier.post(f"status.{session.status}", url if is_local(url) else "", headers, body)

    def find(self, transaction_id: str) -> Session | None:
        """The session of this transaction that something happened to; the last one where there are several."""
        with self.lock:
            known = [one for one in self.sessions.values() if one.fields["transaction_id"] == transaction_id]
        return next((one for one in reversed(known) if one.status), None)

    def status_fields(self, session: Session, changed: dict[str, str] | None = None) -> dict[str, str]:
        """What a status post says, with its md5sig."""
        currency = self.merchant.wallet_currency or session.fields["currency"]
        amount = Decimal(session.fields["amount"])
        if currency != session.fields["currency"]:
            amount *= Decimal(self.merchant.wallet_rate)
        fields = BUYER | {
            "pay_to_email": self.merchant.pay_to_email,
            "merchant_id": self.merchant.merchant_id,
            "transaction_id": session.fields["transaction_id"],
            "mb_transaction_id": session.mb_transaction_id,
            "mb_amount": _plain(amount),
            "mb_currency": currency,
            "status": session.status,
            "amount": session.fields["amount"],
            "currency": session.fields["currency"],
            "payment_type": "WLT",
            "payment_instrument_country": "DEU",
            "IP_country": "DE",
        }
        if session.failed_reason_code:
            fields["failed_reason_code"] = session.failed_reason_code
        fields |= changed or {}
        signed = "".join(fields[name] for name in ("mb_amount", "mb_currency", "status"))
        start = fields["merchant_id"] + fields["transaction_id"]
        return fields | {"md5sig": _md5(start + _md5(self.merchant.secret_word).upper() + signed).upper()}

    # What the shop calls

    def _pay(self, request: Request) -> Answer:
        """Both the shop's prepare_only post and the buyer's button arrive at Skrill's one address."""
        form = request.form()
        return self._prepare(form) if form.get("prepare_only") == "1" else self._pressed(request, form)

    def _prepare(self, form: dict[str, str]) -> Answer:
        with self.lock:
            if refused := self._refusals.pop(0) if self._refusals else self._wrong(form):
                return json_answer(200, {"code": "BAD_REQUEST", "message": refused})
            sid = secrets.token_hex(16)
            self.sessions[sid] = Session(sid, form, self.clock() + SESSION_LIFE)
        return Answer(200, sid.encode(), "text/html")

    def _wrong(self, form: dict[str, str]) -> str:
        for name, longest in LENGTHS.items():
            if len(form.get(name, "")) > longest:
                return f"Parameter too long: {name}"
        if form.get("pay_to_email", "").lower() != self.merchant.pay_to_email.lower():
            return "Invalid merchant"
        if form.get("currency") not in CURRENCIES.split():
            return "Invalid currency"
        amount = form.get("amount", "")
        if not re.fullmatch(r"\d{1,12}(\.\d{1,2})?", amount) or Decimal(amount) <= 0 or amount.endswith(".00"):
            return "Invalid amount"
        for name in ("return_url", "cancel_url"):
            if not re.fullmatch(r"https?://\S+", form.get(name, "")):
                return f"Invalid {name}"
        known = self.find(form.get("transaction_id", ""))
        if not form.get("transaction_id"):
            return "Missing transaction_id"
        return f"Already paid for {known.mb_transaction_id}" if known and known.status in ("2", "0") else ""

    def _query(self, request: Request) -> Answer:
        """The Merchant Query Interface: always HTTP 200, the code stands in the first line."""
        form = request.form()
        if not self.may(form):
            return _line("401\t\tCannot login")
        if form.get("action") == "history":
            try:
                told = self.money.history(form)
            except (KeyError, ValueError):
                return _line("404\t\tIllegal parameter value: start_date")
            return Answer(200, told.encode(), "application/vnd.ms-excel")
        trn_id = form.get("trn_id", "")
        found = self.find(trn_id)
        if form.get("action") not in ("status_trn", "repost"):
            return _line("402\t\tUnknown action")
        if not trn_id:
            return _line("404\t\tIllegal parameter value: trn_id")
        if found is None:
            return _line(f"403\t\tTransaction not found: {trn_id}")
        if form["action"] == "repost":
            self.post(found)
            return _line("200\t\tOK")
        return _line("200\t\tOK\n" + urlencode(self.status_fields(found)))

    def may(self, form: dict[str, str]) -> bool:
        known = form.get("email", "").lower() == self.merchant.pay_to_email.lower()
        return known and form.get("password") == _md5(self.merchant.mqi_password)

    # The buyer's page

    def _page(self, request: Request, sid: str = "", news: str = "") -> Answer:
        with self.lock:
            session = self.sessions.get(sid or request.query.get("sid", ""))
        if session is None or session.ends < self.clock():
            return html_answer(404, pages.gone("Skrill"))
        told = session.fields
        buttons = [("pay", "Pay"), ("pend", "Pay, but leave it pending"), ("decline", "Decline"), ("cancel", "Cancel")]
        amount = f"{told['amount']} {told['currency']}"
        shop = told.get("recipient_description") or self.merchant.pay_to_email
        reference, item = told.get("detail1_description", ""), told.get("detail1_text", "")
        return html_answer(200, pages.pay("Skrill", shop, reference, item, amount, session.sid, buttons, news))

    def _pressed(self, request: Request, form: dict[str, str]) -> Answer:
        sid, outcome = form.get("token", ""), form.get("action", "")
        if sid not in self.sessions or outcome not in (*OUTCOMES, "cancel"):
            return html_answer(404, pages.gone("Skrill"))
        onward = self.pay(sid, outcome)
        if onward:
            return redirect(onward)
        return self._page(request, sid, "The card was declined. You can try again or cancel.")

    def _return_address(self, session: Session) -> str:
        url = session.fields["return_url"]
        if not self.merchant.secure_return:
            return url
        transaction = session.fields["transaction_id"]
        secret = _md5(self.merchant.secret_word).upper()
        msid = _md5(self.merchant.merchant_id + transaction + secret)
        return with_query(url, {"transaction_id": transaction, "msid": msid})


def _line(text: str) -> Answer:
    return Answer(200, text.encode(), "text/html")


def _plain(amount: Decimal) -> str:
    """Without zeros at the end: 25.4, 25, 0.735741. Shops must compare numbers, not strings."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
