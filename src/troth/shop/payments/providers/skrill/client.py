"""Skrill as the shop uses it: begin, look, receive; capturing is Skrill's own affair."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec

from troth.shop.money import Money
from troth.shop.payments.providers import parse
from troth.shop.payments.providers.contract import (
    Ask,
    Back,
    Begun,
    DisputeSight,
    Entry,
    Forged,
    Message,
    ProviderDown,
    ProviderRefused,
    RefundAsk,
    Returned,
    Sight,
    State,
)
from troth.shop.payments.providers.http import Answer, send
from troth.shop.payments.providers.skrill import history, refunds
from troth.shop.payments.providers.skrill.settings import SkrillSettings
from troth.shop.payments.providers.skrill.signature import inner, mqi_password, msid, same
from troth.shop.payments.providers.skrill.status import read_status

_SID = re.compile(r"[0-9A-Za-z_-]{16,100}")  # 32 hexadecimal digits today; a refusal is JSON, a failure HTML
_LANGUAGES = "BG CS DA DE EL EN ES FI FR IT JA NL PL PT RO RU SV TR ZH"
_LONGEST = {"transaction_id": 100, "return_url": 240, "cancel_url": 240, "status_url": 400, "pay_to_email": 50}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Skrill:
    """Safe to share between threads. `http` is the process's one client and stays the caller's to close."""

    name = "skrill"
    by_own_id = True

    def __init__(self, settings: SkrillSettings, http: httpx.Client) -> None:
        self._settings = settings
        self._http = http

    @property
    def payee(self) -> str:
        return self._settings.pay_to_email.lower()

    def begin(self, ask: Ask) -> Begun:
        """Prepare a session of some fifteen minutes. `provider_ref` is its id, which later messages do not repeat.

        ProviderRefused("ALREADY_PAID"): the money for this payment id has come already: look.
        """
        answer = send(
            self._http, "POST", self._settings.pay_url, headers=_FORM, content=urlencode(self._session(ask)).encode()
        )
        sid = answer.body.decode("ascii", errors="replace").strip()
        if answer.status not in (200, 201) or not _SID.fullmatch(sid):
            raise _refusal(answer)
        page = self._settings.pay_url if urlsplit(self._settings.pay_url).path else self._settings.pay_url + "/"
        return Begun(sid, f"{page}?sid={sid}", self.payee)

    def look(self, provider_ref: str, payment_id: str) -> Sight:
        """Ask the query interface by our own id. A session that nobody has paid is unknown there: open."""
        code, report = self._query({"action": "status_trn", "trn_id": payment_id})
        if code == "403":
            return Sight(State.OPEN, provider_ref, "", None, "", "", "")
        if code != "200":
            raise ProviderRefused(code) if re.fullmatch(r"4\d\d", code) else ProviderDown("answer")
        try:
            seen = read_status(report.strip(), self._settings, asked=True).sight
        except Forged as forged:
            raise ProviderDown(f"report_{forged.code}") from None
        if seen.payment_id != payment_id:
            raise ProviderDown("report_transaction_id")
        return msgspec.structs.replace(seen, provider_ref=provider_ref)

    def capture(self, provider_ref: str, payment_id: str, request_id: str) -> Sight:
        """Skrill takes the money itself: this only looks."""
        return self.look(provider_ref, payment_id)

    def receive(self, headers: Mapping[str, str], body: bytes) -> Message:
        """Verify a status post. Where `kept["amount_signed"]` is "no", believe an amount only after a look."""
        read = read_status(body, self._settings)
        return Message(read.event_id, f"status.{read.status}", "", read.sight.payment_id, read.sight, read.kept)

    def returned(self, query: Mapping[str, str]) -> str:
        """Our payment id, where the account's secure return is on and its `msid` is right; else ""."""
        payment_id = query.get("transaction_id", "")
        right = msid(self._settings.merchant_id, payment_id, inner(self._settings.secret_word))
        return payment_id if same(query.get("msid", "").lower(), right) else ""

    def prepare_refund(self, ask: RefundAsk) -> str:
        return refunds.prepare(self._http, self._settings, ask)

    def refund(self, ask: RefundAsk, session: str) -> Returned:
        return refunds.act(self._http, self._settings, ask, session)

    def returned_money(
        self, provider_ref: str, capture_ref: str, begin: datetime, end: datetime
    ) -> tuple[Returned, ...]:
        """As the account's history lists them, in the account's currency."""
        return history.returned(self._http, self._settings, capture_ref, begin, end)

    def look_refund(self, ref: str) -> Returned | None:
        return None  # the history is asked instead

    def look_dispute(self, ref: str) -> DisputeSight:
        raise ProviderRefused("no_disputes")  # Skrill tells charge-backs alone, as a state of the payment

    def books(self, begin: datetime, end: datetime) -> Iterator[Entry]:
        for entry, _about, state in history.rows(self._http, self._settings, begin, end):
            if state != Back.FAILED:
                yield entry

    def repost(self, payment_id: str) -> bool:
        """Have the status post sent again. False where none was ever sent."""
        first, _ = self._query({"action": "repost", "trn_id": payment_id})
        if first == "403":
            return False
        if first != "200":
            raise ProviderRefused(first) if re.fullmatch(r"4\d\d", first) else ProviderDown("answer")
        return True

    def examine(self, webhook_url: str) -> Iterator[tuple[bool, str, str]]:
        """A question about a payment that there is not: the answer tells whether the interface lets us in."""
        try:
            first, _ = self._query({"action": "status_trn", "trn_id": "troth-doctor"})
        except ProviderDown:
            yield False, "Skrill does not answer.", "Check the way to the internet, and [skrill] query_url."
            return
        if first in ("403", "200"):
            yield True, "Skrill's query interface lets us in.", ""
            return
        mend = "Switch on the API in Skrill's account, allow this machine's address, and check mqi_password."
        yield False, "Skrill's query interface does not let us in.", mend

    def _query(self, asked: dict[str, str]) -> tuple[str, bytes]:
        """Code and text of an answer of the query interface; all of them come with status 200."""
        fields = {
            "email": self._settings.pay_to_email,
            "password": mqi_password(self._settings.mqi_password),
            **asked,
        }
        answer = send(self._http, "POST", self._settings.query_url, headers=_FORM, content=urlencode(fields).encode())
        first, _, report = answer.body.partition(b"\n")
        code = first.split(b"\t")[0].strip().decode("ascii", errors="replace")
        return (code if answer.status == 200 else f"http_{answer.status}"), report

    def _session(self, ask: Ask) -> dict[str, str]:
        """The fields of a session: no name, no address, no e-mail of the buyer's (P2)."""
        language = ask.locale[:2].upper()
        fields = {
            "prepare_only": "1",
            "pay_to_email": self._settings.pay_to_email,
            "recipient_description": _cut(ask.brand_name, 30),
            "transaction_id": ask.payment_id,
            "return_url": ask.return_url,
            "cancel_url": ask.cancel_url,
            "status_url": ask.status_url,
            "language": language if language in _LANGUAGES.split() else "EN",
            "amount": plain(ask.amount),
            "currency": ask.amount.currency,
            "detail1_description": _cut(ask.order_ref, 240),
            "detail1_text": _cut(ask.item_name, 240),
        }
        for name, longest in _LONGEST.items():  # what Skrill does with longer ones is not documented
            if not fields[name]:
                raise ProviderRefused(f"missing_{name}")
            if len(fields[name]) > longest:
                raise ProviderRefused(f"{name}_too_long")
        if ask.amount.minor <= 0:
            raise ProviderRefused("amount_not_positive")
        return {name: value for name, value in fields.items() if value}


def plain(amount: Money) -> str:
    """An amount as Skrill wants it: "23" rather than "23.00", else with all decimals: "39.60"."""
    number = amount.decimal()
    return f"{number:.0f}" if number == number.to_integral_value() else f"{number:f}"


def _cut(text: str, longest: int) -> str:
    return " ".join(text.split())[:longest].strip()


def _refusal(answer: Answer) -> ProviderRefused | ProviderDown:
    """Skrill's refusals are JSON `{"code", "message"}`, with status 200 too; the message stays out of our texts."""
    try:
        read = parse.json_object(answer.body)
    except ValueError:
        return ProviderRefused(f"http_{answer.status}") if answer.status >= 400 else ProviderDown("answer")
    if str(read.get("message", "")).startswith("Already paid"):
        return ProviderRefused("ALREADY_PAID")
    named = parse.code(read.get("code"))
    return ProviderRefused(named) if named else ProviderDown("answer")
