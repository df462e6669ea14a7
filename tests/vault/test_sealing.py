"""Seals: what was typed comes back to the letter, only where it lies, only for whom it was sealed."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from django.conf import settings
from django.db import connection, transaction
from hypothesis import HealthCheck, example, given
from hypothesis import settings as extent
from hypothesis import strategies as st

from tests.campaign import rounds
from tests.house import House
from tests.vault.conftest import ALICE, sealed_for
from troth.pledge.keeper.messages import Place
from troth.pledge.keeper.seals import BadSeal, KeySet, sign_key_set
from troth.pledge.vault import door as doors
from troth.pledge.vault import keysets
from troth.pledge.vault.classes import Billing, Locality
from troth.pledge.vault.classes import Contact as ContactData
from troth.pledge.vault.door import Door, KeeperAway, KeeperRefused, Misplaced
from troth.pledge.vault.fields import Sealed, seal
from troth.pledge.vault.models import Person
from troth.pledge.vault.sealing import seal as seal_bytes
from troth.shop.accounts.models import Contact
from troth.shop.accounts.models import Locality as LocalityRow
from troth.shop.orders.models import Billing as BillingRow


def opened(house: House, sealed: Sealed, purpose: str = "deliver") -> object:
    (value,) = house.worker.open([sealed], purpose=purpose, job="deliver")
    return value


def moved(sealed: Sealed, **elsewhere: str) -> Sealed:
    """The same bytes, said to lie elsewhere."""
    return Sealed(sealed.ciphertext, msgspec.structs.replace(sealed.place, **elsewhere), sealed.personal)


texts = st.text(max_size=2000)
_opened = itertools.count()


@pytest.mark.soak
@given(name=texts, email=texts)
@example(name="\0", email="\u202egnp.exe")
@example(name="\U0010ffff\n\r\t", email="")
@example(name="x" * 500_000, email="y")
@extent(max_examples=rounds(60, 2000), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back_as_it_was_typed(house: House, name: str, email: str) -> None:
    row = Contact.objects.order_by("made_at").last()
    if row is None or next(_opened) % 400 == 399:  # nobody is opened more than some hundred times a day
        row = sealed_for()
    seal(row, "contact", ContactData(name, email))
    row.save()
    back = Contact.objects.get(pk=row.pk)
    assert opened(house, back.contact) == ContactData(name, email)
    assert len(name) < 6 or name.encode() not in back.contact.ciphertext


@pytest.mark.soak
def test_ten_thousand_seals_of_one_text_are_all_different(house: House) -> None:
    row = sealed_for()
    seen = set()
    for _ in range(rounds(10_000, 100_000)):
        seal(row, "contact", ALICE)
        seen.add(row.contact.ciphertext)
    assert len(seen) == rounds(10_000, 100_000)
    assert len({sealed[4:36] for sealed in seen}) == len(seen)  # HPKE's encapsulated keys: no ephemeral key came twice


def test_the_ciphertext_opens_nowhere_else(house: House) -> None:
    alice, bob = sealed_for(), sealed_for(ContactData("Bob", "bob@b.example"))
    elsewhere = {
        "table": BillingRow._meta.db_table, "column": "billing", "row": bob.pk, "ref": bob.person_id,
        "klass": "locality",
    }  # fmt: skip
    for part, other in elsewhere.items():
        with pytest.raises(KeeperRefused) as refused:
            opened(house, moved(alice.contact, **{part: other}))
        assert refused.value.code in ("seal", "purpose")
    assert opened(house, alice.contact) == ALICE


def test_rows_swapped_in_the_database_open_for_nobody(house: House) -> None:
    """Who can write the main database cannot have one person's letter sent with another's address."""
    alice, bob = sealed_for(), sealed_for(ContactData("Bob", "bob@b.example"))
    with connection.cursor() as cursor:
        swap = (
            "UPDATE accounts_contact SET contact = (SELECT contact FROM accounts_contact WHERE id = %s) WHERE id = %s"
        )
        cursor.execute(swap, [alice.pk, bob.pk])
    with pytest.raises(KeeperRefused, match="seal"):
        opened(house, Contact.objects.get(pk=bob.pk).contact)
    Contact.objects.filter(pk=alice.pk).update(state=Contact.OLD)
    Contact.objects.filter(pk=bob.pk).update(person=alice.person_id)
    with pytest.raises(KeeperRefused, match="seal"):
        opened(house, Contact.objects.get(pk=bob.pk).contact)


def test_a_person_with_another_ones_key_set_seals_nothing(house: House) -> None:
    alice, bob = sealed_for(), sealed_for()
    Person.objects.filter(pk=alice.person_id).update(key_set=bytes(bob.person.key_set))
    fresh = Contact(person=Person.objects.get(pk=alice.person_id), state=Contact.OLD)
    with pytest.raises(BadSeal):
        seal(fresh, "contact", ALICE)
    assert fresh.__dict__.get("contact") is None


def test_a_key_swapped_in_the_database_seals_nothing(house: House) -> None:
    """The attacker's own public key, in a key set signed by the attacker: nothing is sealed to it."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    alice = sealed_for()
    public = X25519PrivateKey.generate().public_key().public_bytes_raw()
    evil = KeySet(alice.person_id, 1, dict.fromkeys(("contact", "billing", "locality"), public))
    genuine = bytes(alice.person.key_set)
    for planted in (
        sign_key_set(Ed25519PrivateKey.generate(), evil),
        genuine[:64] + msgspec.msgpack.encode(evil),
        genuine[:64],
        b"",
    ):
        Person.objects.filter(pk=alice.person_id).update(key_set=planted)
        fresh = Contact(person=Person.objects.get(pk=alice.person_id), state=Contact.OLD)
        with pytest.raises(BadSeal):
            seal(fresh, "contact", ALICE)


