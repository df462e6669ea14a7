"""Sweep: what has served is removed, and the stock of blanks kept full. Run by the worker, again and again."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.models import Session

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.vault import stock
from troth.pledge.vault.door import KeeperAway
from troth.shop.orders.models import Basket


def blanks(subject: str, claim: due.Claim) -> None:
    try:
        stock.refill(settings.TROTH.keeper.blanks)
    except KeeperAway:
        again = due.Again("keeper-away", 5)
    else:
        return
    raise again


def leftovers(subject: str, claim: due.Claim) -> None:
    """Ended sessions, and baskets that nobody touched for thirty days."""
    Session.objects.filter(expire_date__lt=clock.now()).delete()
    Basket.objects.filter(touched_at__lt=clock.now() - timedelta(days=30)).delete()
