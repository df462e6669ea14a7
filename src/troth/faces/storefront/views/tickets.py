"""Asking, and what became of it. A reference identifies a ticket and never authorises anybody to see it."""

from __future__ import annotations

import re
import secrets
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.faces.storefront.answers import page
from troth.faces.storefront.forms.tickets import AddForm, AskForm, ContactForm
from troth.faces.storefront.guards import See, answers_for_the_keeper, for_the_signed_in, to_sign_in
from troth.faces.storefront.signed_in import TICKET_COOKIE, give_ticket
from troth.faces.storefront.uploads import taken, takes_files
from troth.faces.storefront.views import errors
from troth.faces.storefront.views.orders import reachable
from troth.shop.journeys import ask, tickets
from troth.shop.refusal import Refused
from troth.shop.support import addresses
from troth.shop.support.models import Ticket

form_page = require_http_methods(["GET", "HEAD", "POST"])
ONCE = re.compile(r"[A-Za-z0-9_-]{22}")
MOST_TICKETS = 100


@takes_files
@form_page
@sensitive_post_parameters()
@answers_for_the_keeper
def contact(request: HttpRequest) -> HttpResponse:
    """/contact: anybody asks. Who is signed in need not say who they are."""
    person = request.who.person_ref  # type: ignore[attr-defined]
    kind = AskForm if person else ContactForm
    return _ask(request, kind, person, "contact.html", {})


@takes_files
@form_page
@sensitive_post_parameters()
@answers_for_the_keeper
def of_order(request: HttpRequest, ref: str) -> HttpResponse:
    """/orders/…/ask: who may see the order may ask about it; the answer goes to the address it was ordered with."""
    order = reachable(request, ref)
    if order is None:
        return errors.no_such_order(request)
    return _ask(request, AskForm, order.person_id, "contact.html", {"order": order})


@require_safe
@for_the_signed_in
def mine(request: HttpRequest) -> HttpResponse:
    """/account/tickets."""
    found = tickets.of(request.who.person_ref)[:MOST_TICKETS]  # type: ignore[attr-defined]
    return page(request, "account_tickets.html", {"tickets": found, "states": _states()})


@takes_files
@form_page
@sensitive_post_parameters()
@answers_for_the_keeper
def view(request: HttpRequest, ref: str) -> HttpResponse:
    """/tickets/…: opened for its owner; who came by the mailed link sees states and dates. POST adds a message."""
    ticket, opens = _reachable(request, ref)
    if ticket is None:
        return no_such_ticket(request)
    if request.method != "POST":
        return _show(request, ticket, opens, AddForm())
    form = AddForm(request.POST)
    if form.is_valid():
        try:
            ask.add(ticket, form.cleaned_data["text"], attached=taken(request))
        except Refused as no:
            form.refuse(no)
        else:
            return See(reverse("ticket", args=[ticket.ref]))
    return _show(request, ticket, opens, form, 400)


@require_safe
def by_key(request: HttpRequest, ref: str, token: str) -> HttpResponse:
    """The mailed link: a cookie for this ticket, then the address without the key."""
    ticket = tickets.found(ref)
    if ticket is None or not tickets.by_key(ticket, token):
        return no_such_ticket(request)
    return _to(ticket)


@require_POST
def close(request: HttpRequest, ref: str) -> HttpResponse:
    ticket, _opens = _reachable(request, ref)
    if ticket is None:
        return no_such_ticket(request)
    ask.close(ticket)
    return See(reverse("ticket", args=[ticket.ref]))


@require_safe
@answers_for_the_keeper
def file(request: HttpRequest, ref: str, attachment: str) -> HttpResponseBase:
    """A file, as a download and nothing else. Another's and none at all look the same."""
    ticket, opens = _reachable(request, ref)
    if ticket is None or not opens:
        return no_such_ticket(request)
    who = request.who  # type: ignore[attr-defined]
    try:
        enclosure, size, content = tickets.file(ticket, attachment, who.person_ref, who.capability)
    except Refused as no:
        return to_sign_in(request) if no.sentence == tickets.ENDED else no_such_ticket(request)
    return download(enclosure.name, enclosure.kind, size, content if request.method == "GET" else iter(()))


def download(name: str, kind: str, size: int, content: Any) -> HttpResponseBase:
    """Never shown by the browser: a file that came from outside runs nothing here."""
    response = StreamingHttpResponse(content)
    headers = response.headers
    headers["Content-Type"] = kind if kind.startswith("image/") else "application/octet-stream"
    headers["Content-Length"] = str(size)
    headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    headers["Content-Security-Policy"] = "sandbox; default-src 'none'; frame-ancestors 'none'"
    headers["Cache-Control"] = "no-store"
    return response


def no_such_ticket(request: HttpRequest) -> HttpResponse:
    """For one that does not exist and for one that this browser may not see: the same words."""
    return errors.refused(
        request, _("There is no conversation to show here. Follow the link in our letter, or sign in."), 404
    )


def _ask(
    request: HttpRequest, kind: type[AskForm], person: str | None, template: str, more: dict[str, Any]
) -> HttpResponse:
    order = more.get("order")
    context = more | {"person": person, "order": order, "answer_days": settings.TROTH.policy.answer_days}
    if request.method != "POST":
        wanted = {"once": secrets.token_urlsafe(16), "product": request.GET.get("product", "")}
        return page(request, template, context | {"form": kind(initial=wanted)})
    form = kind(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            question = ask.Question(
                given["text"],
                given["subject"],
                order=order.ref if order else "",
                product=given["product"],
                attached=taken(request),
                once=given["once"] if ONCE.fullmatch(given["once"]) else "",
            )
            return _to(ask.ask(person or ask.Stranger(given["name"], given["email"]), question))
        except Refused as no:
            form.refuse(no)
    return page(request, template, context | {"form": form}, 400)


def _to(ticket: Ticket) -> HttpResponse:
    path = reverse("ticket", args=[ticket.ref])
    response = See(path)
    give_ticket(response, path, addresses.cookie(ticket))
    return response


def _reachable(request: HttpRequest, ref: str) -> tuple[Ticket | None, bool]:
    """The ticket, if this browser may see it, and whether what stands in it opens for them."""
    ticket, who = tickets.found(ref), request.who  # type: ignore[attr-defined]
    if ticket is None:
        return None, False
    owner = tickets.owns(ticket, who.person_ref)
    if ticket.merged_into_id:
        ticket = tickets.found(ticket.merged_into_id) or ticket
    if owner or tickets.came_by_key(ticket, request.COOKIES.get(TICKET_COOKIE)):
        return ticket, owner
    return None, False


def _show(request: HttpRequest, ticket: Ticket, opens: bool, form: AddForm, status: int = 200) -> HttpResponse:
    who = request.who  # type: ignore[attr-defined]
    more = False
    if opens:
        try:
            shown, more = tickets.read(ticket, who.person_ref, who.capability, request.GET.get("before", ""))
        except Refused:
            return to_sign_in(request)
    else:
        shown = tickets.closed_view(ticket)
    context = {
        "ticket": ticket,
        "messages": shown[::-1],
        "more": shown[-1].id if more else "",
        "opens": opens,
        "states": _states(),
        "form": form,
    }
    return page(request, "ticket.html", context, status)


def _states() -> dict[str, str]:
    return {
        Ticket.NEW: _("Waits for us"),
        Ticket.OPEN: _("Waits for us"),
        Ticket.WAITING: _("Answered"),
        Ticket.SOLVED: _("Solved"),
        Ticket.CLOSED: _("Closed"),
    }
