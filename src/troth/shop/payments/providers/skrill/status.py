"""Reading a status: as posted to us, or as a line of the query interface's report. Both are verified alike."""

from __future__ import annotations

import hashlib
import re

import msgspec

from troth.shop.money import Money
from troth.shop.payments.providers import parse
from troth.shop.payments.providers.contract import Forged, Sight, State
from troth.shop.payments.providers.skrill.settings import SkrillSettings
from troth.shop.payments.providers.skrill.signature import inner, md5sig, same

STATES = {
    "2": State.PAID,
    "0": State.PENDING,
    "-1": State.CANCELLED,
    "-2": State.DECLINED,
    "-3": State.REVERSED,  # charge-back
}
# The signature runs fields together: these shapes make sure that only one cut is possible.
_SHAPES = {
    "merchant_id": re.compile(r"[0-9A-Za-z]{1,20}"),
    "transaction_id": re.compile(r"[!-~]{1,100}"),
    "mb_amount": re.compile(r"[0-9]{1,12}([.][0-9]{1,6})?"),
    "mb_currency": re.compile(r"[A-Z]{3}"),
    "status": re.compile(r"-?[0-9]{1,2}"),
    "md5sig": re.compile(r"[0-9A-Fa-f]{32}"),
    "amount": re.compile(r"[0-9]{1,12}([.][0-9]{1,6})?"),
    "currency": re.compile(r"[A-Z]{3}"),
    "pay_to_email": re.compile(r"[!-~]{3,100}"),
}
_TOLD = ("mb_transaction_id", "failed_reason_code", "payment_type", "payment_instrument_country")  # not signed
_KEPT = ("transaction_id", "status", "mb_amount", "mb_currency", "amount", "currency", *_TOLD)


class Status(msgspec.Struct, frozen=True):
    """A verified status. `amount_signed` says whether the signature vouches for the sight's amount."""

    sight: Sight
    event_id: str
    status: str
    kept: dict[str, str]
    amount_signed: bool


def read_status(body: bytes, settings: SkrillSettings, *, asked: bool = False) -> Status:
    """Verify and read an url-encoded status. Raises Forged.

    `asked`: it is the query interface's answer to us, over TLS, about one of our payments. Then what tells whose it is
    may be missing, the signature too; what stands there has to be right all the same.
    `amount`, `currency` and `pay_to_email` are not covered by the signature. Where the wallet's currency is the
    order's, both amounts must agree; where it is not, `amount_signed` is False and the caller has to ask Skrill.
    """
    fields = _fields(body, settings if asked else None)
    if not same(fields["merchant_id"], settings.merchant_id):
        raise Forged("merchant")
    signed = [fields[name] for name in ("mb_amount", "mb_currency", "status")]
    right = md5sig(settings.merchant_id, fields["transaction_id"], inner(settings.secret_word), *signed)
    if not same(fields.get("md5sig", right).upper(), right):
        raise Forged("signature")
    amount = parse.money(fields["amount"], fields["currency"])
    if amount is None:  # `amount` and `currency` are what we asked for, and we never ask for what we cannot read
        raise Forged("amounts")
    amount_signed = fields["mb_currency"] == fields["currency"]
    if amount_signed and amount != parse.money(fields["mb_amount"], fields["mb_currency"]):
        raise Forged("amounts")
    kept = {name: parse.code(fields.get(name)) for name in _KEPT}
    return Status(
        sight=_sight(fields, amount, parse.money(fields["mb_amount"], fields["mb_currency"])),
        event_id=_event_id(fields),
        status=fields["status"],
        kept={name: value for name, value in kept.items() if value}
        | {"amount_signed": "yes" if amount_signed else "no"},
        amount_signed=amount_signed,
    )


def _fields(body: bytes, settings: SkrillSettings | None) -> dict[str, str]:
    if len(body) > parse.LARGEST_MESSAGE:
        raise Forged("too_large")
    try:
        fields = parse.form(body)
    except ValueError:
        raise Forged("form") from None
    needed = set(_SHAPES)
    if settings is not None:
        fields = {"merchant_id": settings.merchant_id, "pay_to_email": settings.pay_to_email} | fields
        needed -= set() if "md5sig" in fields else {"md5sig"}
    for name, shape in _SHAPES.items():
        if name in needed and not shape.fullmatch(fields.get(name, "")):
            raise Forged(f"field_{name}")
    return fields


def _sight(fields: dict[str, str], amount: Money, received: Money | None) -> Sight:
    country = fields.get("payment_instrument_country", "")
    return Sight(
        state=STATES.get(fields["status"], State.UNKNOWN),
        provider_ref="",  # the session id of `begin` is not told here: payments are found by their own id
        payment_id=fields["transaction_id"],
        amount=amount,
        payee=fields["pay_to_email"].lower(),
        capture_ref=parse.code(fields.get("mb_transaction_id")),
        reason=parse.code(fields.get("failed_reason_code")),
        payer_country=country if re.fullmatch(r"[A-Z]{2,3}", country) else "",
        received=received,
    )


def _event_id(fields: dict[str, str]) -> str:
    """Skrill numbers no posts: the same content gets the same id."""
    names = (*_SHAPES, "mb_transaction_id")
    told = "\n".join(f"{name}={fields.get(name, '')}" for name in names if name != "md5sig")
    return hashlib.sha256(told.encode()).hexdigest()
