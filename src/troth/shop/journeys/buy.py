"""Buy: a basket becomes an order, and the buyer is sent to the provider's page.

Everything is written in one main transaction, without the keeper: keys come from stock, person and billing are
sealed, the order, its first attempt to pay and what is due later are rows. Then, outside it, the newcomer is
enrolled and the provider asked; whatever fails there can be done again from the order's page.

Before that the order is weighed (weigh.py): one that many signs of fraud speak against is held, no provider hears of
it, and somebody here looks at it first (suspend.py).

An order that costs nothing is paid in the same transaction: no provider is asked, and no address is wanted.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator

import msgspec
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Case, OuterRef, Subquery, When
from django.utils.translation import gettext_lazy as _

from troth.pledge import fault
from troth.pledge.due import loop as due
from troth.pledge.prepared import Prepared
from troth.pledge.vault.classes import Billing as BillingData
from troth.pledge.vault.door import KeeperAway, KeeperRefused, door
from troth.pledge.vault.fields import seal
from troth.shop import policy_version
from troth.shop.accounts import newcomer, passwords
from troth.shop.accounts.models import Claim, Contact
from troth.shop.accounts.session import SignedIn, signed_in
from troth.shop.catalogue.models import Price
from troth.shop.coupons import offer, uses
from troth.shop.coupons.offer import Taken
from troth.shop.delivery.letters import queue
from troth.shop.journeys import choose, prolong, suspend, weigh, withdraw
from troth.shop.journeys.erase import erasing
from troth.shop.journeys.settle import free, look
from troth.shop.licences import stock
from troth.shop.money import LARGEST_MINOR
from troth.shop.orders.cost import Cost, cost, is_business
from troth.shop.orders.models import BasketLine, Billing, Order, OrderLine
from troth.shop.payments import attempt, gateways
from troth.shop.payments.models import Payment
from troth.shop.payments.polling import FIRST_LOOK
from troth.shop.refusal import Refused
from troth.shop.texts import standing as texts


class Newcomer(msgspec.Struct, frozen=True):
    """Somebody who types who they are. With a password they register; without one they buy as a guest."""

    name: str
    email: str
    password: str = ""
    postcode: str = ""

    def __repr__(self) -> str:
        return "<newcomer>"


class Known(msgspec.Struct, frozen=True):
    """Somebody who is signed in."""

    person_ref: str


class Changed(Refused):
    """The total is another than the one that was shown. Nothing was ordered; the form comes back with the new one."""


class Wanted(msgspec.Struct, frozen=True):
    """A line of the basket at today's name and price; `stocked`: keys for it come from a stock."""

    edition: int
    slug: str
    name: str
    quantity: int
    minor: int
    stocked: bool
    renews: str  # the licence that it renews


class Written(msgspec.Struct, frozen=True):
    """What the transaction wrote. `payment`: None where nothing is to be paid, or not yet."""

    order: Order
    payment: Payment | None
    secret: bytes
    names: list[str]


class Begun(msgspec.Struct, frozen=True):
    order_ref: str
    pay_url: str  # "": held, or the provider cannot be reached; the order's page says which, and offers what to do
    signed_in: SignedIn | None = None


def begin(
    basket_key: str,
    buyer: Newcomer | Known,
    billing: BillingData | str | None,
    provider: str,
    *,
    mailings: bool | None = None,
    waiver: bool = False,
    once: str = "",
    shown: int | None = None,
    came_from: str = "",
) -> Begun:
    """Order what is in the basket. `billing`: an address, or the id of one that this person used before; None, and no
    `provider`, where nothing is to be paid.

    `waiver`: they want it at once, and know that this ends their right to withdraw.
    `mailings`: whether the box about news was ticked, whatever it offered; None: it was not shown.
    `once` comes from the form: the same form sent twice is one order. `shown`: the total that the buyer saw, in minor
    units; Changed where theirs is another. `came_from`: their IP address, against fraud alone.
    Refused: an empty basket, a product no longer sold, a coupon that takes nothing off, a password that is too easy, a
    VAT number, an address or a provider that is none of theirs.
    """
    if provider and provider not in gateways.offered():
        raise Refused(_("Choose how you want to pay."), "provider")
    if isinstance(buyer, Newcomer) and buyer.password:
        passwords.check(buyer.password, buyer.name, buyer.email)
    viewer = hashlib.sha256(basket_key.encode()).hexdigest()
    fault.here("buy.begin")
    try:
        with transaction.atomic():
            written = _write(viewer, buyer, billing, provider, mailings, once, shown, came_from)
            withdraw.waive(written.order, waiver)
    except IntegrityError:
        earlier = Order.objects.filter(once=once, viewer=viewer).first() if once else None
        if earlier is None:
            raise
        return Begun(earlier.ref, pay_again(earlier, provider, came_from) if earlier.total_minor else "")
    fault.here("buy.committed")
    order, payment = written.order, written.payment
    session = _enrol(order.person_id, written.secret, buyer)
    fault.here("buy.enrolled")
    pay_url = attempt.open_page(payment, item_name(written.names)) if payment else ""
    return Begun(order.ref, pay_url, session)


