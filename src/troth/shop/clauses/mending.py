"""What a mutant leaves behind in a running demo, put right once it is taken out. By the worker, in test mode only.

A shop that is mended must be whole again: what was forgotten is done, what was written in clear is sealed.
"""

from __future__ import annotations

import msgspec
from django.db import connection

from troth.pledge.due import loop as due
from troth.pledge.policy.probe import sealed_columns
from troth.pledge.vault import seen
from troth.pledge.vault.door import KeeperAway, KeeperRefused, door
from troth.pledge.vault.fields import seal
from troth.shop.accounts.models import Session
from troth.shop.clauses import keyring, p11_ip_against_fraud, p16_at_rest
from troth.shop.delivery.models import Letter
from troth.shop.orders.models import Order


def after(clause_id: str) -> None:
    """Put right what the mutant of this clause did. Safe to repeat; DatabaseError if the database is away."""
    if clause_id == "P16":
        _seal_what_lies_open()
        _acknowledge_what_we_planted()
    if clause_id == "P11":
        Session.objects.filter(session_data__startswith=p11_ip_against_fraud.NOTED).delete()
    if clause_id in ("P8", "P16"):
        _deliver_what_was_not()


def _deliver_what_was_not() -> None:
    sent = Letter.objects.filter(kind="deliver", state__in=Letter.LEFT).values("subject")
    for ref in Order.objects.filter(state=Order.PAID).exclude(ref__in=sent).values_list("ref", flat=True):
        due.hasten("deliver", ref)


def _acknowledge_what_we_planted() -> None:
    """The keeper takes what was written in clear for forged values, and rightly so; here the owner knows why."""
    try:
        keyring.put_right()
        door().acknowledge(sum(seen.incidents().values()))
        seen.compare()
    except (KeeperAway, KeeperRefused):
        return  # none was open, or the next look tells of others


def _seal_what_lies_open() -> None:
    for model, field in sealed_columns():
        for row in model._default_manager.filter(**{f"{field.name}__isnull": False}).select_related("person"):
            raw = bytes(row.__dict__[field.attname])
            if p16_at_rest.lies_open(raw, field.personal):
                seal(row, field.name, msgspec.msgpack.decode(raw[p16_at_rest.HEAD_SIZE :], type=field.personal))
                row.save(update_fields=[field.name])
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the log still has the pages as they were
