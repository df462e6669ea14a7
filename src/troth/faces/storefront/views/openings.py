"""Who looked at my data: the proof of each entry to take along, and how to check it with tools that are not ours."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from troth.faces.storefront.answers import page
from troth.faces.storefront.guards import answers_for_the_keeper, for_the_signed_in
from troth.faces.storefront.views import errors
from troth.pledge.vault import seen
from troth.shop.journeys import who_looked
from troth.shop.refusal import Refused


@require_safe
def verify(request: HttpRequest) -> HttpResponse:
    """GET /ledger/verify: docs/verify.md in short, with this shop's key."""
    try:
        key = str(seen.verify_key())
    except FileNotFoundError:
        key = ""
    return page(request, "ledger_verify.html", {"key": key})


@require_safe
@for_the_signed_in
@answers_for_the_keeper
def receipt(request: HttpRequest, seq: int) -> HttpResponse:
    """GET /account/privacy/receipt/<n>: the proof of one of one's own entries, to keep."""
    if seq >= 1 << 63:  # no log is so long, and no message to the keeper holds the number
        raise Http404
    who = request.who  # type: ignore[attr-defined]
    try:
        made = who_looked.receipt(who.person_ref, who.capability, seq)
    except Refused as no:
        return errors.refused(request, str(no.sentence), 404)
    headers = {"Content-Disposition": f'attachment; filename="receipt-{seq}.zip"'}
    return HttpResponse(made.archive(), content_type="application/zip", headers=headers)