def pay_again(order: Order, provider: str, came_from: str = "") -> str:
    """Where to pay an open order once more, or "" if that cannot be had now, is no longer needed, or the order is held.
    Refused, with the time of the next attempt, where too many payments from this account or address failed just now.

    Asks the provider about the attempts under way first: nobody is sent to pay what is paid.
    """
    if provider not in gateways.offered():
        raise Refused(_("Choose how you want to pay."), "provider")
    for payment in order.payments.filter(state__in=(Payment.SENT, Payment.PENDING)):
        look(payment)
    order.refresh_from_db(fields=["state"])
    if (
        order.state in (Order.HELD, Order.PAID, Order.CANCELLED, Order.REFUNDED)
        or order.payments.filter(state=Payment.PENDING).exists()
    ):
        return ""
    weigh.try_again(order, came_from)
    if order.state == Order.EXPIRED:
        stock.must_have(order.lines.all())  # its keys went back when it lapsed
        uses.must_have(order)
    latest = order.payments.filter(provider=provider).order_by("-made_at").first()
    if latest is not None and attempt.still_open(latest):
        return latest.pay_url
    if latest is None or latest.state != Payment.NEW:
        with transaction.atomic():
            latest = attempt.new(order, provider)
            due.add("look", latest.id, after=FIRST_LOOK)
    return attempt.open_page(latest, item_name(list(order.lines.order_by("pk").values_list("name", flat=True))))


def item_name(names: list[str]) -> str:
    """What the provider's page says is bought: the first line's name, and how many more."""
    return names[0] if len(names) == 1 else f"{names[0]} (+{len(names) - 1})"


def _write(
    viewer: str,
    buyer: Newcomer | Known,
    billing: BillingData | str | None,
    provider: str,
    mailings: bool | None,
    once: str,
    shown: int | None,
    came_from: str,
) -> Written:
    wanted, taken = _wanted(viewer)
    # Who gets something for nothing is no buyer, to whom one may write about similar products (2002/58/EC, 13(2)).
    place = "checkout" if sum(one.minor * one.quantity for one in wanted) > sum(taken.off) else "free"
    secret, contact = _person(buyer, mailings, place)
    fault.here("buy.person")
    address = _address(contact, billing)
    fault.here("buy.billing")
    lives_in, business = (address.country, address.business) if address else (settings.TROTH.shop.country, False)
    costs = cost([(one.minor, one.quantity) for one in wanted], lives_in, business, taken.off)
    _as_shown(costs, billing, provider, shown)
    order = Order.objects.create(
        person_id=contact.person_id,
        contact=contact,
        billing=address,
        country=address.country if address else "",
        currency=settings.TROTH.shop.currency,
        total_minor=costs.total.minor,
        coupon=taken.code,
        viewer=viewer,
        once=once or None,
        policy_version=policy_version.current(),
        terms_version=texts.terms_version(),
    )
    fault.here("buy.order")
    lines = OrderLine.objects.bulk_create(_lines(order, wanted, costs, taken.off))
    stock.reserve(line for line, one in zip(lines, wanted, strict=True) if one.stocked)
    persons = Claim.persons_of(order.person_id) if isinstance(buyer, Known) else []
    if taken.code:
        uses.take(order, persons or [order.person_id])
    payment = _to_be_paid(order, provider, came_from, persons)
    fault.here("buy.due")
    return Written(order, payment, secret, [one.name for one in wanted])


def _to_be_paid(order: Order, provider: str, came_from: str, persons: list[str]) -> Payment | None:
    """The first attempt to pay; None where nothing is to be paid, or the order is held before a provider sees it."""
    if not order.total_minor:
        free(order)
        return None
    risk = weigh.order(order, came_from, persons)
    if suspend.suspicious(risk) and suspend.begin(order, risk):
        return None
    payment = attempt.new(order, provider)
    fault.here("buy.payment")
    due.add_all(("look", payment.id, FIRST_LOOK), ("abandon", order.ref, settings.TROTH.policy.abandon_hours * 3600))
    return payment


def _as_shown(costs: Cost, billing: BillingData | str | None, provider: str, shown: int | None) -> None:
    """Changed, or Refused, unless it can be ordered as it was shown."""
    if costs.total.minor > LARGEST_MINOR:
        raise Refused(_("This basket cannot be paid online; please write to us."))
    if shown is not None and shown != costs.total.minor:
        raise Changed(
            _("Your total has changed, with a price, your country, VAT number or coupon; look at it and order again.")
        )
    if costs.total.minor and billing is None:
        raise Changed(_("This order is to be paid, so we need your billing address; please fill it in."))
    if costs.total.minor and not provider:
        raise Refused(_("Choose how you want to pay."), "provider")


