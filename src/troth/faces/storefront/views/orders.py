"""An order's page tells the truth about it at every moment, and nothing about who ordered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from troth.faces.api.callers import came_from
from troth.faces.storefront.answers import page
from troth.faces.storefront.guards import See, answers_for_the_keeper
from troth.faces.storefront.signed_in import ORDER_COOKIE, give_order
from troth.faces.storefront.views import errors
from troth.pledge.ids import SHAPE
from troth.shop.delivery.models import Letter
from troth.shop.invoices import issue
from troth.shop.journeys import (
    bill_anew,
    buy,
    choose,
    download,
    entitlement,
    invoice,
    licence,
    prolong,
    reach,
    refund,
    settle,
    suspend,
    waiting,
)
from troth.shop.money import Money
from troth.shop.orders.models import Order, OrderLine
from troth.shop.payments import gateways
from troth.shop.refusal import Refused
from troth.shop.tax.rules import NONE, percent


@require_safe
def view(request: HttpRequest, ref: str) -> HttpResponse:
    """GET /orders/<ref>. An order that is not theirs and one that does not exist look the same: 404."""
    order = reachable(request, ref)
    return errors.no_such_order(request) if order is None else show(request, order)


@require_POST
def pay(request: HttpRequest, ref: str) -> HttpResponse:
    """Try again, perhaps with the other provider: 303 to its page, or back to the order's if it cannot be reached."""
    order = reachable(request, ref)
    if order is None:
        return errors.no_such_order(request)
    try:
        pay_url = buy.pay_again(order, request.POST.get("provider", ""), came_from(request))
    except Refused as no:
        return show(request, order, no.sentence, 400)
    return See(pay_url or reverse("order", args=[order.ref]))


@require_safe
def by_key(request: HttpRequest, ref: str, token: str) -> HttpResponse:
    """The mailed link: gives this browser a cookie for this order, then leads to the address without the key."""
    order = _found(ref)
    cookie = reach.open_by_key(order, token) if order else None
    if order is None or cookie is None:
        return errors.no_such_order(request)
    if not _looks_ahead(request):
        choose.followed(order)
    path = reverse("order", args=[order.ref])
    response = See(path)
    give_order(response, path, cookie)
    return response


def _looks_ahead(request: HttpRequest) -> bool:
    """A program that looks whether the link leads somewhere, or has it ready for a person who may never come: HEAD, and
    what says so of itself (HTML standard, "Sec-Purpose"; Purpose and X-Moz are older names of it)."""
    told = (request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"))
    return request.method == "HEAD" or any("prefetch" in word or "preview" in word for word in told)


@require_safe
@answers_for_the_keeper
def returned(request: HttpRequest, provider: str, ref: str = "") -> HttpResponse:
    """The buyer is back from the payment page. What the address says is not believed: the provider is asked."""
    try:
        ref = settle.returned(provider, request.GET.dict(), ref)
    except Refused as no:
        return errors.refused(request, str(no.sentence), 404)
    return See(reverse("order", args=[ref]))


def show(request: HttpRequest, order: Order, fault: object = "", status: int = 200) -> HttpResponse:
    lines = list(order.lines.annotate(letter=Subquery(_LETTER)).order_by("pk"))
    standing = waiting.standing(order, lines)
    # How far the letter with the product got: queued, sent, failed. Its row comes with all that an order gives: where
    # there is none, there is nothing yet.
    letter = next((line.letter for line in lines), "") or ""
    owner = request.who.person_ref == order.person_id  # type: ignore[attr-defined]
    papers = issue.papers(order)
    context: dict[str, Any] = {
        "order": order,
        "standing": standing,
        "lines": [_line(line, order.currency) for line in lines],
        "tax": _tax(lines, order.currency) if order.total_minor else None,
        "off": Money(sum(line.off_minor for line in lines), order.currency),
        "links": download.links(order) if standing.state == "paid" and letter else [],
        "invoices": invoice.listed(papers),
        "owner": owner,
        "anew": owner and bill_anew.standing(order, papers, lines),
        "licences": (mine := licence.of(order) if letter else []),
        "composer": licence.commands(mine),
        "services": entitlement.of(order) if letter else [],
        "renewed": prolong.of(order) if letter and any(line.renews for line in lines) else [],
        "money_back": [one for one in refund.of(order) if one.state != "failed"] if standing.went_back else [],
        "letter": letter,
        "providers": [(code, gateways.NAMES[code]) for code in gateways.offered()],
        "provider_names": gateways.NAMES,
        "hold": suspend.told(order) if standing.state in ("held", "refused") else None,
        "fault": fault,
    }
    return page(request, "order.html", context, status)


def _line(line: OrderLine, currency: str) -> dict[str, Any]:
    return {"name": line.name, "quantity": line.quantity, "sum": Money(line.paid_minor, currency)}


def _tax(lines: Sequence[OrderLine], currency: str) -> dict[str, Any] | None:
    """What tax the total holds, or why none. All lines of an order have one treatment: their buyer's."""
    first = lines[0] if lines else None
    if first is None or first.treatment == NONE:
        return None
    taxed = Money(sum(line.tax_minor for line in lines), currency)
    return {"kind": first.treatment, "percent": percent(first.rate), "country": first.tax_country, "sum": taxed}


_LETTER = Letter.objects.filter(order=OuterRef("order"), kind="deliver").values("state")


def _found(ref: str) -> Order | None:
    return Order.found(ref) if SHAPE.match(ref) else None


def reachable(request: HttpRequest, ref: str) -> Order | None:
    order, who = _found(ref), request.who  # type: ignore[attr-defined]
    if order is None:
        return None
    cookie = request.COOKIES.get(ORDER_COOKIE)
    if reach.may_see(order, who.basket_hash, None, cookie) or reach.may_see(order, "", who.person_ref, None):
        return order
    return None
