"""Take a job up, see its customer, close it. A view that opens anything is given the job by in_job, and no other."""

from __future__ import annotations

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.faces.desk.answers import page
from troth.faces.desk.forms import GlassForm, TakeForm
from troth.faces.desk.guards import in_job, open_to
from troth.faces.desk.views.orders import READERS
from troth.faces.storefront.guards import See
from troth.pledge import clock
from troth.pledge.ids import SHAPE
from troth.pledge.office import messages as office
from troth.pledge.office.policy import ROLES
from troth.shop.journeys import job as jobs
from troth.shop.orders.models import Order
from troth.shop.refusal import Refused
from troth.shop.staff.models import Job
from troth.shop.staff.short import code


@require_POST
@open_to(*READERS)
def take(request: HttpRequest) -> HttpResponse:
    """On the customer of an order, or of an address that was typed whole."""
    form = TakeForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        order = Order.found(given["order"]) if SHAPE.match(given["order"]) else None
        try:
            if order is None and not given["mailbox"]:
                raise Refused(_("Take a job up from an order, or search for the customer's e-mail address."))
            taken = jobs.take(
                request.desk.capability,  # type: ignore[attr-defined]
                why=given["why"],
                hours=int(given["hours"]),
                about=order.ref if order else "",
                ref=order.person_id if order else "",
                mailbox="" if order else given["mailbox"],
            )
        except Refused as no:
            form.refuse(no)
        else:
            return See(reverse("desk_job", args=[taken.id]))
    return page(request, "take.html", {"form": form}, 400)


@require_safe
@in_job()
def view(request: HttpRequest, job: office.Job) -> HttpResponse:
    """Opens what the job's purpose needs, each time: it is noted each time."""
    customer = jobs.customer(request.desk.capability, job)  # type: ignore[attr-defined]
    context = {
        "job": job,
        "row": Job.objects.filter(pk=job.id).first(),
        "until": datetime.fromtimestamp(job.until, UTC),
        "codes": [code(ref) for ref in job.persons],
        "customer": customer,
        "now": clock.now(),
    }
    return page(request, "job.html", context)


@require_POST
@open_to(*ROLES)
def close(request: HttpRequest, job: str) -> HttpResponse:
    jobs.close(request.desk.capability, job)  # type: ignore[attr-defined]
    return See(reverse("desk"))


@require_http_methods(["GET", "HEAD", "POST"])
@open_to(*ROLES, fresh=True)
def glass(request: HttpRequest) -> HttpResponse:
    """An hour on one customer without the role for it: in the ledger, and in the owners' mailboxes."""
    form = GlassForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        ref = form.cleaned_data["order"].lower()
        order = Order.found(ref) if SHAPE.match(ref) else None
        seat = request.desk  # type: ignore[attr-defined]
        try:
            if order is None:
                raise Refused(_("There is no such order; its number begins with ord_."), "order")
            taken = jobs.break_glass(seat.capability, seat.fresh, about=order.ref, ref=order.person_id)
        except Refused as no:
            form.refuse(no)
        else:
            return See(reverse("desk_job", args=[taken.id]))
    return page(request, "glass.html", {"form": form}, 400 if request.method == "POST" else 200)
