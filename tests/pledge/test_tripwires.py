"""Whoever opens what nobody has reason to open, or puts forged values in place, is found out."""

from datetime import timedelta

import pytest

from tests.house import House
from tests.pledge.test_keeper import ask, blank, code, record
from troth.pledge.due import loop as due
from troth.pledge.ids import to_bytes
from troth.pledge.keeper import messages
from troth.pledge.keeper.keeper import INCIDENTS_TOLD, Keeper
from troth.pledge.older_keyrings import bring_up
from troth.pledge.vault import seen
from troth.pledge.vault.door import KeeperRefused
from troth.pledge.vault.models import Person
from troth.shop.accounts.models import Account, Contact, Locality
from troth.shop.clauses import BY_ID
from troth.shop.journeys import register, tripwires


def incidents(keeper: Keeper) -> dict[str, int]:
    return ask(keeper, "worker", messages.Attest()).incidents


def leaves(keeper: Keeper) -> list[bytes]:
    return [leaf for (leaf,) in keeper.db.execute("SELECT leaf FROM leaf ORDER BY seq")]


def test_opening_a_poison_person_looks_like_any_refusal_and_is_told(keeper: Keeper) -> None:
    fresh, keys = blank(keeper)
    ask(keeper, "worker", messages.Restrict(fresh.ref, messages.NOBODY))
    before = len(leaves(keeper))
    answer = ask(keeper, "worker", messages.Open([record(keys, "contact")], "deliver", "deliver"))
    assert answer == messages.Refusal("gone")
    assert list(incidents(keeper).values()) == [1]
    (leaf,) = leaves(keeper)[before:]
    assert b'"type":"incident"' in leaf
    assert fresh.ref.encode() not in leaf
    assert code(ask(keeper, "web", messages.Restrict(fresh.ref, ""))) == "door"
    ask(keeper, "worker", messages.Restrict(fresh.ref, ""))  # it cannot be taken away again
    assert code(ask(keeper, "worker", messages.Open([record(keys, "contact")], "deliver", "deliver"))) == "gone"
    assert list(incidents(keeper).values()) == [2]


def test_the_tripwires_of_an_older_keyring_are_taken_along(keeper: Keeper) -> None:
    fresh, keys = blank(keeper)
    keeper.db.execute("CREATE TABLE poison (ref BLOB PRIMARY KEY) WITHOUT ROWID")
    keeper.db.execute("INSERT INTO poison VALUES (?)", (to_bytes(fresh.ref),))
    assert bring_up(keeper.db)
    assert code(ask(keeper, "worker", messages.Open([record(keys, "contact")], "deliver", "deliver"))) == "gone"
    assert list(incidents(keeper).values()) == [1]
    assert bring_up(keeper.db) == []


def test_a_forged_or_moved_value_is_told(keeper: Keeper) -> None:
    _, keys = blank(keeper)
    moved = record(keys, "contact")
    forged = messages.Record(moved.place, moved.sealed[:-1] + bytes([moved.sealed[-1] ^ 1]))
    elsewhere = messages.Record(messages.Place("u", "c", "r", keys.ref, "contact", 1), moved.sealed)
    for times, one in enumerate((forged, elsewhere)):
        assert code(ask(keeper, "worker", messages.Open([one], "deliver", "deliver"))) == "seal"
        assert sum(incidents(keeper).values()) == times + 1
    assert code(ask(keeper, "worker", messages.Open([moved], "deliver", "deliver"))) == "Opened"
    assert sum(incidents(keeper).values()) == 2


def test_an_incident_stands_though_its_step_was_undone_and_with_others_of_the_batch(keeper: Keeper) -> None:
    fresh, keys = blank(keeper)
    _, fine = blank(keeper)
    ask(keeper, "worker", messages.Restrict(fresh.ref, messages.NOBODY))
    questions = [messages.Open([record(k, "contact")], "deliver", "deliver") for k in (fine, keys, fine)]
    said = keeper.work_off([lambda q=q: keeper.begin("worker", q) for q in questions])
    assert [code(one) for one in said] == ["Opened", "gone", "Opened"]
    assert [b"incident" in leaf for leaf in leaves(keeper)[1:]] == [False, True, False]


def test_nobody_floods_the_ledger_with_incidents(keeper: Keeper) -> None:
    fresh, keys = blank(keeper)
    ask(keeper, "worker", messages.Restrict(fresh.ref, messages.NOBODY))
    question = messages.Open([record(keys, "contact")], "deliver", "deliver")
    for _ in range(INCIDENTS_TOLD + 15):
        ask(keeper, "worker", question)
    assert sum(incidents(keeper).values()) == INCIDENTS_TOLD + 15
    assert sum(b"incident" in leaf for leaf in leaves(keeper)) == INCIDENTS_TOLD


def test_only_what_the_owner_was_shown_is_acknowledged(keeper: Keeper) -> None:
    fresh, keys = blank(keeper)
    ask(keeper, "worker", messages.Restrict(fresh.ref, messages.NOBODY))
    question = messages.Open([record(keys, "contact")], "deliver", "deliver")
    for _ in range(3):
        ask(keeper, "worker", question)
    assert code(ask(keeper, "worker", messages.Acknowledge(2))) == "incidents"
    assert code(ask(keeper, "web", messages.Acknowledge(3))) == "door"
    assert code(ask(keeper, "worker", messages.Acknowledge(3))) == "Done"
    assert incidents(keeper) == {}
    assert b'"type":"acknowledged"' in leaves(keeper)[-1]
    ask(keeper, "worker", question)
    assert list(incidents(keeper).values()) == [1]


@pytest.fixture
def planted(house: House) -> list[str]:
    """Persons who are none, planted as the errand does it."""
    register.register("Alice", "alice@heronsgate.example", "heron and lantern", "LS1 4AP")
    before = set(Person.objects.values_list("pk", flat=True))
    due.add("tripwires", "shop", every=60)
    for _ in range(tripwires.WANTED + 3):
        house.works(later=timedelta(minutes=2))
    return sorted(set(Account.objects.values_list("pk", flat=True)) - before)


def test_they_are_few_and_look_like_anybody(house: House, planted: list[str]) -> None:
    assert len(planted) == tripwires.WANTED
    for ref in planted:
        assert Contact.objects.filter(person=ref, state=Contact.CURRENT).count() == 1
        assert Locality.objects.filter(person=ref).count() == 1
        assert Account.objects.get(pk=ref).confirmed_at is not None
    assert not any("example.org" in " ".join(mail.to) for mail in house.mails)
    assert house.worker.attest().poisoned == tripwires.WANTED


def test_p16_is_broken_while_an_incident_is_open(house: House, planted: list[str]) -> None:
    with house.as_worker():
        seen.compare()
    assert standing() != "broken"
    contact = Contact.objects.get(person=planted[0])
    with pytest.raises(KeeperRefused, match="gone"):
        house.worker.open([contact.contact], purpose="notice", job="notice")
    with house.as_worker():
        seen.compare()
    assert standing() == "broken"
    due.hasten("acknowledge", "1")
    house.works()
    assert seen.incidents() == {}
    assert standing() != "broken"


def standing() -> str:
    """What P16's own look at incidents says."""
    (check,) = [one for one in BY_ID["P16"].checks if one.name == "no incident is open"]
    return next(iter(check.run(None))).state.value
