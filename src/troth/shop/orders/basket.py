"""What a visitor put aside. Known by the hash of a key in their cookie; nothing in it is about a person."""

from __future__ import annotations

import msgspec
from django.db import transaction
from django.db.models import Case, Count, OuterRef, Subquery, When
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.pledge.prepared import Prepared
from troth.shop.catalogue.models import Edition, Price
from troth.shop.money import Money
from troth.shop.orders.models import Basket, BasketLine
from troth.shop.refusal import Refused

MOST_LINES = 50
MOST_OF_ONE = 99


class Line(msgspec.Struct, frozen=True):
    """A line as it stands today: at today's name and price."""

    edition_id: int
    slug: str
    product: str
    edition: str
    quantity: int
    unit: Money
    renews: str = ""  # the licence that it renews; its quantity is that of the licence

    @property
    def sum(self) -> Money:
        return self.unit * self.quantity


@transaction.atomic
def add(key_hash: str, edition_id: int, currency: str) -> None:
    """Put one more of an edition into the basket. Refused if it is not for sale or the basket is full."""
    _touch(key_hash)
    held = BasketLine.objects.filter(basket=key_hash)
    mine = held.filter(renews="")
    sold = Edition.objects.filter(pk=edition_id, product__published=True, prices__currency=currency)
    kinds = held.order_by().values("basket").annotate(kinds=Count("pk")).values("kinds")
    found = sold.values_list(Subquery(mine.filter(edition=OuterRef("pk")).values("quantity")), Subquery(kinds)).first()
    if found is None:
        raise Refused(_("This is not for sale at present; please choose something else."))
    quantity, full = found
    if quantity is not None:
        mine.filter(edition=edition_id).update(quantity=min(quantity + 1, MOST_OF_ONE))
    elif (full or 0) >= MOST_LINES:
        raise Refused(_("The basket is full; please order these first."))
    else:
        BasketLine.objects.create(basket_id=key_hash, edition_id=edition_id)


@transaction.atomic
def add_renewal(key_hash: str, edition_id: int, renews: str, quantity: int) -> None:
    """Put the renewal of a licence into the basket, once."""
    _touch(key_hash)
    line = BasketLine(basket_id=key_hash, edition_id=edition_id, renews=renews, quantity=quantity)
    BasketLine.objects.bulk_create([line], ignore_conflicts=True)


def _touch(key_hash: str) -> None:
    """The basket's row, new or not, is locked until the commit."""
    basket = Basket(key_hash=key_hash, touched_at=clock.now())
    Basket.objects.bulk_create(
        [basket], update_conflicts=True, unique_fields=["key_hash"], update_fields=["touched_at"]
    )


def change(key_hash: str, edition_id: int, quantity: int) -> None:
    """Set a line's quantity. Refused if it is not from 1 to 99; nothing happens where there is no such line."""
    if not 1 <= quantity <= MOST_OF_ONE:
        raise Refused(_("Choose a quantity from 1 to 99."))
    BasketLine.objects.filter(basket=key_hash, edition=edition_id, renews="").update(quantity=quantity)


def remove(key_hash: str, edition_id: int, renews: str = "") -> None:
    BasketLine.objects.filter(basket=key_hash, edition=edition_id, renews=renews).delete()


def enter(key_hash: str, code: str) -> None:
    """Lay a coupon's code into the basket, instead of the one before; "" takes it out."""
    Basket.objects.filter(pk=key_hash).update(coupon=code)


def held(key_hash: str, currency: str) -> tuple[list[Line], str]:
    """The basket's lines in the order they were added, without what is no longer sold; and the code of its coupon."""
    rows = list(_lines(key_hash, currency)) if key_hash else []
    return [Line(*row[:5], Money(row[5], currency), row[6]) for row in rows], rows[0][7] if rows else ""


_lines = Prepared(
    lambda key_hash, currency: (
        Price.objects.filter(
            currency=currency, edition__basketline__basket=key_hash, edition__product__published=True
        ).order_by("edition__basketline__id")
        .annotate(price=Case(When(edition__basketline__renews="", then="minor"), default="renewal_minor"))
        .filter(price__isnull=False)
        .values_list(
            "edition_id", "edition__product_id", "edition__product__name", "edition__name",
            "edition__basketline__quantity", "price", "edition__basketline__renews",
            "edition__basketline__basket__coupon",
        )
    ),
    gaps=2,
)  # fmt: skip


def total(basket: list[Line], currency: str) -> Money:
    return sum((line.sum for line in basket), Money(0, currency))


@transaction.atomic
def drop_unsold(key_hash: str, currency: str) -> None:
    """Take out what is no longer sold, so that the rest can be ordered."""
    sold = Edition.objects.filter(product__published=True, prices__currency=currency)
    BasketLine.objects.filter(basket=key_hash).exclude(edition__in=sold).delete()
