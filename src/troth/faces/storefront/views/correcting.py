"""/account/details: correct name and postcode. Shows what they are, which is noted as every opening is."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from troth.faces.storefront.answers import page
from troth.faces.storefront.forms.accounts import DetailsForm
from troth.faces.storefront.guards import See, answers_for_the_keeper, for_the_signed_in, to_sign_in
from troth.faces.storefront.views import errors
from troth.shop.journeys import correct, erase, own_data
from troth.shop.refusal import Refused


@require_http_methods(["GET", "HEAD", "POST"])
@for_the_signed_in
@answers_for_the_keeper
def own(request: HttpRequest) -> HttpResponse:
    """GET shows them in the form; POST puts them right: 303 to the account, which shows them as they are now."""
    who = request.who  # type: ignore[attr-defined]
    if erase.under_way(who.person_ref) is not None:
        return See(reverse("account"))
    if request.method != "POST":
        try:
            mine = own_data.show(who.person_ref, who.capability)
        except Refused:
            return to_sign_in(request)
        form = DetailsForm(initial={"name": mine.name, "postcode": mine.postcode})
        return page(request, "account_details.html", {"form": form})
    form = DetailsForm(request.POST)
    if form.is_valid():
        try:
            correct.correct(who.person_ref, who.capability, form.cleaned_data["name"], form.cleaned_data["postcode"])
            return See(f"{reverse('account')}?show=me")
        except Refused as no:
            return errors.refused(request, str(no.sentence), 409)
    return page(request, "account_details.html", {"form": form}, 400)
