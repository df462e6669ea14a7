"""Within a job: the letter with the goods came back, and its customer said where it should have gone."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from troth.faces.desk.answers import page
from troth.faces.desk.forms_of_orders import RedirectForm
from troth.faces.desk.guards import in_job, over
from troth.faces.desk.views.order_acts import found
from troth.faces.storefront.guards import See
from troth.pledge.office import messages as office
from troth.shop.journeys import redirect
from troth.shop.refusal import Refused


@require_http_methods(["GET", "HEAD", "POST"])
@in_job("support")
def view(request: HttpRequest, job: office.Job, ref: str) -> HttpResponse:
    order = found(ref)
    if order.person_id not in job.persons or job.purpose != "support":
        return over(request)
    form = RedirectForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        capability = request.desk.capability  # type: ignore[attr-defined]
        try:
            redirect.put_right(order, capability, job, form.cleaned_data["email"])
        except Refused as no:
            form.refuse(no)
        else:
            return See(reverse("desk_job", args=[job.id]))
    context = {"job": job, "order": order, "form": form, "letter": redirect.came_back(order)}
    return page(request, "redirect.html", context, 400 if request.method == "POST" else 200)
