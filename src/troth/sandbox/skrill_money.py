"""Refunds, charge-backs and the account's history at the Skrill look-alike.

Source: docs.paysafe.com, digital wallets: "Automated Payments Interface" (refunds) and "Merchant Query Interface".
Two steps: `prepare` gives a session, `refund` acts on it, once. What real Skrill answers to the same session again is
not documented; here it says ALREADY_EXECUTED.
"""

from __future__ import annotations

import csv
import io
import re
import secrets
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from xml.sax.saxutils import escape

import msgspec

from troth.sandbox.courier import is_local
from troth.sandbox.server import Answer, Request

if TYPE_CHECKING:
    from troth.sandbox.skrill import SandboxSkrill, Session

CET = timezone(timedelta(hours=1))  # Skrill's books are kept in it
LIFE = 15 * 60  # seconds of a prepared refund
HEAD = (
    "ID", "Time (CET)", "Type", "Transaction Details", "[-] {0}", "[+] {0}", "Status", "balance", "Reference",
    "Amount Sent", "Currency sent", "More information", "ID of the corresponding Skrill transaction", "Payment Type",
)  # fmt: skip


class Movement(msgspec.Struct):
    """Money of a payment that went back, in the wallet's currency. `taken`: by a charge-back."""

    id: str
    amount: Decimal
    status: str
    made: datetime
    taken: bool = False


class Prepared(msgspec.Struct):
    session: Session
    amount: Decimal
    ends: float
    fields: dict[str, str]
    movement: Movement | None = None


