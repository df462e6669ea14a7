"""Every byte that guards somebody, altered: refused, and never handed out as it is."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from django.conf import settings

from tests.attacks.keeping import Kept, Somebody, code, hear
from tests.campaign import draws, rounds
from tests.house import House
from tests.strongroom.conftest import everything_sealed, through
from troth.pledge.ids import to_bytes
from troth.pledge.keeper import messages
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.keeper.keyring import connect
from troth.pledge.keeper.own_keys import OwnKeys
from troth.pledge.keeper.persons import WRAP, Wraps, packed
from troth.pledge.keeper.seals import BadSeal
from troth.pledge.kms import RootKeyError
from troth.pledge.kms.file import FileKey
from troth.pledge.vault.classes import Contact as ContactData
from troth.pledge.vault.door import KeeperRefused
from troth.pledge.vault.fields import Sealed, seal
from troth.pledge.vault.models import Person
from troth.shop.accounts.models import Contact

PURPOSE = {"contact": "notice", "billing": "bill"}
WORD = "-_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def altered(whole: bytes, name: str) -> Iterator[bytes]:
    """Each byte with one bit flipped (all eight in soak), each length cut, and one byte more."""
    draw = draws(name)
    for at, byte in enumerate(whole):
        bits = range(8) if rounds(0, 1) else [draw.randrange(8)]
        for bit in bits:
            yield whole[:at] + bytes([byte ^ 1 << bit]) + whole[at + 1 :]
    yield from (whole[:length] for length in range(len(whole)))
    yield whole + b"\0"


@pytest.mark.soak
def test_a_sealed_value(town: House, running: Kept) -> None:
    door, refused = through(running, "worker"), 0
    values = [one for one in everything_sealed() if one.place.klass in PURPOSE]
    for one in values:
        for other in altered(one.ciphertext, f"seal {one.place.klass}"):
            with pytest.raises(KeeperRefused) as why:
                moved = Sealed(other, one.place, one.personal)
                door.open([moved], purpose=PURPOSE[one.place.klass], job="look")
            assert why.value.code in ("seal", "gone")
            refused += why.value.code == "seal"
    assert refused > 1000


class TestWraps:
    def held(self, keeper: Keeper, person: Somebody) -> Wraps:
        return keeper.room.persons.wraps(to_bytes(person.ref))

    def put(self, keeper: Keeper, person: Somebody, wraps: Wraps) -> None:
        """One that is too long or too short stands in the form of before, which has room for it."""
        fit = all(len(wrap) == WRAP - 1 for fates in wraps.values() for wrap in fates.values())
        self.put_row(keeper, person, packed(wraps) if fit else msgspec.msgpack.encode(wraps))

    def put_row(self, keeper: Keeper, person: Somebody, row: bytes) -> None:
        with keeper.db.batch():
            keeper.db.execute("UPDATE person SET wraps = ? WHERE ref = ?", (row, to_bytes(person.ref)))

    def opens(self, running: Kept, person: Somebody, klass: str) -> str:
        ask = messages.Open([person.record(klass)], PURPOSE[klass], "look")
        return code(running.ask("worker", ask))

    def test_every_byte_of_a_wrap(self, keeper: Keeper, running: Kept) -> None:
        """Of the class's key, and of the key under which its opening is noted: what cannot be noted does not open."""
        person = Somebody(running)
        whole = self.held(keeper, person)
        for klass, opened in (("contact", "contact"), ("billing", "billing"), ("history", "contact")):
            for other in altered(whole[klass]["standing"], f"wrap {klass}"):
                self.put(keeper, person, whole | {klass: whole[klass] | {"standing": other}})
                assert self.opens(running, person, opened) == "gone"
        self.put(keeper, person, whole)
        assert self.opens(running, person, "contact") == "Opened"

    def test_every_byte_of_all_wraps(self, keeper: Keeper, running: Kept) -> None:
        """Their numbers too: what takes another's number opens nothing in its place."""
        person = Somebody(running)
        whole, needed = packed(self.held(keeper, person)), 0
        ours = [at for at in range(0, len(whole), WRAP) if whole[at] in (0x00, 0x10)]  # history and contact
        assert len(ours) == 2
        for at, byte in enumerate(whole):
            self.put_row(keeper, person, whole[:at] + bytes([byte ^ 1 << at % 8]) + whole[at + 1 :])
            said = self.opens(running, person, "contact")
            assert said in ("Opened", "gone", "fault")
            if at // WRAP * WRAP in ours:
                assert said != "Opened", at
                needed += 1
        assert needed == 2 * WRAP
        self.put_row(keeper, person, whole)
        assert self.opens(running, person, "contact") == "Opened"

    def test_every_pair_of_wraps(self, keeper: Keeper, running: Kept) -> None:
        """Another person's, another class's or another fate's wrap in the place of one's own."""
        alice, bob = Somebody(running), Somebody(running)
        mine, tried = self.held(keeper, alice), 0
        for person in (alice, bob):
            for klass, fates in self.held(keeper, person).items():
                for fate, wrap in fates.items():
                    for own in ("contact", "billing"):
                        if (person, klass, fate) == (alice, own, "standing"):
                            continue
                        self.put(keeper, alice, mine | {own: mine[own] | {"standing": wrap}})
                        assert self.opens(running, alice, own) == "gone", (klass, fate, own)
                        tried += 1
        assert tried == 2 * (2 * sum(map(len, mine.values()))) - 2

    def test_the_keepers_own_keys(self) -> None:
        """One altered, or in another's place: it does not start."""
        db, root = connect(None), FileKey(settings.TROTH.root_key)
        OwnKeys(db, root)
        rows = db.execute("SELECT name, wrapped FROM own_key").fetchall()
        for name, wrapped in rows:
            others = [other for _, other in rows if other != wrapped]
            for other in (*altered(wrapped, name), *others):
                db.execute("UPDATE own_key SET wrapped = ? WHERE name = ?", (other, name))
                with pytest.raises(RootKeyError):
                    OwnKeys(db, root)
            db.execute("UPDATE own_key SET wrapped = ? WHERE name = ?", (wrapped, name))
        OwnKeys(db, root)
        db.close()


