"""No way of Django's to write a column puts plaintext into a sealed one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.db.models import Case, CharField, F, Value, When
from django.db.models.functions import Cast, Concat

from tests.house import House
from tests.vault.conftest import ALICE, PLAIN, sealed_for
from troth.pledge.vault.classes import Billing, Locality
from troth.pledge.vault.classes import Contact as ContactData
from troth.pledge.vault.fields import SealedField, seal
from troth.shop.accounts.models import Contact


def stored(row: Contact) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute("SELECT contact FROM accounts_contact WHERE id = %s", [row.pk])
        return bytes(cursor.fetchone()[0])


def assign(row: Contact, value: object) -> None:
    row.contact = value
    row.save()


def bulk(row: Contact, value: object) -> None:
    row.__dict__["contact"] = value  # past the descriptor, as a fixture loader or a careless colleague would
    Contact.objects.bulk_update([row], ["contact"])


def saved(row: Contact, value: object) -> None:
    row.__dict__["contact"] = value
    row.save()


def created(row: Contact, value: object) -> None:
    other = Contact(person=row.person, state=Contact.OLD)
    other.__dict__["contact"] = value
    Contact.objects.bulk_create([other])


mine = Contact.objects.filter
WAYS: dict[str, Callable[[Contact, object], object]] = {
    "assignment": assign,
    "save of what was slipped in": saved,
    "update": lambda row, value: mine(pk=row.pk).update(contact=value),
    "bulk_update": bulk,
    "bulk_create": created,
    "create": lambda row, value: Contact.objects.create(person=row.person, state=Contact.OLD, contact=value),
    "get_or_create": lambda row, value: Contact.objects.get_or_create(
        person=row.person, state=Contact.WAITING, defaults={"contact": value}
    ),
    "update_or_create": lambda row, value: Contact.objects.update_or_create(pk=row.pk, defaults={"contact": value}),
    "update_or_create, creating": lambda row, value: Contact.objects.update_or_create(
        person=row.person, state=Contact.WAITING, defaults={"contact": value}
    ),
    "Value": lambda row, value: mine(pk=row.pk).update(contact=Value(value)),
    "Value of the field": lambda row, value: mine(pk=row.pk).update(
        contact=Value(value, output_field=Contact._meta.get_field("contact"))
    ),
    "Case, When": lambda row, value: mine(pk=row.pk).update(
        contact=Case(When(pk=row.pk, then=Value(value)), default=Value(value))
    ),
    "Cast": lambda row, value: mine(pk=row.pk).update(contact=Cast(Value(value), CharField())),
    "upsert": lambda row, value: Contact.objects.bulk_create(
        [_slipped(row, value)], update_conflicts=True, update_fields=["contact"], unique_fields=["id"]
    ),
}


def _slipped(row: Contact, value: object) -> Contact:
    row.__dict__["contact"] = value
    return row


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("value", [PLAIN, PLAIN.encode(), "", b"", ALICE], ids=["text", "bytes", "", "b", "struct"])
def test_plaintext_is_refused(alice: Contact, way: str, value: object) -> None:
    before = stored(alice)
    with pytest.raises(TypeError), transaction.atomic():
        WAYS[way](alice, value)
    assert stored(alice) == before
    assert Contact.objects.count() == 1


@pytest.mark.parametrize("way", ["save of what was slipped in", "bulk_create", "upsert", "bulk_update"])
def test_an_expression_is_refused_in_a_row_too(alice: Contact, way: str) -> None:
    with pytest.raises(TypeError), transaction.atomic():
        WAYS[way](alice, Value(PLAIN))
    assert Contact.objects.count() == 1


@pytest.mark.parametrize("source", [F("state"), Concat(F("state"), F("id")), F("contact")], ids=["F", "Concat", "own"])
def test_another_column_is_not_copied_into_a_sealed_one(alice: Contact, source: object) -> None:
    before = stored(alice)
    with pytest.raises(TypeError, match="never an expression"), transaction.atomic():
        mine(pk=alice.pk).update(contact=source)
    assert stored(alice) == before


def test_unset_is_an_error_not_an_empty_value(alice: Contact) -> None:
    with pytest.raises(TypeError, match="unset"), transaction.atomic():
        Contact(person=alice.person, state=Contact.OLD).save()
    with pytest.raises(TypeError, match="unset"), transaction.atomic():
        Contact.objects.bulk_create([Contact(person=alice.person, state=Contact.OLD)])
    assert Contact.objects.count() == 1
    assert not Contact._meta.get_field("contact").has_default()


def test_an_untouched_row_is_saved_as_it_was(alice: Contact, house: House) -> None:
    before = stored(alice)
    alice.state = Contact.OLD
    alice.save()
    assert stored(alice) == before
    alice.save(update_fields=["contact"])
    assert stored(alice) == before
    (opened,) = house.worker.open([Contact.objects.get().contact], purpose="deliver", job="deliver")
    assert opened == ALICE


def test_a_row_loaded_without_its_sealed_column_is_saved_without_it(alice: Contact, house: House) -> None:
    before = stored(alice)
    for row in (Contact.objects.defer("contact").get(), Contact.objects.only("state").get()):
        row.state = Contact.OLD
        row.save()
        assert stored(alice) == before
        assert house.worker.open([row.contact], purpose="deliver", job="deliver") == [ALICE]


def test_a_sealed_value_is_not_moved_to_another_row(alice: Contact) -> None:
    other = sealed_for(ContactData("Bob", "bob@b.example"))
    other.contact = alice.contact
    with pytest.raises(TypeError, match="never moved"), transaction.atomic():
        other.save()
    with pytest.raises(TypeError, match="never moved"), transaction.atomic():
        Contact.objects.bulk_create([Contact(person=alice.person, state=Contact.OLD, contact=alice.contact)])
    alice.pk = "con_aaaaaaaaaaaaaaaaaaaaaaaaaa"
    alice.contact = Contact.objects.exclude(pk=other.pk).get().contact
    with pytest.raises(TypeError, match="never moved"), transaction.atomic():
        alice.save(force_insert=True)


def test_the_class_of_data_decides_the_column(alice: Contact) -> None:
    for wrong in (Locality("LS1"), Billing("a", "b", "c", "d", "GB"), PLAIN, None):
        with pytest.raises(TypeError, match="class of data"):
            seal(alice, "contact", wrong)
    with pytest.raises(TypeError, match="class of data"):
        seal(alice, "state", ALICE)


def test_a_model_without_a_person_cannot_have_a_sealed_column() -> None:
    from django.apps.registry import Apps
    from django.db import models

    class Note(models.Model):
        text = SealedField(personal=ContactData)

        class Meta:
            app_label = "nowhere"
            apps = Apps()

    assert [error.id for error in Note.check() if error.obj is Note._meta.get_field("text")] == ["troth.E001"]
