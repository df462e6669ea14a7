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


def test_an_insert_leaves_what_stands_there_and_tells_what_did_not(house: House) -> None:
    now = clock.now()

    def wanted(subject: str, code: str) -> Due:
        return Due(kind="test", subject=subject, run_after=now, last_code=code)

    (first,) = returning.insert(Due, [wanted("a", "first")])
    (second,) = returning.insert(Due, [wanted("a", "second"), wanted("b", "second")])
    stand = {row.pk: (row.subject, row.last_code) for row in Due.objects.filter(kind="test")}
    assert stand == {first: ("a", "first"), second: ("b", "second")}
    assert returning.insert(Due, [wanted("a", "third")]) == set()
    assert returning.insert(Due, []) == set()


def test_more_rows_than_one_statement_holds_are_inserted_all(house: House) -> None:
    rows = [Due(kind="test", subject=f"{number}") for number in range(700)]
    assert len(returning.insert(Due, rows)) == Due.objects.filter(kind="test").count() == 700
