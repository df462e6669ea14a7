"""Sweep: keep the stock of blanks full and the keeper shown what was seen of it. Run by the worker, again and again."""

from __future__ import annotations

import logging

from django.conf import settings

from troth.pledge.due import loop as due
from troth.pledge.vault import published, stock
from troth.pledge.vault.door import KeeperAway
from troth.pledge.vault.seen import compare

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
        published.note_if_put_back()
        behind = not compare()
    except KeeperAway:
        again = due.Again("keeper-away", 2)
    else:
        if not behind:
            return
        log.error("the keeper is older than what this shop has seen of it, and opens nothing")
        again = due.Again("keeper-behind", 30)
    raise again
