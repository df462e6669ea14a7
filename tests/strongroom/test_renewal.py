"""Persons' own keys are replaced while the shop goes on, whatever dies on the way, and the former ones open nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from django.test import Client

from tests.house import House
from troth.pledge.due import loop as due
from troth.pledge.ids import to_bytes
from troth.pledge.keeper.messages import Record, Refused
from troth.pledge.keeper.persons import FORMER
from troth.pledge.vault.classes import Locality as LocalityData
from troth.pledge.vault.door import KeeperAway, KeeperRefused
from troth.pledge.vault.fields import Sealed, seal
from troth.pledge.vault.keysets import keys_of
from troth.pledge.vault.models import Person, Rotation
from troth.shop.accounts.models import Contact, Locality
from troth.shop.journeys import erase, own_data, renew, rotate, sign_in, who_looked
from troth.shop.orders.models import Billing

PASSWORD = "heron and lantern"
TABLES: tuple[tuple[Any, str], ...] = ((Contact, "contact"), (Billing, "billing"), (Locality, "locality"))


def everything() -> Iterator[Sealed]:
    """Every sealed value that stands."""
    for model, column in TABLES:
        for row in model.objects.filter(**{f"{column}__isnull": False}).order_by("pk"):
            yield getattr(row, column)


def told(house: House) -> list[object]:
    """What all of it says; of who was forgotten that it says nothing."""
    return [said(house, value.record) for value in everything()]


def said(house: House, record: Record) -> object:
    try:
        return msgspec.msgpack.decode(house.keeper.room.unseal(record, "standing"))
    except Refused as refused:
        return refused.code


def versions(ref: str) -> set[int]:
    return {value.record.version for value in everything() if value.place.ref == ref}


def former(house: House, ref: str) -> bool:
    return any(name.startswith(FORMER) for name in house.keeper.room.persons.wraps(to_bytes(ref)))


def renewed(house: House, what: str = renew.EVERYBODY) -> None:
    rotate.begin(what)
    house.works()
    house.works(later=renew.GRACE)
    house.works()
    assert Rotation.objects.get(pk=what).left == 0


def test_one_persons_keys_are_replaced_and_nobody_elses(town: House) -> None:
    ada = sign_in.sign_in("ada@b.example", PASSWORD)
    others = {person.ref: bytes(person.key_set) for person in Person.objects.exclude(pk=ada.person_ref)}
    before_it, copies = told(town), [value.record for value in everything() if value.place.ref == ada.person_ref]
    before = who_looked.looks(ada.person_ref, ada.capability)[0]
    renewed(town, ada.person_ref)
    assert told(town) == before_it
    assert versions(ada.person_ref) == {2}
    assert keys_of(Person.objects.get(pk=ada.person_ref)).version == 2
    assert not former(town, ada.person_ref)
    for record in copies:
        assert said(town, record) == "seal"  # of a copy of the main database from before
    after = who_looked.looks(ada.person_ref, ada.capability)[0]
    assert before == after[-len(before) :]
    assert own_data.show(ada.person_ref, ada.capability).email == "ada@b.example"
    assert {person.ref: bytes(person.key_set) for person in Person.objects.exclude(pk=ada.person_ref)} == others


def test_everybodys_are_but_who_was_forgotten(town: House) -> None:
    before = told(town)
    gone = {ref for (ref,) in town.keeper.db.execute("SELECT ref FROM erased")}
    renewed(town)
    assert told(town) == before
    for person in Person.objects.all():
        if to_bytes(person.ref) in gone:
            assert versions(person.ref) <= {1}
        else:
            assert versions(person.ref) <= {2}
            assert keys_of(person).version == 2
            assert not former(town, person.ref)


def test_who_writes_meanwhile_to_the_former_keys_loses_nothing(town: House) -> None:
    ada = sign_in.sign_in("ada@b.example", PASSWORD)
    late = Locality.objects.get(person=ada.person_ref)
    assert late.person.ref == ada.person_ref  # read, with the key set of before
    rotate.begin(ada.person_ref)
    town.works()
    assert former(town, ada.person_ref)
    seal(late, "locality", LocalityData("EH1 1YZ"))
    late.save()
    assert versions(ada.person_ref) == {1, 2}
    assert own_data.show(ada.person_ref, ada.capability).postcode == "EH1 1YZ"  # both open meanwhile
    town.works(later=renew.GRACE)
    town.works()
    assert versions(ada.person_ref) == {2}
    assert not former(town, ada.person_ref)
    assert own_data.show(ada.person_ref, ada.capability).postcode == "EH1 1YZ"


@pytest.mark.parametrize("side", ["before", "after"])
def test_it_goes_on_wherever_it_died(town: House, monkeypatch: pytest.MonkeyPatch, side: str) -> None:
    before, asked = told(town), [0]
    ask = town.worker.renew

    def dying(*what: Any, **more: Any) -> Any:
        """Every third question finds the keeper dead, or its answer is lost."""
        asked[0] += 1
        if side == "after":
            answer = ask(*what, **more)
        if asked[0] % 3 == 1:
            raise KeeperAway
        return answer if side == "after" else ask(*what, **more)

    monkeypatch.setattr(town.worker, "renew", dying)
    monkeypatch.setattr(renew, "AT_ONCE", 1)
    rotate.begin(renew.EVERYBODY)
    for _ in range(200):
        town.works(later=renew.GRACE)
        assert told(town) == before
        if not Rotation.objects.get(pk=renew.EVERYBODY).left:
            break
    assert asked[0] > 20
    standing = [person for person in Person.objects.all() if versions(person.ref) - {1}]
    assert standing
    for person in standing:
        assert not former(town, person.ref)
        assert versions(person.ref) == {keys_of(person).version}
    assert Rotation.objects.get(pk=renew.EVERYBODY).left == 0


def test_a_forged_value_is_told_and_keeps_nobody_waiting(town: House) -> None:
    ada, ben = (sign_in.sign_in(mailbox, PASSWORD) for mailbox in ("ada@b.example", "benjamin@b.example"))
    forged = Locality.objects.get(person=ben.person_ref).locality.ciphertext
    mine = Locality.objects.get(person=ada.person_ref)
    renew._replace(mine, Locality._meta.get_field("locality"), mine.locality.ciphertext, forged)
    renewed(town, ada.person_ref)
    assert sum(town.worker.attest().incidents.values()) >= 1
    assert Contact.objects.get(person=ada.person_ref).contact.record.version == 2
    assert not former(town, ada.person_ref)


def test_what_was_allowed_meanwhile_stays_and_ends_with_a_withdrawal(town: House) -> None:
    ada = sign_in.sign_in("ada@b.example", PASSWORD)
    rotate.begin(ada.person_ref)
    town.works()
    town.web.grant(ada.capability, "marketing")
    held = town.keeper.room.persons.wraps(to_bytes(ada.person_ref))
    assert {"marketing"} < held["contact"].keys() == held[FORMER + "contact"].keys()
    town.web.withdraw("marketing", capability=ada.capability)
    held = town.keeper.room.persons.wraps(to_bytes(ada.person_ref))
    assert set(held["contact"]) == set(held[FORMER + "contact"]) == {"standing"}


def test_who_is_forgotten_meanwhile_is_forgotten_with_both(town: House) -> None:
    ada = sign_in.sign_in("ada@b.example", PASSWORD)
    values = [value for value in everything() if value.place.ref == ada.person_ref]
    rotate.begin(ada.person_ref)
    town.works()
    values += [value for value in everything() if value.place.ref == ada.person_ref]
    erase.begin(erase.opened(ada.person_ref))
    town.works(later=renew.GRACE)
    town.works()
    assert town.keeper.room.persons.wraps(to_bytes(ada.person_ref)) == {}
    assert {str(said(town, value.record)) for value in values} == {"gone"}
    assert Rotation.objects.get(pk=ada.person_ref).left == 0


def test_an_answer_for_another_person_is_refused(town: House) -> None:
    ada, ben = (sign_in.sign_in(mailbox, PASSWORD) for mailbox in ("ada@b.example", "benjamin@b.example"))
    with pytest.raises(KeeperRefused, match="shape"):
        town.worker.renew(ada.person_ref, [Contact.objects.filter(person=ben.person_ref)[0].contact])
    with pytest.raises(KeeperRefused, match="door"):
        town.web.renew(ada.person_ref)


def test_every_capability_ends_at_once(town: House, site: Callable[[], Client]) -> None:
    browser = site()
    ada = sign_in.sign_in("ada@b.example", PASSWORD)
    assert browser.get("/account").status_code == 200
    assert own_data.show(ada.person_ref, ada.capability).email == "ada@b.example"
    rotate.begin("capabilities")
    town.works()
    assert browser.get("/account").status_code == 303
    with pytest.raises(KeeperRefused, match="capability"):
        town.web.open([Contact.objects.get(person=ada.person_ref).contact], purpose="account", job="look",
                      capability=ada.capability)  # fmt: skip
    assert sign_in.sign_in("ada@b.example", PASSWORD, ada.device).person_ref == ada.person_ref
    assert Rotation.objects.get(pk="capabilities").left == 0
    due.hasten("rotate", "capabilities")


@pytest.fixture
def site(town: House) -> Callable[[], Client]:
    def signed_in() -> Client:
        client = Client()
        how = {"HTTP_ORIGIN": "http://testserver", "HTTP_SEC_FETCH_SITE": "same-origin"}
        client.post("/sign-in", {"email": "ada@b.example", "password": PASSWORD}, **how)
        return client

    return signed_in


def test_only_who_is_there(town: House) -> None:
    with pytest.raises(ValueError, match="per_"):
        rotate.begin("per_aaaaaaaaaaaaaaaaaaaaaaaaaa")
