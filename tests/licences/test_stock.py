"""Keys from elsewhere: each is sold once, reserved before it is paid, given back when nobody pays."""

from datetime import timedelta

import pytest
from click.testing import CliRunner

from tests.house import House
from tests.journeys.test_buy_to_delivery import come_back, pay
from tests.licences.bought import bought, key_of, ordered
from troth.faces.cli.licences import licences
from troth.pledge.due.models import Due
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import buy, licence
from troth.shop.licences import stock
from troth.shop.licences.models import Licence, StockKey
from troth.shop.licences.standing import find
from troth.shop.orders.models import Order
from troth.shop.refusal import Refused


def put_in(edition: Edition, *keys: str) -> stock.Imported:
    return licence.fill(edition, list(keys), lambda done: None)


def test_keys_of_a_stock_are_sold_in_their_order_and_once(house: House, edition: Edition) -> None:
    assert put_in(edition, "AAA-1", "BBB-2", "CCC-3").free == 3
    keys = [one.key for one in licence.of(bought(house, edition, quantity=2))]
    assert keys == ["AAA-1", "BBB-2"]
    assert key_of(bought(house, edition)) == "CCC-3"
    with pytest.raises(Refused) as no:
        ordered(edition)
    assert "sold out" in no.value.sentence
    assert find("BBB-2").sites == 1


def test_too_few_for_an_order_reserve_none(house: House, edition: Edition) -> None:
    put_in(edition, "AAA-1", "BBB-2")
    with pytest.raises(Refused):
        ordered(edition, quantity=3)
    assert StockKey.objects.filter(line__isnull=True).count() == 2
    assert not Order.objects.exists()


def test_an_order_that_nobody_pays_gives_its_keys_back(house: House, edition: Edition) -> None:
    put_in(edition, "AAA-1")
    first = ordered(edition)
    with pytest.raises(Refused):
        ordered(edition)
    house.works(later=timedelta(hours=49))
    first.refresh_from_db()
    assert first.state == Order.EXPIRED
    assert key_of(bought(house, edition)) == "AAA-1"


def test_late_money_waits_for_a_key_and_gets_one(house: House, edition: Edition) -> None:
    put_in(edition, "AAA-1")
    late = ordered(edition)
    back = pay(house, late)
    house.sandbox.faults.add("500", "/v2/checkout/orders", times=50)  # the shop cannot see that it was approved
    house.works(later=timedelta(hours=49))
    house.sandbox.faults.clear()
    assert key_of(bought(house, edition)) == "AAA-1"
    come_back(late, back)
    house.works()
    waiting = Due.objects.get(kind="deliver")
    assert (waiting.subject, waiting.last_code) == (late.ref, licence.SOLD_OUT)
    assert licence.of(late) == []
    put_in(edition, "BBB-2")
    house.works()
    assert key_of(late) == "BBB-2"
    assert sum("/orders/" in mail.text for mail in house.mails) == 2


def test_a_lapsed_order_hears_that_it_is_sold_out_before_it_is_paid(house: House, edition: Edition) -> None:
    put_in(edition, "AAA-1")
    late = ordered(edition)
    house.works(later=timedelta(hours=49))
    late.refresh_from_db()
    assert buy.pay_again(late, "skrill")
    bought(house, edition)
    with pytest.raises(Refused) as no:
        buy.pay_again(late, "skrill")
    assert "sold out" in no.value.sentence


def test_a_replaced_key_takes_the_next_one(house: House, edition: Edition) -> None:
    put_in(edition, "AAA-1", "BBB-2")
    order = bought(house, edition)
    licence.rotate(Licence.objects.get().id)
    assert key_of(order) == "BBB-2"
    with pytest.raises(Refused):
        licence.rotate(Licence.objects.get().id)
    assert key_of(order) == "BBB-2"
    assert put_in(edition, "AAA-1").added == 0  # neither sold again nor put back


def test_importing_twice_adds_nothing(house: House, edition: Edition) -> None:
    assert put_in(edition, "AAA-1", "", "  ", "BBB-2", "AAA-1 ").added == 2
    again = put_in(edition, "BBB-2", "CCC-3")
    assert (again.added, again.known, again.free) == (1, 1, 3)


def test_a_file_with_a_wrong_line_imports_nothing_and_repeats_no_key(house: House, edition: Edition, tmp_path) -> None:
    file = tmp_path / "keys.txt"
    file.write_text("AAA-1\nB\x07B\n" + "C" * 201 + "\n")
    ran = CliRunner().invoke(licences, ["import", "field-guide/single", str(file)])
    assert ran.exit_code == 1
    assert "line 2" in ran.output and "line 3" in ran.output and "CCC" not in ran.output
    assert not StockKey.objects.exists()


def test_the_command_says_what_it_did_and_what_it_does_not_know(house: House, edition: Edition, tmp_path) -> None:
    file = tmp_path / "keys.txt"
    file.write_text("AAA-1\nBBB-2\n")
    ran = CliRunner().invoke(licences, ["import", "field-guide/single", str(file)])
    assert "2 keys added, 0 were known before; 2 can be sold now." in ran.output
    wrong = CliRunner().invoke(licences, ["import", "field-guide/golden", str(file)])
    assert wrong.exit_code == 1
    assert "field-guide/single" in wrong.output


def test_the_owner_shows_replaces_and_revokes(house: House, edition: Edition) -> None:
    order = bought(house, edition)
    key, (row,) = key_of(order), Licence.objects.all()
    shown = CliRunner().invoke(licences, ["show", order.ref]).output
    assert row.id in shown and "in force" in shown and key not in shown
    assert "replaced" in CliRunner().invoke(licences, ["rotate", row.id]).output
    assert key_of(order) != key
    assert "is revoked" in CliRunner().invoke(licences, ["revoke", row.id]).output
    assert "revoked before" in CliRunner().invoke(licences, ["revoke", row.id]).output
    assert "revoked" in CliRunner().invoke(licences, ["show", order.ref]).output
    for command in ("rotate", "revoke"):
        assert CliRunner().invoke(licences, [command, "lic_none"]).exit_code == 1
