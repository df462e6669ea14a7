"""A mailbox that objected to mailings: the keeper opens it for none, for nobody, until it allows them anew."""

from __future__ import annotations

import pytest

from tests.house import House
from tests.vault.conftest import ALICE, sealed_for
from troth.pledge.vault.classes import Contact as ContactData
from troth.pledge.vault.door import KeeperRefused
from troth.shop.accounts.models import Contact


def letter(house: House, contact: Contact) -> ContactData:
    (to,) = house.worker.open([contact.contact], purpose="marketing", job="check-mailing")
    return to


def refusal(house: House, contact: Contact) -> str:
    with pytest.raises(KeeperRefused) as no:
        letter(house, contact)
    return no.value.code


def fresh(data: ContactData = ALICE) -> Contact:
    return Contact.objects.get(pk=sealed_for(data).pk)


def test_nobody_is_open_for_a_mailing_until_it_is_allowed_and_after_it_is_withdrawn(house: House) -> None:
    alice = fresh()
    assert refusal(house, alice) == "gone"
    house.worker.allow("marketing", alice.contact)
    assert letter(house, alice) == ALICE
    house.worker.withdraw("marketing", ref=alice.person_id)
    assert refusal(house, alice) == "gone"


def test_an_objection_holds_for_everybody_with_that_mailbox_and_after_its_person_is_forgotten(house: House) -> None:
    alice, twin = fresh(), fresh(ContactData("A. Heronsgate", " Alice@Heronsgate.example"))
    for one in (alice, twin):
        house.worker.allow("marketing", one.contact)
    house.worker.withdraw("marketing", ref=alice.person_id, objects=alice.contact)
    assert refusal(house, twin) == "objected"  # whatever wraps were made before
    house.worker.shred(alice.person_id)
    later = fresh()
    with pytest.raises(KeeperRefused) as no:
        house.worker.allow("marketing", later.contact)
    assert no.value.code == "objected"
    assert refusal(house, later) == "gone"


def test_it_outlives_the_rotation_of_the_look_up_key(house: House) -> None:
    alice = fresh()
    house.worker.withdraw("marketing", ref=alice.person_id, objects=alice.contact)
    house.worker.shred(alice.person_id)
    steps = [house.worker.rotate("lookup", last=True).left for _ in range(3)]
    assert 0 in steps
    with pytest.raises(KeeperRefused):
        house.worker.allow("marketing", fresh().contact)


def test_the_keyring_knows_such_a_mailbox_by_a_keyed_hash_alone(house: House) -> None:
    alice = fresh()
    house.worker.withdraw("marketing", ref=alice.person_id, objects=alice.contact)
    ((kept,),) = house.keeper.db.execute("SELECT mailbox FROM objected").fetchall()
    assert len(kept) == 16
    assert kept not in {row[0] for row in house.keeper.db.execute("SELECT mailbox FROM reached")}


def test_who_allows_it_anew_is_written_to_again(house: House) -> None:
    alice = fresh()
    house.worker.withdraw("marketing", ref=alice.person_id, objects=alice.contact)
    house.worker.allow("marketing", alice.contact, anew=True)
    assert letter(house, alice) == ALICE


def test_nobody_objects_or_allows_by_a_contact_that_is_none_of_the_persons(house: House) -> None:
    alice, bob = fresh(), fresh(ContactData("Bob", "bob@attack.example"))
    for contact in (alice, bob):
        house.worker.redeem(ref=contact.person_id, kind="invite", mailbox=letter_of(house, contact))
    with pytest.raises(KeeperRefused) as no:
        house.worker.withdraw("marketing", ref=bob.person_id, objects=alice.contact)
    assert no.value.code == "shape"
    forged = sealed_as(bob, ALICE)
    with pytest.raises(KeeperRefused) as no:
        house.worker.withdraw("marketing", ref=bob.person_id, objects=forged.contact)
    assert no.value.code == "astray"
    with pytest.raises(KeeperRefused):
        house.web.allow("marketing", alice.contact)  # the web's door wants a capability


def letter_of(house: House, contact: Contact) -> str:
    (to,) = house.worker.open([contact.contact], purpose="notice", job="check-mailing")
    return to.email


def sealed_as(contact: Contact, data: ContactData) -> Contact:
    from troth.pledge.vault.fields import seal

    forged = Contact(person=contact.person, state=Contact.OLD)
    seal(forged, "contact", data)
    return forged
