"""What is written of a disclosure lies sealed to its case: it opens in a job on the case, for the privacy officer."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from troth.faces.desk.answers import page
from troth.faces.desk.guards import in_job, open_to, over
from troth.faces.desk.views.disclosures import NAMES, found
from troth.faces.storefront.guards import See
from troth.faces.storefront.views.tickets import download
from troth.pledge.office import messages as office
from troth.pledge.vault import blobs
from troth.shop.journeys import job as jobs


@require_POST
@open_to("officer")
def take(request: HttpRequest, ref: str) -> HttpResponse:
    """A day's job on the case itself."""
    case, capability = found(ref), request.desk.capability  # type: ignore[attr-defined]
    taken = jobs.take(capability, why="disclosure", hours=8, about=case.ref, ref=case.person_id)
    return See(reverse("desk_disclosure_papers", args=[taken.id, case.ref]))


@require_safe
@in_job("officer")
def view(request: HttpRequest, job: office.Job, ref: str) -> HttpResponse:
    case = found(ref)
    if case.person_id not in job.persons:
        return over(request)
    capability = request.desk.capability  # type: ignore[attr-defined]
    documents = list(case.documents.order_by("made_at"))
    sealed = [case.statement, case.issuer, *(one.enclosure for one in documents)]
    told = jobs.opened(capability, job, [one for one in sealed if one is not None])
    papers = zip(documents, told[-len(documents) :], strict=True)
    context = {"case": case, "job": job, "names": NAMES, "written": told[: -len(documents)], "papers": papers}
    return page(request, "disclosure_papers.html", context)


@require_safe
@in_job("officer")
def document(request: HttpRequest, job: office.Job, ref: str, document: str) -> HttpResponseBase:
    """A download, and nothing that a browser shows."""
    case = found(ref)
    row = case.documents.filter(pk=document).first()
    if case.person_id not in job.persons:
        return over(request)
    if row is None:
        raise Http404
    (enclosure,) = jobs.opened(request.desk.capability, job, [row.enclosure])  # type: ignore[attr-defined]
    pieces = row.sheets.order_by("n").values_list("sealed", flat=True).iterator(chunk_size=4)
    content = blobs.opened(enclosure.key, row.id, (bytes(piece) for piece in pieces))
    return download(enclosure.name, enclosure.kind, row.size, content if request.method == "GET" else iter(()))
