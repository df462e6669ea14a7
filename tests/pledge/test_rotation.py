"""Keys are rotated while the shop goes on, whatever dies on the way, and the old ones are gone at the end."""

import pathlib
import sqlite3

import msgspec
import pytest
from django.conf import settings

from tests.house import House
from tests.pledge.test_endings import own_blank
from tests.pledge.test_keeper import ask, code, record
from troth.pledge.keeper import messages
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.keeper.keyring import connect
from troth.pledge.keeper.persons import HELD, HISTORY, WRAP, packed
from troth.pledge.keeper.policy import FATES, OPTIONAL, WRAPS
from troth.pledge.kms import RootKeyError, file
from troth.pledge.kms.file import FileKey
from troth.pledge.vault.models import Rotation
from troth.shop.accounts.models import Contact
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import register, rotate, sign_in


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    file.create(tmp_path / "root.key")
    return tmp_path / "root.key"


def opens(keeper: Keeper, keys, klass: str = "contact") -> str:
    return code(ask(keeper, "worker", messages.Open([record(keys, klass)], "deliver", "deliver")))


def until_done(keeper: Keeper, what: str, **more) -> int:
    for steps in range(1, 200):
        answer = ask(keeper, "worker", messages.Rotate(what, **more))
        assert isinstance(answer, messages.Rotated), answer
        if answer.left == 0:
            return steps
    raise AssertionError("it does not end")


def versions(keeper: Keeper, name: str) -> list[int]:
    sql = "SELECT version FROM own_key WHERE name = ? ORDER BY version"
    return [row[0] for row in keeper.db.execute(sql, (name,))]


def test_the_root_key_is_replaced_and_the_old_one_opens_nothing(root: pathlib.Path, tmp_path: pathlib.Path) -> None:
    db = connect(tmp_path / "keyring")
    keeper = Keeper(db, FileKey(root))
    _, keys = own_blank(keeper)
    old = root.read_bytes()
    until_done(keeper, "root")
    assert opens(keeper, keys) == "Opened"
    db.close()
    new = root.read_bytes()
    assert len(new) == len(old) == 32
    assert new != old
    again = Keeper(connect(tmp_path / "keyring"), FileKey(root))
    assert opens(again, keys) == "Opened"
    again.db.close()
    root.write_bytes(old)
    db = connect(tmp_path / "keyring")
    with pytest.raises(RootKeyError):
        Keeper(db, FileKey(root))
    db.close()


def test_wrapping_keys_change_under_reading_and_new_people(keeper: Keeper) -> None:
    people = [own_blank(keeper)[1] for _ in range(25)]
    for step in range(100):
        people.append(own_blank(keeper)[1])
        answer = ask(keeper, "worker", messages.Rotate("wrapping", limit=4))
        assert opens(keeper, people[step % len(people)]) == "Opened"
        if answer.left == 0:
            break
    assert all(opens(keeper, keys) == "Opened" for keys in people)
    assert versions(keeper, "wrapping standing") == [2]


def test_a_wraps_number_never_changes() -> None:
    """Keyrings out there are written with these: a new class or fate gets a new number, at the end."""
    slots = [(klass, fate) for klass in HELD for fate in FATES]
    numbers = {slot: packed({slot[0]: {slot[1]: b"x" * (WRAP - 1)}})[0] for slot in slots}
    known = {
        ("history", "standing"): 0x00, ("contact", "standing"): 0x10, ("contact", "marketing"): 0x11,
        ("locality", "standing"): 0x20, ("billing", "standing"): 0x30, ("billing", "tax"): 0x32,
        ("network", "network"): 0x43, ("correspondence", "standing"): 0x50,
    }  # fmt: skip
    assert {slot: numbers[slot] for slot in known} == known
    assert len(set(numbers.values())) == len(slots)
    made = {(klass, fate) for klass, fates in WRAPS.items() for fate in fates}
    assert made | set(OPTIONAL.values()) | {(HISTORY, "standing")} == known.keys()


