"""Keys in stock: imported, reserved with the order, never sold twice.

An edition that had keys imported sells those and makes none. Each key goes to a line by a conditional update; the last
one goes to one buyer, and whoever else wants it hears "sold out" before they pay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from troth.pledge import returning
from troth.pledge.due import loop as due
from troth.shop.catalogue.models import Edition
from troth.shop.licences import secret
from troth.shop.licences.keys import MOST
from troth.shop.licences.models import Licence, LowStock, RetiredKey, StockKey
from troth.shop.orders.models import OrderLine
from troth.shop.refusal import Refused

BATCH = 2000  # keys in one transaction: buyers wait for the database no longer than this takes


class Imported(msgspec.Struct, frozen=True):
    """`known`: keys that were in stock, or sold, before; they are left as they are."""

    added: int
    known: int
    free: int  # keys of this edition that can be sold now


class BadKeys(Exception):
    """Keys that cannot be taken in; `lines` says which and why, without the keys. Nothing was imported."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def stocked(editions: Iterable[int]) -> set[int]:
    """Those of the editions (ids) that sell keys from a stock."""
    return set(Edition.objects.filter(has_stock("pk"), pk__in=set(editions)).values_list("pk", flat=True))


def has_stock(edition: str) -> Exists:
    """The same as a condition, or a column, of another query; `edition` is the name that its edition has there."""
    return Exists(StockKey.objects.filter(edition=OuterRef(edition)))


def reserve(lines: Iterable[OrderLine]) -> None:
    """Put keys aside for lines of a new order whose editions have a stock, in its transaction.

    Refused where there are too few.
    """
    for line in lines:
        if len(keys_of(line)) < line.quantity:
            raise _sold_out(line)
        _watch(line.edition_id)


def free(edition_id: int) -> int:
    """Keys of an edition that can be sold now."""
    return StockKey.objects.filter(edition=edition_id, line__isnull=True).count()


def _watch(edition_id: int) -> None:
    """Let the owner hear, once until it is refilled, that a stock runs low. In the order's transaction."""
    least = settings.TROTH.selling.low_stock
    few = StockKey.objects.filter(edition=edition_id, line__isnull=True)[: least + 1].count()
    if least and few <= least and returning.insert(LowStock, [LowStock(edition_id=edition_id)]):
        due.add("stock-low", str(edition_id))


def must_have(lines: Iterable[OrderLine]) -> None:
    """Refused where there are too few keys for lines that reserve none: a lapsed order that is paid after all."""
    lines = list(lines)
    selling = stocked(line.edition_id for line in lines)
    for line in lines:
        mine = Q(line=line) | Q(line__isnull=True)
        if (
            line.edition_id in selling
            and not line.renews
            and StockKey.objects.filter(mine, edition=line.edition_id).count() < line.quantity
        ):
            raise _sold_out(line)


def _sold_out(line: OrderLine) -> Refused:
    return Refused(str(_("{name} is sold out; order again without it.")).format(name=line.name))


def keys_of(line: OrderLine) -> list[StockKey]:
    """The keys of a line, at most as many as it was bought for; what is missing is taken from the stock."""
    keys = list(StockKey.objects.filter(line=line).order_by("id")[: line.quantity])
    while len(keys) < line.quantity and (one := take(line)) is not None:
        keys.append(one)
    return keys


def take(line: OrderLine) -> StockKey | None:
    """One more key for a line, or None: sold out. Needs a transaction."""
    free = StockKey.objects.filter(edition=line.edition_id, line__isnull=True).order_by("id")
    for past_others in (True, False):  # then wait to see whether those who hold the last ones keep them
        while (key := free.select_for_update(skip_locked=past_others).first()) is not None:
            if StockKey.objects.filter(pk=key.pk, line__isnull=True).update(line=line) == 1:
                return key
    return None


def give_back(order_ref: str) -> None:
    """What an order that nobody paid had reserved can be sold again. Keys that became a licence stay."""
    reserved = StockKey.objects.filter(line__order=order_ref, line__licences__isnull=True)
    reserved.update(line=None)


def put_in(edition: Edition, keys: list[str], told: Callable[[int], object] = lambda done: None) -> Imported:
    """Import keys, one an item; blank ones are passed over. Safe to do again: a key comes in once, in the whole shop.

    `told` hears after each batch how many items are done. BadKeys, before anything is written.
    """
    wrong = [
        f"line {number}: a key has at most {MOST} visible characters."
        for number, key in enumerate(keys, 1)
        if key.strip() and (len(key.strip()) > MOST or not key.strip().isprintable())
    ]
    if wrong:
        raise BadKeys(wrong)
    added = seen = 0
    for start in range(0, len(keys), BATCH):
        batch = {secret.look_up(key): key.strip() for key in keys[start : start + BATCH] if key.strip()}
        seen += sum(bool(key.strip()) for key in keys[start : start + BATCH])
        added += _add(edition, batch)
        told(min(len(keys), start + BATCH))
    left = free(edition.pk)
    if left > settings.TROTH.selling.low_stock:
        LowStock.objects.filter(edition=edition).delete()
    return Imported(added, seen - added, left)


@transaction.atomic
def _add(edition: Edition, batch: dict[str, str]) -> int:
    """How many of them are new. Two imports at once may both count a key that came in once."""
    for table in (StockKey, Licence, RetiredKey):
        for known in table.objects.filter(key_hash__in=batch).values_list("key_hash", flat=True):
            batch.pop(known, None)
    rows = [StockKey(key_hash=one, key_hidden=secret.hide(key, one), edition=edition) for one, key in batch.items()]
    StockKey.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)
