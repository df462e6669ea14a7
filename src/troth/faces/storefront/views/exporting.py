"""/account/privacy/export: all that is held, as one download, for who is signed in."""

from __future__ import annotations

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from troth.faces.storefront.guards import answers_for_the_keeper, for_the_signed_in
from troth.faces.storefront.views import errors
from troth.shop.journeys import export, export_archive, standby
from troth.shop.refusal import Refused


@require_POST  # it opens much, and is noted: no link and no picture on another page sets it off
@for_the_signed_in
@answers_for_the_keeper
def own(request: HttpRequest) -> HttpResponseBase:
    """POST answers with a zip, streamed. 503 where the worker is late: nothing was lost, ask again."""
    who = request.who  # type: ignore[attr-defined]
    try:
        gathered = export.gather(who.person_ref, who.capability)
    except Refused as no:
        return errors.refused(request, str(no.sentence), 409)
    except standby.Late:
        return errors.refused(request, _("It is still being put together; try again in a minute."), 503)
    headers = {"Content-Disposition": 'attachment; filename="what-we-hold.zip"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(export_archive.pieces(gathered), content_type="application/zip", headers=headers)
