"""The one box: an order's number and a licence key lead to the order; an e-mail address leads to a job, or nowhere.

By POST alone, so that nothing that was typed stands in an address or a log.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from troth.faces.desk.answers import page
from troth.faces.desk.forms import SearchForm, TakeForm
from troth.faces.desk.guards import open_to
from troth.faces.desk.views.orders import READERS
from troth.faces.storefront.guards import See
from troth.shop.journeys import look_up
from troth.shop.refusal import Refused


@require_http_methods(["GET", "HEAD", "POST"])
@open_to(*READERS)
def view(request: HttpRequest) -> HttpResponse:
    form = SearchForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return page(request, "search.html", {"search": form}, 400 if request.method == "POST" else 200)
    typed = form.cleaned_data["q"]
    if "@" in typed:
        take = TakeForm(initial={"mailbox": typed, "hours": "8"})
        return page(request, "take.html", {"form": take})
    found = look_up.order(typed)
    if found:
        return See(reverse("desk_order", args=[found]))
    form.refuse(Refused(_("No order has this number or key. An e-mail address must be typed whole."), "q"))
    return page(request, "search.html", {"search": form}, 400)
