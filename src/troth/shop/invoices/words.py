"""What an invoice says, in the shop's language: one structure for paper and page alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import msgspec
from babel import Locale, dates
from django.utils import translation
from django.utils.translation import gettext as _

from troth.pledge.vault.classes import Billing
from troth.shop import written
from troth.shop.invoices.models import Invoice
from troth.shop.invoices.snapshot import Line, Snapshot
from troth.shop.money import Money
from troth.shop.tax.rules import EXEMPT, OUTSIDE, REVERSE, STANDARD, percent


class Row(msgspec.Struct, frozen=True):
    name: str
    quantity: str
    net: str
    tax: str
    total: str


class Said(msgspec.Struct, frozen=True):
    """Every text of the document in its order. `salt` is no text: it makes the bytes nobody's to guess."""

    language: str
    title: str
    number: str
    facts: list[tuple[str, str]]
    seller: list[str]
    seller_name: str
    shop: str
    buyer_head: str
    buyer: list[str]
    heads: list[str]
    rows: list[Row]
    sums: list[tuple[str, str]]
    total: tuple[str, str]
    notes: list[str]
    foot: list[str]
    issued: str  # ISO date
    salt: str


def say(invoice: Invoice, snapshot: Snapshot, buyer: Billing) -> Said:
    """The document's texts. Needs the opened address; whoever calls shows it to its owner alone."""
    with translation.override(snapshot.language):
        return _say(invoice, snapshot, buyer, written.locale_of(snapshot.language, snapshot.seller.country))


def _say(invoice: Invoice, snapshot: Snapshot, buyer: Billing, locale: str) -> Said:
    def money(minor: int) -> str:
        return written.money(Money(minor, invoice.currency), locale)

    def day(value: date) -> str:
        return dates.format_date(value, "long", locale=locale)

    credit = invoice.kind == Invoice.CREDIT
    rate = f"{percent(invoice.rate)}%"
    country = _country(invoice.tax_country, locale)
    taxed = invoice.treatment == STANDARD
    facts = [
        (_("Number"), invoice.number),
        (_("Date"), day(invoice.issued_at.date())),
        (_("Supplied on"), day(date.fromisoformat(snapshot.ordered_on) if credit else invoice.issued_at.date())),
        (_("Order"), snapshot.order),
    ]
    if snapshot.corrects:
        facts.insert(1, (_("Corrects"), snapshot.corrects))
    return Said(
        language=snapshot.language,
        title=_("Credit note") if credit else _("Invoice"),
        number=invoice.number,
        facts=facts,
        seller=_seller(snapshot, locale),
        seller_name=snapshot.seller.name,
        shop=snapshot.seller.shop,
        buyer_head=_("Credited to") if credit else _("Billed to"),
        buyer=_buyer(buyer, locale),
        heads=[_("Item"), _("Quantity"), _("Net"), _("VAT %(rate)s") % {"rate": rate}, _("Total")],
        rows=[
            Row(
                _name(line, snapshot, money), str(line.quantity or "-"), money(line.net), money(line.tax),
                money(line.net + line.tax),
            )
            for line in snapshot.lines
        ],
        sums=[
            (_("Net"), money(invoice.net_minor)),
            (_("VAT %(rate)s, %(country)s") % {"rate": rate, "country": country} if taxed else _("VAT"),
             money(invoice.tax_minor)),
        ],
        total=(_("Given back") if credit else _("Total"), money(invoice.total.minor)),
        notes=_notes(invoice, snapshot, country),
        foot=[part for part in (snapshot.seller.name, snapshot.seller.address, snapshot.seller.email) if part],
        issued=invoice.issued_at.date().isoformat(),
        salt=buyer.salt,
    )  # fmt: skip


def _name(line: Line, snapshot: Snapshot, money: Callable[[int], str]) -> str:
    """The item, with its price reduction: the law wants that shown (Directive 2006/112/EC, Article 226, point 8)."""
    if not line.off:
        return line.name
    less = _("%(sum)s off the list price by coupon %(code)s") % {"sum": money(line.off), "code": snapshot.coupon}
    return f"{line.name} ({less})"


def _notes(invoice: Invoice, snapshot: Snapshot, country: str) -> list[str]:
    """Why there is no tax, in the words that laws want (Directive 2006/112/EC, Article 226), and how it was paid."""
    why = {
        REVERSE: _("Reverse charge: the recipient owes the VAT in %(country)s.") % {"country": country},
        OUTSIDE: _("Not subject to VAT in the EU: the place of supply is outside of it (%(country)s).")
        % {"country": country},
        EXEMPT: snapshot.exempt_words or _("No VAT is shown: the seller is exempt as a small business."),
    }.get(invoice.treatment)
    if invoice.kind == Invoice.CREDIT:
        paid = _("The sum goes back the way it came, by %(provider)s.") % {"provider": snapshot.paid_by}
    else:
        paid = _("Paid by %(provider)s. There is nothing left to pay.") % {"provider": snapshot.paid_by}
    coupon = ""
    if invoice.kind == Invoice.CREDIT and snapshot.coupon:
        coupon = _("The sums are parts of what was paid, after coupon %(code)s.") % {"code": snapshot.coupon}
    return [note for note in (why, coupon, paid) if note]


def _seller(snapshot: Snapshot, locale: str) -> list[str]:
    seller = snapshot.seller
    vat = _("VAT number %(number)s") % {"number": seller.vat_number} if seller.vat_number else ""
    return [part for part in (seller.name, *_address(seller.address), _country(seller.country, locale), vat) if part]


def _address(address: str) -> list[str]:
    return [part.strip() for part in address.split(",")]


def _buyer(buyer: Billing, locale: str) -> list[str]:
    vat = _("VAT number %(number)s") % {"number": buyer.vat_number.upper()} if buyer.vat_number else ""
    town = f"{buyer.postcode} {buyer.city}".strip()
    country = _country(buyer.country, locale)
    return [part for part in (buyer.company, buyer.name, buyer.street, town, country, vat) if part]


def _country(code: str, locale: str) -> str:
    return str(Locale.parse(locale).territories.get(code, code))