@pytest.mark.parametrize("what", ["root", "wrapping", "lookup"])
@pytest.mark.parametrize("dies_at", range(5))
def test_a_rotation_that_died_goes_on_where_it_was(
    root: pathlib.Path, tmp_path: pathlib.Path, what: str, dies_at: int
) -> None:
    """The keeper dies before the commit of one step: everything of that step is undone but the root key's file."""
    keeper = Keeper(connect(tmp_path / "keyring"), FileKey(root))
    people = [own_blank(keeper) for _ in range(6)]
    for fresh, _ in people[:2]:
        ask(keeper, "web", messages.Enrol(fresh.ref, fresh.secret, f"{fresh.ref}@b.example", "correct horse"))
    contacts = [contact_record(keys, f"{fresh.ref}@b.example") for fresh, keys in people[:2]]
    for _ in range(dies_at):
        ask(keeper, "worker", messages.Rotate(what, 2, contacts, True))
    keeper.db.execute("BEGIN IMMEDIATE")
    keeper.step(lambda: keeper.begin("worker", messages.Rotate(what, 2, contacts, True)))
    keeper.db.execute("ROLLBACK")
    keeper.db.close()
    again = Keeper(connect(tmp_path / "keyring"), FileKey(root))
    until_done(again, what, records=contacts, last=True)
    assert all(opens(again, keys) == "Opened" for _, keys in people)
    for fresh, _ in people[:2]:
        assert code(ask(again, "web", messages.SignIn(f"{fresh.ref}@b.example", "correct horse"))) == "Session"
    again.db.close()
    assert len(root.read_bytes()) == 32 or what != "root"


def contact_record(keys, email: str):
    from troth.pledge.vault.classes import Contact as Data

    return record(keys, "contact", msgspec.msgpack.encode(Data("A", email)))


def test_only_the_worker_rotates_and_only_known_keys(keeper: Keeper) -> None:
    assert code(ask(keeper, "web", messages.Rotate("root"))) == "door"
    assert code(ask(keeper, "worker", messages.Rotate("sign"))) == "what"


def test_the_look_up_key_changes_and_everybody_still_signs_in(house: House, edition: Edition) -> None:
    house.stock(12)
    for number in range(12):
        register.register(f"P{number}", f"p{number}@b.example", "correct horse 7", "12345")
    before = dict(house.keeper.db.execute("SELECT ref, mailbox FROM credential").fetchall())
    rotate.begin("lookup")
    sign_in.sign_in("P3@b.example", "correct horse 7")  # under two keys at once
    house.works()
    after = dict(house.keeper.db.execute("SELECT ref, mailbox FROM credential").fetchall())
    assert Rotation.objects.get(pk="lookup").left == 0
    assert before.keys() == after.keys()
    assert not set(before.values()) & set(after.values())
    assert versions(house.keeper, "mailbox") == [2]
    for number in range(12):
        sign_in.sign_in(f"p{number}@b.example", "correct horse 7")
    assert Contact.objects.count() == 12


def test_nobody_claims_a_mailbox_twice_while_two_look_up_keys_stand(house: House, edition: Edition) -> None:
    first = register.register("A", "a@b.example", "first password 7", "12345")
    with house.as_worker() as door:
        door.rotate("lookup")
    register.register("B", "a@b.example", "second password 7", "12345")
    assert sign_in.sign_in("a@b.example", "first password 7").person_ref == first.person_ref
    sql = "SELECT count(*) FROM credential WHERE standing > 0"
    assert house.keeper.db.execute(sql).fetchone()[0] == 1


def test_a_root_key_that_cannot_be_written_changes_nothing(root: pathlib.Path, monkeypatch) -> None:
    key, before = FileKey(root), root.read_bytes()
    root.with_name("root.key.new").mkdir()
    with pytest.raises((RootKeyError, OSError, sqlite3.Error)):
        key.rotate()
    assert root.read_bytes() == before
    assert settings.TROTH.root_key != root
