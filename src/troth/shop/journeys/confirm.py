"""Confirm: the link from the letter proves that a mailbox is its customer's."""

from __future__ import annotations

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.vault.door import KeeperRefused, door
from troth.shop.accounts.models import Account
from troth.shop.accounts.session import signed_in
from troth.shop.journeys.change_email import flip


def confirm(ticket: str, secret: str) -> bool:
    """True if the link was good: the address is confirmed, or the new one is in use from now on. KeeperAway."""
    try:
        proved = door().prove(ticket, secret)
    except KeeperRefused:
        return False
    if proved.kind == "change":
        flip(proved.session.ref)
    signed_in(proved.session)
    confirmed(proved.session.ref)
    return True


def confirmed(person_ref: str) -> None:
    if Account.objects.filter(pk=person_ref, confirmed_at__isnull=True).update(confirmed_at=clock.now()):
        due.hasten("consent", person_ref)  # what they allowed waited for it
