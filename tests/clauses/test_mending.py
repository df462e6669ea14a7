"""What a planted breach leaves behind is put right when it is mended."""

from datetime import timedelta

import pytest

from tests.house import House
from tests.journeys.test_buy_to_delivery import begin, come_back, pay
from troth.pledge.policy.clause import Mutant
from troth.pledge.vault import seen
from troth.pledge.vault.classes import Contact as Record
from troth.pledge.vault.door import door
from troth.pledge.vault.models import Seen
from troth.shop.accounts.models import Contact
from troth.shop.catalogue.models import Edition
from troth.shop.clauses import BY_ID, mending, p16_at_rest
from troth.shop.journeys import register
from troth.shop.orders.models import Order


def mutant(clause_id: str) -> Mutant:
    return BY_ID[clause_id].mutants[0]


def stored() -> list[bytes]:
    return [bytes(value) for value in Contact.objects.values_list("contact", flat=True)]


def test_what_was_written_in_clear_is_sealed_for_its_person(house: House) -> None:
    with mutant("P16").planted():
        register.register("Alice", "alice@b.example", "heron and lantern", "LS1 4AP")
    assert [p16_at_rest.lies_open(value, Record) for value in stored()] == [True]
    mending.after("P16")
    assert [p16_at_rest.lies_open(value, Record) for value in stored()] == [False]
    with house.as_worker():
        (told,) = door().open([Contact.objects.get().contact], purpose="notice", job="test")
    assert (told.name, told.email) == ("Alice", "alice@b.example")


@pytest.mark.parametrize("name", ["a forged value is opened", "an older keyring put back"])
def test_what_the_keeper_was_made_to_tell_is_put_right(house: House, edition: Edition, name: str) -> None:
    (planted,) = [one for one in BY_ID["P16"].mutants if one.name == name]
    with house.as_worker():
        seen.compare()
        with planted.planted():
            seen.compare()
            assert seen.trouble() or seen.incidents()
            erased = Seen.objects.get().erased
        Seen.objects.update(erased=erased)  # as if the demo had been stopped without ado
        mending.after("P16")
        assert (seen.trouble(), seen.incidents()) == ("", {})
    register.register("Alice", "alice@b.example", "heron and lantern", "LS1 4AP")
    with house.as_worker():
        (told,) = door().open([Contact.objects.get().contact], purpose="notice", job="test")
    assert told.name == "Alice"


def test_what_was_never_made_due_is_delivered(house: House, edition: Edition) -> None:
    with mutant("P8").planted():
        order = begin(edition)
        come_back(order, pay(house, order))
        house.works(later=timedelta(minutes=5))
    assert (Order.objects.get().state, house.mails) == (Order.PAID, [])
    mending.after("P8")
    house.works()
    assert len(house.mails) == 1
