"""What somebody here has taken up, and what they may do at all."""

from __future__ import annotations

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from troth.faces.desk.answers import page
from troth.faces.desk.guards import open_to
from troth.shop.journeys import job as jobs


@require_safe
@open_to()
def view(request: HttpRequest) -> HttpResponse:
    seat = request.desk  # type: ignore[attr-defined]
    history = jobs.history(seat.capability, seat.told.roles)
    context = {
        "seat": seat.told,
        "until": {job.id: datetime.fromtimestamp(job.until, UTC) for job in seat.told.jobs},
        "known": {row.id: row for row in history},
        "history": history,
    }
    return page(request, "home.html", context)
