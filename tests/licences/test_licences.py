"""Licences of orders: given once with the delivery, ended and revived with their line, replaced, revoked."""

from datetime import date

import pytest

from tests.house import House
from tests.licences.bought import bought, key_of, ordered
from troth.pledge.due.models import Due
from troth.shop.catalogue.models import Edition, Product
from troth.shop.journeys import deliver, licence
from troth.shop.licences.models import Licence, RetiredKey
from troth.shop.licences.standing import NoLicence, find
from troth.shop.orders.models import Order, OrderLine


class Mine:
    """A claim on a due row that nobody takes away."""

    def still_mine(self) -> bool:
        return True


def refusal(key: str) -> str:
    with pytest.raises(NoLicence) as no:
        find(key)
    return no.value.code


def test_a_paid_line_has_one_licence_however_often_it_is_delivered(house: House, edition: Edition) -> None:
    order = bought(house, edition)
    key = key_of(order)
    for _ in range(3):
        deliver.deliver(order.ref, Mine())
    assert key_of(order) == key
    assert find(key).order == order.ref
    assert Licence.objects.get().updates_until == licence.months_later(order.paid_at.date(), 12)


def test_nothing_unpaid_has_a_licence(house: House, edition: Edition) -> None:
    order = ordered(edition)
    deliver.deliver(order.ref, Mine())
    assert licence.of(order) == []


def test_sites_are_those_of_the_edition_times_what_was_bought(house: House, edition: Edition) -> None:
    Edition.objects.update(sites=5)
    (shown,) = licence.of(bought(house, edition, quantity=3))
    assert shown.sites == 15
    Edition.objects.update(sites=1)  # what was sold stays as it was sold
    assert Licence.objects.get().sites == 15
    Edition.objects.update(sites=0)
    (shown,) = licence.of(bought(house, edition, quantity=3))
    assert shown.sites == 0


def test_an_edition_with_all_updates_has_no_date(house: House, edition: Edition) -> None:
    Edition.objects.update(update_months=0)
    (shown,) = licence.of(bought(house, edition))
    assert (shown.updates_until, shown.updates_over) == (None, False)


def test_a_service_has_no_licence(house: House, edition: Edition) -> None:
    Product.objects.update(kind=Product.SERVICE)
    assert licence.of(bought(house, edition)) == []


def test_the_licence_ends_with_its_line_and_comes_back_with_it(house: House, edition: Edition) -> None:
    order = bought(house, edition)
    key = key_of(order)
    for ended, code in (("disputed", "disputed"), ("refunded", "refunded"), ("reversed", "refunded")):
        OrderLine.objects.update(ended=ended)
        assert refusal(key) == code
        assert licence.of(order)[0].ended
    OrderLine.objects.update(ended="")  # as access.follow does after a dispute that was won
    assert find(key).order == order.ref
    Order.objects.update(state=Order.REFUNDED)
    assert refusal(key) == "refunded"


def test_a_replaced_key_stops_at_once(house: House, edition: Edition) -> None:
    order = bought(house, edition)
    old = key_of(order)
    licence.rotate(Licence.objects.get().id)
    new = key_of(order)
    assert new != old
    assert find(new).order == order.ref
    assert refusal(old) == "replaced"
    licence.rotate(Licence.objects.get().id)
    assert (refusal(old), refusal(new)) == ("replaced", "replaced")
    assert RetiredKey.objects.count() == 2


def test_a_licence_that_is_not_in_force_gets_no_new_key(house: House, edition: Edition) -> None:
    order = bought(house, edition)
    key = key_of(order)
    assert licence.revoke(Licence.objects.get().id)
    assert not licence.revoke(Licence.objects.get().id)
    with pytest.raises(licence.Refused):
        licence.rotate(Licence.objects.get().id)
    assert refusal(key) == "revoked"
    assert key_of(order) == key


def test_every_unknown_key_hears_the_same(house: House, edition: Edition) -> None:
    key = key_of(bought(house, edition))
    said = set()
    for unknown in (key[:-1] + ("A" if key[-1] != "A" else "B"), "", "x" * 5000, "\0", "ÄÖÜ", "0" * 28):
        with pytest.raises(NoLicence) as no:
            find(unknown)
        said.add((no.value.code, no.value.sentence))
    assert len(said) == 1


def test_a_table_gives_no_key_away(house: House, edition: Edition) -> None:
    key = key_of(bought(house, edition))
    row = Licence.objects.values().get()
    told = repr({name: bytes(value) if name == "key_hidden" else value for name, value in row.items()})
    assert key not in told
    assert key.replace("-", "") not in told


def test_months_end_where_months_end() -> None:
    assert licence.months_later(date(2026, 8, 31), 6) == date(2027, 2, 28)
    assert licence.months_later(date(2027, 12, 31), 2) == date(2028, 2, 29)
    assert licence.months_later(date(2026, 11, 22), 12) == date(2027, 11, 22)


def test_no_errand_is_left(house: House, edition: Edition) -> None:
    bought(house, edition)
    assert not Due.objects.filter(kind="deliver").exists()