class AfterPayment:
    def __init__(self, skrill: SandboxSkrill) -> None:
        self._skrill = skrill
        self._prepared: dict[str, Prepared] = {}
        self._next: list[str] = []

    def reset(self) -> None:
        self._prepared.clear()
        self._next.clear()

    # Controls

    def next_refund(self, outcome: str) -> None:
        """Decide the next refund's second step.

        "0" pending, "-2" failed, "ALREADY_REFUNDED" done and yet with an error beside it, or an error's code.
        """
        self._next.append(outcome)

    def give_back(self, sid: str, value: str = "") -> str:
        """Refund by hand in Skrill's own pages: the shop is not told. The movement's id."""
        with self._skrill.lock:
            session = self._skrill.sessions[sid]
            movement = self._move(session, Decimal(value) if value else self._left(session), "2")
            return movement.id

    def finish(self, movement_id: str, status: str = "2") -> None:
        """Let a pending refund end, and tell the shop where it asked to be told."""
        with self._skrill.lock:
            for prepared in self._prepared.values():
                if prepared.movement is not None and prepared.movement.id == movement_id:
                    prepared.movement.status = status
                    self._tell(prepared)
                    return
        raise KeyError(movement_id)

    def charged_back(self, session: Session) -> None:
        """What a status of -3 means for the money: all that was left is gone."""
        if left := self._left(session):
            self._move(session, left, "2").taken = True

    # What the shop calls

    def refund(self, request: Request) -> Answer:
        """POST /app/refund.pl: `prepare`, then `refund`."""
        form = request.form()
        if not self._skrill.may(form):
            return _error("CANNOT_LOGIN")
        steps = {"prepare": self._prepare, "refund": self._act}
        step = steps.get(form.get("action", ""))
        with self._skrill.lock:
            return step(form) if step else _error("INVALID_OR_MISSING_ACTION")

    def _prepare(self, form: dict[str, str]) -> Answer:
        found = self._skrill.find(form.get("transaction_id", ""))
        by_theirs = form.get("mb_transaction_id")
        if by_theirs:
            found = next((s for s in self._skrill.sessions.values() if s.mb_transaction_id == by_theirs), None)
        if found is None or found.status != "2":
            return _error("INVALID_TRANSACTION_ID")
        left = self._left(found)
        if left <= 0:
            return _error("ALREADY_REFUNDED")
        amount = left
        if "amount" in form:
            if not re.fullmatch(r"\d{1,12}(\.\d{1,2})?", form["amount"]) or not 0 < Decimal(form["amount"]) <= left:
                return _error("INVALID_AMOUNT")
            amount = Decimal(form["amount"])
        sid = secrets.token_hex(16)
        self._prepared[sid] = Prepared(found, amount, self._skrill.clock() + LIFE, form)
        return _xml(f"<sid>{sid}</sid>")

    def _act(self, form: dict[str, str]) -> Answer:
        prepared = self._prepared.get(form.get("sid", ""))
        if prepared is None or prepared.ends < self._skrill.clock():
            return _error("SESSION_EXPIRED")
        if prepared.movement is not None:
            return _error("EXECUTION_PENDING" if prepared.movement.status == "0" else "ALREADY_EXECUTED")
        if prepared.amount > self._left(prepared.session):
            return _error("INVALID_AMOUNT")
        outcome = self._next.pop(0) if self._next else "2"
        if outcome not in ("2", "0", "-2", "ALREADY_REFUNDED"):
            return _error(outcome)
        status = "2" if outcome == "ALREADY_REFUNDED" else outcome
        prepared.movement = self._move(prepared.session, prepared.amount, status)
        if status == "2":
            self._tell(prepared)
        told = self._skrill.status_fields(prepared.session) | self._words(prepared.movement, prepared.session)
        names = ("mb_amount", "mb_currency", "mb_transaction_id", "merchant_id", "status", "transaction_id")
        members = "".join(f"<{name}>{escape(told[name])}</{name}>" for name in names)
        odd = f"<error>{outcome}</error>" if outcome == "ALREADY_REFUNDED" else ""
        return _xml(members + odd)

    def history(self, form: dict[str, str]) -> str:
        """The account's movements between two days, as CSV."""
        days = (datetime.strptime(f"{form[name]} +0100", "%d-%m-%Y %z") for name in ("start_date", "end_date"))
        start, end = (day.date() for day in days)
        text = io.StringIO()
        table = csv.writer(text)
        currency = self._skrill.merchant.wallet_currency or "EUR"
        table.writerow([name.format(currency) for name in HEAD])
        for session in self._skrill.sessions.values():
            if session.status not in ("2", "0", "-3"):
                continue
            rows = [("Receive Money", session.mb_transaction_id, session.made, "", session.status, "")]
            rows += [
                ("Chargeback" if one.taken else "Refund", one.id, one.made, f"{one.amount:f}", one.status, "x")
                for one in session.movements
            ]
            for kind, ref, made, out, status, of in rows:
                if start <= made.astimezone(CET).date() <= end:
                    table.writerow(self._row(session, kind, ref, made, out, status, of))
        return text.getvalue()

    def _row(self, session: Session, kind: str, ref: str, made: datetime, out: str, status: str, of: str) -> list[str]:
        words = {"2": "processed", "0": "pending", "-2": "failed", "-3": "processed"}
        came = "" if out else self._skrill.status_fields(session)["mb_amount"]
        return [
            ref, made.astimezone(CET).strftime("%d %b %y %H:%M"), kind, "from sandbox.buyer@personal.example",
            out, came,
            words[status], "0", session.fields["transaction_id"], session.fields["amount"],
            session.fields["currency"], "", session.mb_transaction_id if of else "", "WLT",
        ]  # fmt: skip

    def _words(self, movement: Movement, session: Session) -> dict[str, str]:
        return {"mb_amount": f"{movement.amount:f}", "status": movement.status, "mb_transaction_id": movement.id}

    def _tell(self, prepared: Prepared) -> None:
        url, movement = prepared.fields.get("refund_status_url", ""), prepared.movement
        if not url or movement is None:
            return
        told = self._skrill.status_fields(prepared.session, self._words(movement, prepared.session))
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        target = url if is_local(url) else ""
        self._skrill.courier.post(f"refund.{movement.status}", target, headers, urlencode(told).encode())

    def _left(self, session: Session) -> Decimal:
        came = Decimal(self._skrill.status_fields(session)["mb_amount"])
        return came - sum((one.amount for one in session.movements if one.status in ("2", "0")), Decimal(0))

    def _move(self, session: Session, amount: Decimal, status: str) -> Movement:
        movement = Movement(str(3_000_000_000 + secrets.randbelow(10**9)), amount, status, datetime.now(UTC))
        session.movements.append(movement)
        return movement


def _xml(inner: str) -> Answer:
    return Answer(200, f'<?xml version="1.0" encoding="UTF-8"?><response>{inner}</response>'.encode(), "text/xml")


def _error(code: str) -> Answer:
    return _xml(f"<error><error_msg>{code}</error_msg></error>")
