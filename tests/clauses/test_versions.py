"""A change of the policy from end to end: told first, in force later, and nothing given before is used for more."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from django.conf import settings
from django.test import Client

from tests.house import House
from tests.journeys.test_buy_to_delivery import begin, come_back, pay
from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.keeper import policy
from troth.pledge.policy.models import Version
from troth.pledge.vault.classes import Locality
from troth.pledge.vault.door import KeeperRefused, door
from troth.pledge.vault.fields import Sealed
from troth.pledge.vault.keysets import keys_of
from troth.pledge.vault.models import LedgerEvent, Person
from troth.pledge.vault.sealing import seal as seal_bytes
from troth.shop import policy_version
from troth.shop.accounts.models import Locality as LocalityRow
from troth.shop.catalogue.models import Edition
from troth.shop.clauses import versions
from troth.shop.journeys import choose, register, tell_of_policy
from troth.shop.orders.models import Basket, Order


def numbers(**changed: int) -> None:
    """The owner changes numbers in [policy] and starts the shop anew."""
    changed_policy = msgspec.structs.replace(settings.TROTH.policy, **changed)
    settings.TROTH = msgspec.structs.replace(settings.TROTH, policy=changed_policy)
    versions.look()


def about_policy(house: House) -> list[str]:
    return [mail.to[0] for mail in house.mails if "privacy policy changes" in mail.text]


def test_a_change_is_told_to_all_and_counts_after_its_notice(house: House, edition: Edition) -> None:
    versions.look()
    first = policy_version.current()
    register.register("Alice", "alice@b.example", "heron and lantern", "LS1 4AP")
    order = begin(edition)
    come_back(order, pay(house, order))
    house.works()
    assert Order.objects.get().policy_version == first
    clock.travel(timedelta(days=1))
    numbers(network_days=60)
    assert policy_version.current() == first  # nobody was told yet
    assert "What changes" in Client().get("/privacy").content.decode().replace("what changes", "What changes")
    house.works()
    house.works(later=timedelta(minutes=1))  # the letters wait for the day that they name
    assert len(about_policy(house)) == 2  # Alice, and the guest who bought
    assert policy_version.current() == first
    house.works(later=timedelta(days=settings.TROTH.policy.change_notice_days, minutes=1))
    second = policy_version.current()
    assert second != first
    page = Client().get(f"/privacy/{second}").content.decode()
    assert "<del>90</del>" in page and "<ins>60</ins>" in page
    assert Client().get(f"/privacy/{first}").status_code == 200
    assert Client().get("/privacy/2020-01-01-00000000").status_code == 404
    Basket.objects.all().delete()
    begin(edition)
    assert Order.objects.order_by("made_at").last().policy_version == second
    assert {event["version"] for event in _noted()} == {first, second}


def _noted() -> list[dict[str, str]]:
    return [row.event for row in LedgerEvent.objects.filter(event_id__startswith="policy-")]


def test_telling_goes_on_where_it_was_cut_off_and_tells_nobody_twice(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions.look()
    for name in ("a", "b", "c"):
        register.register(name.upper(), f"{name}@b.example", "heron and lantern", "LS1 4AP")
    house.works()
    monkeypatch.setattr(tell_of_policy, "SLICE", 1)
    clock.travel(timedelta(days=1))
    numbers(network_days=60)
    with house.as_worker():
        claimed = due.Claim
        with pytest.raises(due.Again):
            tell_of_policy.everybody(versions.kept()[0].name, claimed)
    assert Version.objects.get(pk=versions.kept()[0].pk).takes_effect_at is None
    house.works(later=timedelta(minutes=5))
    house.works(later=timedelta(minutes=5))
    assert sorted(about_policy(house)) == ["a@b.example", "b@b.example", "c@b.example"]


def test_who_asked_for_no_mail_gets_none(house: House) -> None:
    versions.look()
    register.register("Alice", "alice@b.example", "heron and lantern", "LS1 4AP")
    choose.news(LocalityRow.objects.get().person_id, False, "account")
    house.works()
    clock.travel(timedelta(days=1))
    numbers(network_days=60)
    house.works()
    house.works(later=timedelta(minutes=1))
    assert about_policy(house) == []
    assert versions.kept()[0].takes_effect_at is not None


def test_the_same_words_make_no_new_version(house: House) -> None:
    for _ in range(3):
        versions.look()
    assert Version.objects.count() == 1


class Wider(Locality, frozen=True):
    """What a form of a later version asks for, with the new purpose beside it."""

    schema = 2


def test_what_was_given_before_gains_no_purpose_and_what_is_given_anew_does(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    register.register("Alice", "alice@b.example", "heron and lantern", "LS1 4AP")
    row = LocalityRow.objects.get()
    monkeypatch.setitem(policy.OPENS, ("locality", "notice"), "standing")
    monkeypatch.setitem(policy.SINCE, ("locality", "notice"), 2)
    with house.as_worker():
        with pytest.raises(KeeperRefused) as no:
            door().open([row.locality], purpose="notice", job="test")
        assert no.value.code == "given-before"
        (opened,) = door().open([_given_anew(row)], purpose="notice", job="test")
    assert opened.postcode == "LS1 4AP"


def test_an_older_value_cannot_pass_for_one_given_anew(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The schema is bound into the seal: who writes 2 beside what was sealed under 1 gets nothing."""
    register.register("Alice", "alice@b.example", "heron and lantern", "LS1 4AP")
    row = LocalityRow.objects.get()
    monkeypatch.setitem(policy.OPENS, ("locality", "notice"), "standing")
    monkeypatch.setitem(policy.SINCE, ("locality", "notice"), 2)
    forged = Sealed(row.locality.ciphertext, msgspec.structs.replace(row.locality.place, schema=2), Wider)
    with house.as_worker(), pytest.raises(KeeperRefused):
        door().open([forged], purpose="notice", job="test")


def _given_anew(row: LocalityRow) -> Sealed:
    place = msgspec.structs.replace(row.locality.place, schema=2)
    person = Person.objects.get(pk=row.person_id)
    return Sealed(seal_bytes(keys_of(person), place, msgspec.msgpack.encode(Wider("LS1 4AP"))), place, Wider)