def test_a_key_set_in_the_main_database(town: House) -> None:
    """With a byte altered, or another person's in its place, nothing more is sealed to it."""
    row = Contact.objects.filter(state=Contact.CURRENT, contact__isnull=False).first()
    genuine = bytes(row.person.key_set)
    others = [bytes(other.key_set) for other in Person.objects.exclude(pk=row.person_id)]
    for planted in (*altered(genuine, "key set"), *others):
        Person.objects.filter(pk=row.person_id).update(key_set=planted)
        fresh = Contact(person=Person.objects.get(pk=row.person_id), state=Contact.OLD)
        with pytest.raises(BadSeal):
            seal(fresh, "contact", ContactData("Ada", "ada@b.example"))
    Person.objects.filter(pk=row.person_id).update(key_set=genuine)
    seal(Contact(person=Person.objects.get(pk=row.person_id)), "contact", ContactData("Ada", "ada@b.example"))


@pytest.mark.soak
def test_a_capability(running: Kept) -> None:
    """Each character in the place of each other: all six bits of all of them count."""
    alice = Somebody(running, "alice@heronsgate.example")
    good, draw = alice.capability, draws("capability")
    door = running.line("web")
    for at, char in enumerate(good):
        others = sorted(set(WORD) - {char})
        for other in draw.sample(others, rounds(6, len(others))):
            bad = good[:at] + other + good[at + 1 :]
            ask = messages.Open([alice.record()], "account", "look", bad)
            door.sendall(messages.frame(messages.encode(ask)))
            assert code(hear(door)) == "capability", (at, other)
    for length in range(len(good)):
        ask = messages.Open([alice.record()], "account", "look", good[:length])
        assert code(running.ask("web", ask)) == "capability"
    assert code(running.ask("web", messages.Open([alice.record()], "account", "look", good))) == "Opened"
