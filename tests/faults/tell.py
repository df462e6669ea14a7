"""What stands in a shop's database, told as JSON when nothing is under way any more: `python -m tests.faults.tell`.

Waits up to QUIET_WITHIN until nothing is due and nothing leased, and tells what there is all the same if that never
comes. Rows that come round again, and looks that are planned for later, are no work under way.
"""

import json
import os
import sys
import time
from typing import Any

QUIET_WITHIN = 60.0  # seconds


def under_way() -> list[str]:
    from django.db.models import Q

    from troth.pledge import clock
    from troth.pledge.due.models import Due

    hot = Q(run_after__lte=clock.now()) | Q(lease_until__isnull=False) | Q(kind__in=("deliver", "confirm", "bill"))
    rows = Due.objects.filter(hot, every=0).order_by("pk")
    return [f"{row.kind} {row.subject} {row.last_code or '-'} {row.attempts}" for row in rows]


def tell() -> dict[str, Any]:
    from troth.pledge.due.models import Due
    from troth.pledge.vault.models import Person
    from troth.shop.accounts.models import Contact
    from troth.shop.delivery.models import Grant, Letter
    from troth.shop.invoices.models import Invoice, Print, Series
    from troth.shop.orders.models import Order, OrderLine
    from troth.shop.payments.models import Payment

    return {
        "orders": list(Order.objects.values("ref", "person_id", "state", "total_minor")),
        "lines": list(OrderLine.objects.values("pk", "order_id")),
        "payments": list(Payment.objects.values("id", "order_id", "provider", "state", "capture_ref")),
        "invoices": list(Invoice.objects.values("number", "series_id", "sequence", "order_id", "kind", "digest")),
        "series": list(Series.objects.values("name", "last")),
        "prints": list(Print.objects.values_list("invoice__order_id", flat=True)),
        "grants": list(Grant.objects.values("line_id", "used")),
        "letters": list(Letter.objects.values("kind", "subject", "state", "person_id")),
        "due": list(Due.objects.filter(every=0).values("kind", "subject", "last_code", "gave_up_at")),
        "round": sorted(set(Due.objects.exclude(every=0).values_list("kind", flat=True))),
        "taken": list(Person.objects.filter(taken_at__isnull=False).values_list("ref", flat=True)),
        "secrets": Person.objects.filter(taken_at__isnull=False, enrol_secret__isnull=False).count(),
        "contacts": list(Contact.objects.values_list("person_id", flat=True)),
    }


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "troth.faces.settings"
    import django

    django.setup()
    until, calm = time.monotonic() + QUIET_WITHIN, 0
    while time.monotonic() < until and calm < 5:
        calm = 0 if under_way() else calm + 1
        time.sleep(0.2)
    json.dump({**tell(), "under_way": under_way()}, sys.stdout, default=str)


if __name__ == "__main__":
    main()