def test_the_verify_key_is_not_taken_from_the_database(house: House) -> None:
    assert (settings.TROTH.home / "keeper.pub").read_text() == keysets.verify_key().public_bytes_raw().hex()


def test_a_value_that_another_wrote_in_its_place_is_refused_or_theirs(house: House) -> None:
    """Public keys are public: who writes the database can seal a text of theirs there, and read none by it."""
    alice = sealed_for()
    forged = seal_bytes(keysets.keys_of(alice.person), alice.contact.place, b"\xff not what a contact looks like")
    with pytest.raises(msgspec.MsgspecError):
        opened(house, Sealed(forged, alice.contact.place, ContactData))


@pytest.mark.parametrize(
    "sealed", [b"", b"\1", b"\1\1\0\1", bytes(52), b"\2\1\0\1" + bytes(60), b"\1\1\0\1" + bytes(900)]
)
def test_what_is_no_seal_is_refused(house: House, sealed: bytes) -> None:
    alice = sealed_for()
    with pytest.raises(KeeperRefused, match="seal"):
        opened(house, Sealed(sealed, alice.contact.place, ContactData))


def test_places_that_look_alike_when_joined_are_different(house: House) -> None:
    """Each part is bound with its length: moving a letter from one name to the next is another place."""
    alice = sealed_for()
    place = alice.contact.place
    shifted = Place(place.table + place.column[0], place.column[1:], place.row, place.ref, place.klass, place.schema)
    with pytest.raises(KeeperRefused, match="seal"):
        opened(house, Sealed(alice.contact.ciphertext, shifted, ContactData))


def test_each_class_opens_for_its_own_purposes(house: House) -> None:
    alice = sealed_for()
    bill = BillingRow(person=alice.person, country="GB")
    seal(bill, "billing", Billing("Alice", "1 Elm Row", "Leeds", "LS1", "GB"))
    place = LocalityRow(person=alice.person)
    seal(place, "locality", Locality("LS1"))
    assert opened(house, bill.billing, "bill") == Billing("Alice", "1 Elm Row", "Leeds", "LS1", "GB")
    for sealed, purpose in ((bill.billing, "deliver"), (bill.billing, "tax"), (place.locality, "notice")):
        with pytest.raises(KeeperRefused):
            opened(house, sealed, purpose)
    with pytest.raises(KeeperRefused):  # all or nothing: one that may not be opened keeps the rest closed
        house.worker.open([alice.contact, bill.billing], purpose="deliver", job="deliver")


class TestGuard:
    """No question to the keeper inside a main transaction, in every kind of test and in the shop."""

    def questions(self, house: House) -> list[object]:
        return [
            lambda: house.web.greet(),
            lambda: house.worker.blank(1),
            lambda: house.web.recover("a@b.example"),
            lambda: house.web.sign_in("a@b.example", "password"),
        ]

    def test_under_a_testcase(self, house: House) -> None:
        assert all(block._from_testcase for block in connection.atomic_blocks)
        house.web.greet()
        for question in self.questions(house):
            with pytest.raises(Misplaced), transaction.atomic():
                question()
        house.web.greet()

    @pytest.mark.django_db(transaction=True)
    def test_under_a_transaction_testcase(self, house: House) -> None:
        assert not connection.atomic_blocks
        house.web.greet()
        for question in self.questions(house):
            with pytest.raises(Misplaced), transaction.atomic():
                question()
        with transaction.atomic():
            transaction.on_commit(house.web.greet)  # after the commit it may be asked

    def test_a_savepoint_inside_is_inside(self, house: House) -> None:
        with transaction.atomic(), pytest.raises(Misplaced), transaction.atomic():
            house.web.greet()


@pytest.mark.parametrize(
    "answer",
    [b"", b"\xc0", b"\x81\xa4type\xa7Nothing", bytes(64), b"\x93\x01\x02\x03"],
    ids=["empty", "nil", "unknown", "zeros", "array"],
)
def test_an_answer_that_is_none_means_that_the_keeper_is_away(answer: bytes) -> None:
    with pytest.raises(KeeperAway) as away:
        Door(lambda question: answer).recover("alice@heronsgate.example")
    assert away.value.__context__ is None  # nothing behind it: a traceback shows no question
    assert away.value.__cause__ is None


def test_without_a_door_the_keeper_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(doors.VARIABLE, raising=False)
    doors.use(None)
    with pytest.raises(KeeperAway):
        doors.door()
