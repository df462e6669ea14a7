"""The marker customer asks, on the contact page, and is answered as anybody is: by a letter, and on their own page."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

import msgspec

from troth.pledge import clock
from troth.pledge.policy.visitor import Stuck, Visitor
from troth.shop.delivery.models import Letter
from troth.shop.journeys import answer
from troth.shop.support.models import Ticket

STEP = 0.1
MORE = "and one thing more"
CARD = "4111 1111 1111 1111"  # the card schemes' public test number


class Asked(msgspec.Struct):
    """What came of it. `owed`: days in which the shop undertook to answer; None where it undertook nothing."""

    ref: str = ""
    owed: float | None = None
    letter: bool = False
    shown: bool = False
    card_shown: bool = False  # the card number that was pasted into it can still be read


def arrives(stranger: Visitor, stem: str, who: dict[str, str]) -> bool:
    """Whether a question of somebody without an account arrives. It is closed at once: nobody shall answer it."""
    ref = ask(stranger, stem, who).ref
    return Ticket.objects.filter(pk=ref).update(state=Ticket.CLOSED, closed_at=clock.now(), due_at=None) == 1


def about(visitor: Visitor, stem: str, order: str) -> str | None:
    """The order that a question from this order's own page is taken for; None if it did not arrive. It is closed."""
    try:
        page = visitor.submit(f"/orders/{order}/ask", {"subject": stem, "text": f"{stem} question"}, form=order)
    except Stuck:
        return None
    ticket = Ticket.objects.filter(pk=urlsplit(page.url).path.removeprefix("/tickets/")).first()
    if ticket is None:
        return None
    ticket.move(Ticket.GOES_ON, Ticket.CLOSED, closed_at=clock.now(), due_at=None)
    return ticket.order_id or ""


def ask(visitor: Visitor, stem: str, who: dict[str, str] | None = None) -> Asked:
    """Send a question, about pages that it names, by the form that stands on the contact page."""
    pages = f"{visitor.base}/ and {visitor.base}/contact"
    text = f"{stem} question about {pages}; I have paid with {CARD}"
    typed = {**(who or {}), "subject": f"{stem} subject {CARD}", "text": text}
    try:
        page = visitor.submit("/contact", typed, form="contact")
    except Stuck:
        return Asked()
    ref = urlsplit(page.url).path.removeprefix("/tickets/")
    ticket = Ticket.objects.filter(pk=ref).first()
    if ticket is None:
        return Asked()
    owed = (ticket.due_at - ticket.made_at).total_seconds() / 86400 if ticket.due_at else None
    return Asked(ref, owed)


def be_answered(asked: Asked, visitor: Visitor, stem: str, work: Callable[[], object] | None, patience: float) -> None:
    """Answer as a colleague does, wait for the letter, look at the page, and close the ticket."""
    ticket = Ticket.objects.filter(pk=asked.ref).select_related("person").first()
    if ticket is None:
        return
    message = answer.answer(ticket, f"{stem} answer")
    sent = Letter.objects.filter(kind="ticket-answer", subject=message.id, state=Letter.SENT)
    queued = Letter.objects.filter(kind="ticket-answer", subject=message.id)
    until = time.monotonic() + patience
    while True:
        if work is not None:
            work()
        asked.letter = sent.exists()
        if asked.letter or not queued.exists() or work is not None or time.monotonic() > until:
            break
        time.sleep(STEP)
    path = f"/tickets/{asked.ref}"
    with suppress(Stuck):
        visitor.submit(path, {"text": f"{stem} {MORE}; {CARD}"})
    page = visitor.get(path)
    asked.card_shown = CARD in page.text or CARD.replace(" ", "") in page.text
    asked.shown = (
        page.status == 200 and f"{stem} question" in page.text and f"{stem} answer" in page.text and MORE in page.text
    )
    ticket.move(Ticket.GOES_ON, Ticket.CLOSED, closed_at=clock.now(), due_at=None)
