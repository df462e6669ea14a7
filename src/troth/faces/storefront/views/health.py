"""For those who watch the machine: is it alive, and how much is there. Counts only, nothing about anybody."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from troth.faces.api.callers import is_here
from troth.pledge.due.models import Due
from troth.pledge.vault.models import Person
from troth.shop.clauses import published
from troth.shop.orders.models import Order


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 "ok" when the database answers, 503 when it does not."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("the database does not answer\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text format, version 0.0.4. For this machine only: how much is sold is nobody else's business."""
    if not is_here(request):
        raise Http404
    lines = []
    for name, what, value in _counts():
        lines += [f"# HELP {name} {what}", f"# TYPE {name} gauge", f"{name} {value}"]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")


def _counts() -> list[tuple[str, str, int]]:
    waiting = Due.objects.filter(gave_up_at__isnull=True)
    return [
        ("troth_orders_open", "Orders that wait for a payment.", Order.objects.filter(state=Order.OPEN).count()),
        ("troth_orders_held", "Orders that wait for somebody's look.", Order.objects.filter(state=Order.HELD).count()),
        ("troth_orders_paid", "Orders that are paid.", Order.objects.filter(state=Order.PAID).count()),
        ("troth_due_waiting", "Things still to be done.", waiting.count()),
        ("troth_due_given_up", "Things nobody could do.", Due.objects.filter(gave_up_at__isnull=False).count()),
        ("troth_blanks", "Keys in stock for newcomers.", Person.objects.filter(taken_at__isnull=True).count()),
        *((f"troth_promises_{state}", f"Promises: {state}.", count) for state, count in published.counts().items()),
    ]
