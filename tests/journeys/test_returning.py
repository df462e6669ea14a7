"""Statements that tell what they wrote: what others wrote stays, and who comes second hears what stands there."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.db.models import F

from tests.house import House
from troth.pledge import clock, returning
from troth.pledge.due.models import Due
from troth.shop.invoices.models import Series

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_update_tells_the_rows_as_they_are_now(house: House) -> None:
    Series.objects.bulk_create([Series(name="one", last=4), Series(name="two", last=7)])
    with transaction.atomic():
        raised = returning.update(Series.objects.filter(name__in=("one", "none")), last=F("last") + 1)
    assert [(row.name, row.last) for row in raised] == [("one", 5)]
    assert returning.update(Series.objects.filter(name="none"), last=1) == []
    assert dict(Series.objects.values_list("name", "last"))["two"] == 7


def test_times_come_back_as_times(house: House) -> None:
    now = clock.now()
    Due.objects.create(kind="test", subject="returning", run_after=now)
    (row,) = returning.update(Due.objects.filter(kind="test"), lease_until=now)
    assert (row.run_after, row.lease_until, row.gave_up_at) == (now, now, None)


def test_an_insert_leaves_what_stands_there_and_tells_it(house: House) -> None:
    once, now = ["kind", "subject"], clock.now()

    def wanted(subject: str, code: str) -> Due:
        return Due(kind="test", subject=subject, run_after=now, last_code=code)

    (first,) = returning.insert(Due, [wanted("a", "first")], once)
    both = returning.insert(Due, [wanted("a", "second"), wanted("b", "second")], once)
    assert {(row.subject, row.last_code) for row in both} == {("a", "first"), ("b", "second")}
    assert first.pk in {row.pk for row in both}
    assert set(Due.objects.filter(kind="test").values_list("subject", "last_code")) == {
        (row.subject, row.last_code) for row in both
    }
    assert returning.insert(Due, [], once) == []
