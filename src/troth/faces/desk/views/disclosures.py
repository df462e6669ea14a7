"""Lawful disclosures: the list, a case from its document to its end. Nothing here opens a customer to anybody."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.faces.desk import forms_of_disclosures as forms
from troth.faces.desk.answers import page
from troth.faces.desk.guards import open_to
from troth.faces.storefront.guards import See
from troth.faces.storefront.uploads import taken, takes_files
from troth.pledge import clock
from troth.pledge.ids import SHAPE
from troth.shop.disclosure.counts import BASES, OUTCOMES
from troth.shop.disclosure.models import Case, OutsideApprover
from troth.shop.journeys import disclosure
from troth.shop.refusal import Refused
from troth.shop.staff.short import code
from troth.shop.support.files import Intake

WORKERS = ("officer", "owner")
form_page = require_http_methods(["GET", "HEAD", "POST"])
NAMES = {"bases": BASES, "outcomes": OUTCOMES, "grounds": forms.GROUNDS, "checked": forms.CHECKED}


@require_safe
@open_to(*WORKERS)
def listing(request: HttpRequest) -> HttpResponse:
    context = {"cases": list(Case.objects.order_by("-came_at")[:100]), "names": NAMES, "now": clock.now()}
    return page(request, "disclosures.html", context)


@takes_files
@form_page
@open_to(*WORKERS, fresh=True)
def new(request: HttpRequest) -> HttpResponse:
    """The intake: what came, on which basis, and what it asks for. No customer is named yet."""
    form = forms.RequestForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        names = (
            "basis", "grounds", "action", "name", "reasons", "authority", "called", "country", "recipient", "persons",
        )  # fmt: skip
        try:
            case = disclosure.receive(
                _seat(request),
                disclosure.Request(
                    **{name: given[name] for name in names}, fields=form.by_class(), since=form.at("since"),
                    until=form.at("until"), document=_file(request),
                    answer_by=form.at("answer_by") if given["answer_by"] else None,
                ),
            )  # fmt: skip
        except Refused as no:
            form.refuse(no)
        else:
            return See(reverse("desk_disclosure", args=[case.ref]))
    return page(request, "disclosure_new.html", {"form": form}, 400 if request.method == "POST" else 200)


@require_safe
@open_to(*WORKERS)
def view(request: HttpRequest, ref: str) -> HttpResponse:
    return page(request, "disclosure.html", told(request, found(ref)))


def told(request: HttpRequest, case: Case) -> dict[str, Any]:
    """What the page of a case says: all but what is sealed, which is a page of a job on the case."""
    seat = request.desk  # type: ignore[attr-defined]
    standing = disclosure.standing(seat.capability, case)
    scope = disclosure.read_scope(case) if case.scope else None
    return {
        "case": case,
        "names": NAMES,
        "standing": standing,
        "scope": scope,
        "hash": disclosure.scope_hash(case).hex() if scope else "",
        "asked": {"since": _time(case.asked["since"]), "until": _time(case.asked["until"])},
        "dates": {"since": _time(scope.since), "until": _time(scope.until)} if scope else {},
        "customers": [code(one) for one in sorted({place.ref for place in scope.places})] if scope else [],
        "approved": [code(one) for one in standing.approved],
        "waits_until": _time(standing.waits_until) if standing.waits_until else None,
        "approved_by_one": case.approvals == 1,
        "bars": list(case.bars.order_by("pk")),
        "job": seat.job_on(case.person_id),
        "may_read": "officer" in seat.roles,
        "outsiders": list(OutsideApprover.objects.order_by("since")),
        "signature": forms.SignatureForm(None, [(one.key, one.label) for one in OutsideApprover.objects.all()]),
        "prolonging": forms.BarForm(),
        "endings": [(one, OUTCOMES[one]) for one in Case.OUTCOMES],
    }


@takes_files
@form_page
@open_to(*WORKERS, fresh=True)
def narrow(request: HttpRequest, ref: str) -> HttpResponse:
    """Customers, fields and days; what was looked into; and whether the customers may be told."""
    case = found(ref)
    asked = {name: _time(case.asked[name]).date().isoformat() for name in ("since", "until")}
    form = forms.NarrowForm(request.POST if request.method == "POST" else None, asked).for_basis(case.basis)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        files = taken(request)
        try:
            to = disclosure.Narrowed(
                given["who"].split(), form.by_class(), form.at("since"), form.at("until"), given["checked"],
                given["notice_days"], files[0] if files else None,
                form.at("bar_until") if given["bar_until"] else None,
            )  # fmt: skip
            disclosure.narrow(_seat(request), case, to)
        except Refused as no:
            form.refuse(no)
        else:
            return See(reverse("desk_disclosure", args=[case.ref]))
    return page(
        request, "disclosure_narrow.html", {"form": form, "case": case}, 400 if request.method == "POST" else 200
    )


@require_POST
@open_to(*WORKERS, fresh=True)
def do(request: HttpRequest, ref: str) -> HttpResponse:
    """One step of a case: approve, hand over, end it."""
    case, what, seat = found(ref), request.POST.get("do", ""), _seat(request)
    if what == "approve":
        if request.POST.get("hash") != disclosure.scope_hash(case).hex():
            raise Refused(_("The scope is not the one that your page showed: look at it again."))
        disclosure.approve(seat, case)
    elif what == "hand-over":
        disclosure.hand_over(seat, case)
    elif what == "end":
        disclosure.end(seat, case, request.POST.get("outcome", ""))
    else:
        raise Refused(_("Choose what is to be done with one of the buttons."))
    return See(reverse("desk_disclosure", args=[case.ref]))


@require_POST
@open_to(*WORKERS)
def sign(request: HttpRequest, ref: str) -> HttpResponse:
    """What an outside approver signed."""
    case, key = found(ref), request.POST.get("key", "")
    try:
        signature = bytes.fromhex(request.POST.get("signature", "").strip())
        known = bytes.fromhex(key)
    except ValueError:
        raise Refused(_("That is no signature: 128 hexadecimal characters, as they were printed.")) from None
    disclosure.sign(request.desk.capability, case, known, signature)  # type: ignore[attr-defined]
    return See(reverse("desk_disclosure", args=[case.ref]))


@takes_files
@require_POST
@open_to(*WORKERS, fresh=True)
def prolong(request: HttpRequest, ref: str) -> HttpResponse:
    case, form = found(ref), forms.BarForm(request.POST)
    if not form.is_valid():
        return page(request, "disclosure.html", told(request, case) | {"prolonging": form}, 400)
    disclosure.prolong(_seat(request), case, _file(request), form.at("bar_until"))
    return See(reverse("desk_disclosure", args=[case.ref]))


@require_safe
@open_to(*WORKERS, fresh=True)
def bundle(request: HttpRequest, ref: str) -> HttpResponse:
    """What goes to the recipient: sealed to them, unreadable here."""
    case = found(ref)
    if case.bundle is None:
        raise Http404
    headers = {"Content-Disposition": f'attachment; filename="{case.ref}.zip.age"', "Cache-Control": "no-store"}
    return HttpResponse(bytes(case.bundle), content_type="application/octet-stream", headers=headers)


@form_page
@open_to("owner", fresh=True)
def outsiders(request: HttpRequest) -> HttpResponse:
    """Outside approvers, for a firm where too few work: registered beforehand, by their own key."""
    form = forms.OutsiderForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        disclosure.register_outsider(_seat(request), form.cleaned_data["key"], form.cleaned_data["office"])
        return See(reverse("desk_disclosures"))
    context = {"form": form, "known": list(OutsideApprover.objects.order_by("since"))}
    return page(request, "disclosure_outsiders.html", context, 400 if request.method == "POST" else 200)


def found(ref: str) -> Case:
    case = Case.objects.filter(pk=ref).first() if SHAPE.match(ref) else None
    if case is None:
        raise Http404
    return case


def _seat(request: HttpRequest) -> disclosure.Seat:
    seat = request.desk  # type: ignore[attr-defined]
    return disclosure.Seat(seat.capability, seat.fresh)


def _file(request: HttpRequest) -> Intake:
    files = taken(request)
    if len(files) != 1:
        raise Refused(_("Give the document, as one file."), "enclosed")
    return files[0]


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
