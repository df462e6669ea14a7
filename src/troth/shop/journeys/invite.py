"""Invite: a guest who wants to see, take along or correct what is held gets a letter, and with it an account.

Who may see the order may ask; what is sent goes to the mailbox that it was ordered with, and only who reads that gets
further. The answer is the same whatever becomes of it.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from troth.pledge import clock
from troth.shop.delivery.letters import queue
from troth.shop.delivery.models import Letter, letter_id
from troth.shop.orders.models import Order

PAUSE = timedelta(hours=1)  # between two such letters of one order


def ask(order: Order) -> None:
    """Make the letter due, unless one was lately."""
    lately = Letter.objects.filter(kind="invite", order=order, queued_at__gt=clock.now() - PAUSE)
    with transaction.atomic():
        if not lately.exists():
            queue("invite", letter_id(), order.person, order)
