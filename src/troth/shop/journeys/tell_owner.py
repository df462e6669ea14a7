"""A letter to the owner about the shop itself: a promise that broke. It names clauses and places, and nobody."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.policy.models import Verdict
from troth.shop.delivery import post
from troth.shop.fraud.models import Hold
from troth.shop.fraud.signs import to_us
from troth.shop.licences import stock
from troth.shop.licences.models import LowStock
from troth.shop.written import moment


def of_breach(clause: str, claim: due.Claim) -> None:
    """The errand: what the newest broken verdict of a clause found. due.Again while the relay is away."""
    verdict = Verdict.objects.filter(clause=clause, state="broken").order_by("-checked_at", "-pk").first()
    if verdict is None or not settings.TROTH.shop.contact_email:
        return
    site = settings.TROTH.web.public_url.rstrip("/")
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("%(shop)s: promise %(clause)s is broken") % {"shop": settings.TROTH.shop.name, "clause": clause}
        found = [f"- {one['sentence']}" for one in verdict.findings if one["state"] == "broken"]
        ends = _("Everybody can read it at %(url)s until it is mended.") % {"url": f"{site}/privacy#{clause}"}
    write(f"{clause}-{verdict.pk}", subject, "\n".join([*found, "", ends, ""]), claim)


def of_low_stock(edition_id: str, claim: due.Claim) -> None:
    """The errand: keys of an edition run out. Refilled meanwhile there is nothing to tell."""
    low = LowStock.objects.filter(edition=int(edition_id)).select_related("edition").first()
    if low is None or not settings.TROTH.shop.contact_email:
        return
    left, name = stock.free(low.edition_id), f"{low.edition.product_id}/{low.edition.code}"
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("%(shop)s: keys of %(edition)s run out") % {"shop": settings.TROTH.shop.name, "edition": name}
        words = _("%(count)s keys of %(edition)s can be sold. Put in more: troth licences import %(edition)s FILE")
        text = words % {"count": left, "edition": name}
    write(f"low-stock-{name}-{low.since.isoformat()}", subject, f"{text}\n", claim)


def of_hold(order_ref: str, claim: due.Claim) -> None:
    """The errand: an order waits for somebody's look. When somebody was quicker there is nothing to tell."""
    hold = Hold.objects.filter(order=order_ref, state=Hold.HELD).first()
    if hold is None or not settings.TROTH.shop.contact_email:
        return
    site = settings.TROTH.web.public_url.rstrip("/")
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("%(shop)s: an order waits for your look") % {"shop": settings.TROTH.shop.name}
        reasons = [f"- {reason}" for reason in to_us(hold.signs)]
        words = _("Order %(ref)s is held, and no payment provider has heard of it:") % {"ref": order_ref}
        until = _("Look at it by %(time)s: %(url)s") % {"time": moment(hold.until), "url": f"{site}/desk/held"}
    write(f"hold-{order_ref}", subject, "\n".join([words, "", *reasons, "", until, ""]), claim)


def write(mark: str, subject: str, text: str, claim: due.Claim) -> None:
    """Send one letter to [shop] contact_email; the same `mark` gives the same Message-ID. due.Again if it stayed here.

    `subject` and `text` must hold nothing about anybody: this letter is sealed to nobody.
    """
    shop, host = settings.TROTH.shop, urlsplit(settings.TROTH.web.public_url).hostname
    message = EmailMessage()
    message["Subject"] = " ".join(subject.split())
    message["From"] = Address(shop.name, addr_spec=settings.TROTH.mail.sender or shop.contact_email)
    message["To"] = Address(addr_spec=shop.contact_email)
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{salted_hmac('troth.owner', mark, algorithm='sha256').hexdigest()[:32]}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    if not claim.still_mine():
        raise due.Again("late", 0)
    failed = None
    try:
        post.send(settings.TROTH.mail, message)
    except post.Undelivered as trouble:
        failed = due.Again(trouble.code, give_up=trouble.final)
    if failed is not None:
        raise failed
