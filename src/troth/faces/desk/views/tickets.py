"""Questions: who waits for us, and one conversation within a job on its customer.

The list and a ticket's own page show pseudonyms, states and dates. What was written opens on the page of a job alone,
is noted each time, and is shown as the text that it is.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.faces.desk.answers import page
from troth.faces.desk.forms_of_tickets import AnswerForm, MergeForm, TakeTicketForm
from troth.faces.desk.guards import in_job, open_to, over
from troth.faces.storefront.guards import See
from troth.faces.storefront.uploads import taken, takes_files
from troth.faces.storefront.views.tickets import download
from troth.pledge import clock
from troth.pledge.office import messages as office
from troth.shop.journeys import answer, tickets
from troth.shop.journeys import job as jobs
from troth.shop.refusal import Refused
from troth.shop.staff.short import code
from troth.shop.support import canned
from troth.shop.support.models import Ticket

READERS = ("support", "officer", "owner")
TAKERS = ("support", "officer")
DONE = ("answer", "solve", "note")


@require_safe
@open_to(*READERS)
def listing(request: HttpRequest) -> HttpResponse:
    shown, asked = request.GET.get("state", ""), request.GET.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdigit() and 0 < int(asked) < 10_000 else 1
    found, more = tickets.waiting(shown, number)
    context = {
        "tickets": [(ticket, code(ticket.person_id)) for ticket in found],
        "shown": shown if shown in tickets.WAITS else "",
        "states": list(tickets.WAITS),
        "number": number,
        "more": more,
        "now": clock.now(),
    }
    return page(request, "tickets.html", context)


@require_safe
@open_to(*READERS)
def view(request: HttpRequest, ref: str) -> HttpResponse:
    """A ticket as far as no job is needed for it."""
    ticket = _found(ref)
    seat = request.desk  # type: ignore[attr-defined]
    job = seat.job_on(ticket.person_id)
    context = _facts(ticket) | {
        "job": job if job and job.purpose == "support" else None,
        "may": bool(set(TAKERS) & seat.roles),
        "take": TakeTicketForm(initial={"hours": "8"}),
    }
    return page(request, "ticket.html", context)


@require_POST
@open_to(*TAKERS)
def take(request: HttpRequest, ref: str) -> HttpResponse:
    """A job on whoever asked; from then on somebody is at it."""
    ticket, form = _found(ref), TakeTicketForm(request.POST)
    if not form.is_valid():
        return page(request, "ticket.html", _facts(ticket) | {"job": None, "may": True, "take": form}, 400)
    taken_up = jobs.take(
        request.desk.capability,  # type: ignore[attr-defined]
        why="question",
        hours=int(form.cleaned_data["hours"]),
        about=ticket.ref,
        ref=ticket.person_id,
    )
    answer.take(ticket)
    return See(reverse("desk_job_ticket", args=[taken_up.id, ticket.ref]))


@takes_files
@require_http_methods(["GET", "HEAD", "POST"])
@in_job()
def in_one_job(request: HttpRequest, job: office.Job, ref: str) -> HttpResponse:
    """GET opens the conversation. POST does one thing to it: answer, note, solve."""
    ticket = _found(ref)
    if ticket.person_id not in job.persons or job.purpose != "support":
        return over(request)
    if request.method != "POST":
        return _show(request, job, ticket, AnswerForm(initial={"text": _canned(request.GET.get("answer", ""))}))
    form, what = AnswerForm(request.POST), request.POST.get("do", "")
    form.fields["text"].required = what != "solve"
    if what in DONE and form.is_valid():
        by = request.desk.told.colleague.ref  # type: ignore[attr-defined]
        try:
            _do(what, ticket, form.cleaned_data["text"], by, request)
        except Refused as no:
            form.refuse(no)
        else:
            return See(reverse("desk_job_ticket", args=[job.id, ticket.ref]))
    return _show(request, job, ticket, form, 400)


@require_POST
@in_job()
def merge(request: HttpRequest, job: office.Job, ref: str) -> HttpResponse:
    """Make this ticket part of another of the same customer."""
    ticket = _found(ref)
    rest = tickets.others(ticket, job.persons)
    form = MergeForm(request.POST, rest)
    if ticket.person_id not in job.persons or not form.is_valid():
        return over(request)
    into = next(one for one in rest if one.ref == form.cleaned_data["into"])
    answer.merge(ticket, into)
    return See(reverse("desk_job_ticket", args=[job.id, into.ref]))


@require_safe
@in_job()
def file(request: HttpRequest, job: office.Job, ref: str, attachment: str) -> HttpResponseBase:
    """What came with a message: a download, and nothing that a browser shows."""
    ticket = _found(ref)
    if ticket.person_id not in job.persons or job.purpose != "support":
        return over(request)
    capability = request.desk.capability  # type: ignore[attr-defined]
    enclosure, size, content = tickets.file_in_job(ticket, attachment, capability, job)
    return download(enclosure.name, enclosure.kind, size, content if request.method == "GET" else iter(()))


def _do(what: str, ticket: Ticket, text: str, by: str, request: HttpRequest) -> None:
    if what == "note":
        answer.note(ticket, text, by)
    elif text.strip():
        answer.answer(ticket, text, by, attached=taken(request), solves=what == "solve")
    else:
        answer.solve(ticket)


def _show(request: HttpRequest, job: office.Job, ticket: Ticket, form: AnswerForm, status: int = 200) -> HttpResponse:
    capability = request.desk.capability  # type: ignore[attr-defined]
    shown, more = tickets.read_in_job(ticket, capability, job, request.GET.get("before", ""))
    rest = tickets.others(ticket, job.persons)
    context = _facts(ticket) | {
        "job": job,
        "messages": shown[::-1],
        "older": shown[-1].id if more else "",
        "form": form,
        "canned": canned.answers(),
        "others": rest,
        "merge": MergeForm(None, [one for one in rest if one.state != Ticket.CLOSED]),
    }
    return page(request, "job_ticket.html", context, status)


def _facts(ticket: Ticket) -> dict[str, Any]:
    return {"ticket": ticket, "customer": code(ticket.person_id), "now": clock.now(), "came": _came(ticket)}


def _came(ticket: Ticket) -> str:
    return _("by mail") if ticket.came_by == Ticket.MAIL else _("by the contact page")


def _canned(name: str) -> str:
    return next((one.text for one in canned.answers() if one.name == name), "")


def _found(ref: str) -> Ticket:
    ticket = tickets.found(ref)
    if ticket is None:
        raise Http404
    return ticket
