"""What must be true of a shop that was brought back from its copies: one finding for each thing looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from troth.faces.cli.bring_back import ask

SAMPLE = 20  # persons who are opened


class Found(NamedTuple):
    good: bool
    sentence: str


def examine(keeper: Any) -> Iterator[Found]:
    """Look at the main database that Django has open, and at the keyring that this keeper has in memory."""
    yield from _database()
    yield from _paid_is_granted()
    yield from _nobody_without_keys(keeper)
    yield from _ledger(keeper)
    yield from _people_open(keeper)


def _database() -> Iterator[Found]:
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA integrity_check")
            told = [row[0] for row in cursor.fetchall()]
            cursor.execute("PRAGMA foreign_key_check")
            lost = len(cursor.fetchall())
            yield Found(told == ["ok"], "main database: every page and index fits" if told == ["ok"] else told[0])
            yield Found(not lost, f"main database: {lost} rows name others that are not there")
        tables = connection.introspection.table_names(cursor)
    yield Found("orders_order" in tables, f"main database: {len(tables)} tables")


def _paid_is_granted() -> Iterator[Found]:
    from troth.pledge.due.models import Due
    from troth.shop.catalogue.models import Product
    from troth.shop.orders.models import Order, OrderLine

    lines = OrderLine.objects.filter(order__state=Order.PAID, grants__isnull=True)
    lines = lines.filter(edition__product__kind__in=(Product.MODULE, Product.BUNDLE))
    waiting = set(Due.objects.filter(kind="deliver", gave_up_at__isnull=True).values_list("subject", flat=True))
    lacking = set(lines.values_list("order_id", flat=True)) - waiting
    paid = Order.objects.filter(state=Order.PAID).count()
    yield Found(not lacking, f"orders: {paid} paid, {len(lacking)} of them without what was paid for")


def _nobody_without_keys(keeper: Any) -> Iterator[Found]:
    from troth.pledge.keeper.messages import ref_name
    from troth.pledge.vault.models import Person, Seen

    db = keeper.db
    people = set(Person.objects.values_list("ref", flat=True))
    keys = {ref_name(raw) for (raw,) in db.execute("SELECT ref FROM person")}
    lost = people - keys
    yield Found(not lost, f"persons: {len(people)} in the main database, {len(lost)} of them without keys")
    seen = Seen.objects.filter(pk=1).values_list("ledger_size", flat=True).first() or 0
    # Who came between the two copies is in the keyring alone; nobody was opened before they came.
    old = "SELECT DISTINCT ref FROM about WHERE seq < ?"
    strangers = {ref_name(raw) for (raw,) in db.execute(old, (seen,))} - people
    yield Found(not strangers, f"persons: {len(keys)} in the keyring, {len(strangers)} that the main database lost")


def _ledger(keeper: Any) -> Iterator[Found]:
    from troth.pledge.ledger import audit, table
    from troth.pledge.vault.models import Seen

    size = keeper.room.leaves.size
    wrong = audit.audit(table.leaves(keeper.db), table.Table(keeper.db), [])
    yield Found(not wrong, f"ledger: {size} entries are those of the tree" if not wrong else f"ledger: {wrong[0]}")
    seen = Seen.objects.filter(pk=1).values_list("ledger_size", flat=True).first() or 0
    yield Found(size >= seen, f"ledger: {seen} entries were seen by the main database, the keyring has {size}")


def _people_open(keeper: Any) -> Iterator[Found]:
    from troth.pledge.keeper.messages import Open, Opened, ref_name
    from troth.shop.accounts.models import Contact

    gone = {ref_name(raw) for (raw,) in keeper.db.execute("SELECT ref FROM erased")}
    usable = Contact.objects.filter(state=Contact.CURRENT, contact__isnull=False).select_related("person")
    restricted = {ref_name(raw) for (raw,) in keeper.db.execute("SELECT ref FROM restricted")}  # open for nobody now
    people = usable.exclude(person__in=gone | restricted).order_by("?")[:SAMPLE]

    def opens(contact: Contact) -> bool:
        return isinstance(ask(keeper, Open([contact.contact.record], "notice", "restore-drill")), Opened)

    opened = [opens(contact) for contact in people]
    yield Found(all(opened), f"persons: {sum(opened)} of a sample of {len(opened)} could be opened")
    erased = usable.filter(person__in=gone)[:SAMPLE]
    still = sum(opens(contact) for contact in erased)
    yield Found(not still, f"persons: {len(gone)} erased, {still} of a sample could still be opened")
