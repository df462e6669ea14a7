"""Sweep: what has served is removed, and the stock of blanks kept full. Run by the worker, again and again."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.models import Session

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.vault import stock
from troth.pledge.vault.door import KeeperAway
from troth.pledge.vault.seen import compare
from troth.shop.orders.models import Basket

log = logging.getLogger("troth.sweep")


def blanks(subject: str, claim: due.Claim) -> None:
    try:
        stock.refill(settings.TROTH.keeper.blanks)
    except KeeperAway:
        again = due.Again("keeper-away", 5)
    else:
        return
    raise again


def seen(subject: str, claim: due.Claim) -> None:
    """Show the keeper what was seen of it; it opens nothing before the first time, nor when it has less."""
    try:
        behind = not compare()
    except KeeperAway:
        again = due.Again("keeper-away", 2)
    else:
        if not behind:
            return
        log.error("the keeper is older than what this shop has seen of it, and opens nothing")
        again = due.Again("keeper-behind", 30)
    raise again


def leftovers(subject: str, claim: due.Claim) -> None:
    """Ended sessions, and baskets that nobody touched for thirty days."""
    Session.objects.filter(expire_date__lt=clock.now()).delete()
    Basket.objects.filter(touched_at__lt=clock.now() - timedelta(days=30)).delete()