def _lines(order: Order, wanted: list[Wanted], costs: Cost, off: list[int]) -> Iterator[OrderLine]:
    for one, taxed, less in zip(wanted, costs.lines, off, strict=True):
        yield OrderLine(
            order=order,
            edition_id=one.edition,
            name=one.name,
            unit_minor=one.minor,
            quantity=one.quantity,
            off_minor=less,
            net_minor=taxed.net,
            tax_minor=taxed.tax,
            rate=costs.treatment.rate,
            tax_country=costs.treatment.country,
            treatment=costs.treatment.kind,
            renews=one.renews,
        )


def _wanted(viewer: str) -> tuple[list[Wanted], Taken]:
    """The basket's lines with their prices now, and what its coupon takes off. No browser is asked for a price."""
    rows = _in_basket(viewer, settings.TROTH.shop.currency)
    if not rows or not all(published for *_rest, published, _code in rows):
        raise Refused(_("Something in your basket is no longer sold; look at your basket and order again."))
    wanted = [
        Wanted(edition, slug, _name(product, name, renews), quantity, price, stocked and not renews, renews)
        for edition, slug, product, name, quantity, price, stocked, renews, _published, _code in rows
        if price is not None
    ]
    prolong.must_stand([one.renews for one in wanted if one.renews])
    if len(wanted) != len(rows):
        raise Refused(_("Something in your basket has no price any more; take it out and order again."))
    if sum(one.minor * one.quantity for one in wanted) > LARGEST_MINOR:
        raise Refused(_("This basket cannot be paid online; please write to us."))
    taken = offer.on(rows[0][-1], [(one.slug, one.minor * one.quantity) for one in wanted])
    if taken.fault:
        raise Refused(taken.fault)
    return wanted, taken


def _price(currency: str, which: str) -> Subquery:
    return Subquery(Price.objects.filter(edition=OuterRef("edition"), currency=currency).values(which))


def _name(product: str, edition: str, renews: str) -> str:
    name = f"{product}, {edition}"
    return str(_("Renewal: %(name)s")) % {"name": name} if renews else name


_in_basket = Prepared(
    lambda viewer, currency: (
        BasketLine.objects.filter(basket=viewer)
        .annotate(
            stocked=stock.has_stock("edition"),
            price=Case(
                When(renews="", then=_price(currency, "minor")),
                default=_price(currency, "renewal_minor"),
            ),
        )
        .order_by("pk")
        .values_list(
            "edition_id",
            "edition__product_id",
            "edition__product__name",
            "edition__name",
            "quantity",
            "price",
            "stocked",
            "renews",
            "edition__product__published",
            "basket__coupon",
        )
    ),
    gaps=2,
)


def _person(buyer: Newcomer | Known, mailings: bool | None, place: str) -> tuple[bytes, Contact]:
    if isinstance(buyer, Known):
        known = (
            Contact.objects.select_related("person")
            .annotate(leaving=erasing("person"))
            .get(person=buyer.person_ref, state=Contact.CURRENT)
        )
        if known.leaving:
            raise Refused(_("You asked to be forgotten; cancel that in your account before you order."))
        if mailings is not None:
            choose.offered(buyer.person_ref, place, mailings)
        return b"", known
    person, secret, contact = newcomer.make(buyer.name, buyer.email)
    if buyer.password:
        newcomer.register(person, buyer.postcode, policy_version.current())
        queue("confirm", person.ref, person)
    if mailings is not None:
        choose.offered(person.ref, place, mailings)
    return secret, contact


def _address(contact: Contact, billing: BillingData | str | None) -> Billing | None:
    if billing is None:  # for what costs nothing none is asked for, and none kept
        return None
    if isinstance(billing, str):
        used = _used.first(billing, contact.person_id)
        if used is None:
            raise Refused(_("Choose one of your own billing addresses, or type a new one."), "earlier")
        return used
    try:
        business = is_business(billing.vat_number, billing.country)
    except ValueError:
        raise Refused(
            _("Please check the VAT number: it is none of the country of this address."), "vat_number"
        ) from None
    address = Billing(person=contact.person, country=billing.country, business=business)
    seal(address, "billing", msgspec.structs.replace(billing, salt=secrets.token_hex(16)))
    address.save(force_insert=True)
    return address


_used: Prepared[Billing] = Prepared(lambda pk, person: Billing.objects.filter(pk=pk, person=person), gaps=2)


def _enrol(ref: str, secret: bytes, buyer: Newcomer | Known) -> SignedIn | None:
    """Register the newcomer's password. If the keeper is away they stay a guest whose mail says "set a password"."""
    if isinstance(buyer, Known) or not buyer.password:
        return None
    try:
        return signed_in(door().enrol(ref, secret, buyer.email, buyer.password))
    except (KeeperAway, KeeperRefused):
        return None
