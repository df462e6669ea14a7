"""Whatever happens to people, keys, copies and processes, in any order: what opens is what was granted, nobody is
locked out, and neither database has somebody whom the other does not know."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.conf import settings
from hypothesis import HealthCheck, Phase
from hypothesis import settings as extent
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.campaign import rounds
from tests.house import House
from tests.strongroom.world import Copy, World, quick_hash
from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.ids import from_bytes
from troth.pledge.keeper import passwords
from troth.pledge.kms import RootKeyError
from troth.pledge.rights.models import Erasure
from troth.pledge.vault import seen
from troth.pledge.vault.door import KeeperRefused
from troth.pledge.vault.models import Person
from troth.pledge.vault.models import Rotation as RotationRow
from troth.shop.accounts.models import Account, Contact
from troth.shop.journeys import change_email, confirm, erase, recover, register, rotate, sign_in

PASSWORD = "heron and lantern"
MOST_PEOPLE, MOST_COPIES = 5, 3
WHO = st.integers(0, MOST_PEOPLE - 1)
SIDES = st.sampled_from(["", "", "before", "after"])
AT = st.integers(0, 3)
LATER = timedelta(hours=2)  # when the worker looks again at a move or a rotation
OPEN, CLOSING, GONE = "opened", "restricted", "gone"


class Somebody(msgspec.Struct):
    """What must be true of a person now."""

    ref: str
    mailbox: str
    state: str = OPEN
    marketing: bool = False
    back: bool = False  # forgotten since the copy from which the main database was put back: its rows are there again


class Machine(RuleBasedStateMachine):
    house: House
    keyring: bytes
    root: bytes
    folder: Path

    @initialize()
    def begin(self) -> None:
        self.world = World(self.house, self.keyring, self.root, self.folder)
        self.people: list[Somebody] = []
        self.copies: list[tuple[Copy, list[Somebody]]] = []
        self.story = secrets.token_hex(4)  # the mailbox keeps the letters of earlier stories
        self.number = 0

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self._everybody_gets_in()
            self._no_orphans()
        finally:
            self.world.end()

    # What people do.

    @precondition(lambda self: len(self.people) < MOST_PEOPLE)
    @rule(side=SIDES)
    def registers(self, side: str) -> None:
        """The process may die before or after the keeper heard of it; the letter helps either way."""
        self.number += 1
        mailbox, before = f"p{self.number}.{self.story}@b.example", set(Account.objects.values_list("pk", flat=True))
        if Person.objects.filter(taken_at=None).count() < 2:
            self.house.stock(4)
        with self.world.dying(0, side):
            register.register("Ada", mailbox, PASSWORD, "LS1 4AP")
        (ref,) = set(Account.objects.values_list("pk", flat=True)) - before
        self.people.append(Somebody(ref, mailbox))

    @rule(who=WHO, side=SIDES, allow=st.booleans())
    def allows_or_objects(self, who: int, side: str, allow: bool) -> None:
        one = self._one(who)
        capability = self._capability(one) if one else ""
        if one is None or not capability:
            return
        with self.world.dying(0, side):
            if allow:
                self.house.web.grant(capability, "marketing")
            else:
                self.house.web.withdraw("marketing", capability=capability)
        if side != "before":
            one.marketing = allow

    @rule(who=WHO)
    def objects_by_a_letters_link(self, who: int) -> None:
        one = self._one(who)
        if one is not None and one.state == OPEN:
            self.house.worker.withdraw("marketing", ref=one.ref)
            one.marketing = False

    @rule(who=WHO, side=SIDES, at=AT)
    def moves(self, who: int, side: str, at: int) -> None:
        """To another mailbox; whoever dies on the way, one of the two is in force everywhere in the end."""
        one = self._one(who)
        capability = self._capability(one) if one else ""
        if one is None or not capability:
            return
        self.number += 1
        new = f"p{self.number}.{self.story}@b.example"
        with self.world.dying(at, side):
            change_email.ask(one.ref, capability, PASSWORD, new)
        self.world.works()
        links = self._links(new)
        if not links:
            return
        with self.world.dying(0, side):
            confirm.confirm(*links[-1])
        self.house.works(later=LATER)
        if side != "before":
            one.mailbox = new

    @rule(who=WHO, side=SIDES, at=AT)
    def asks_to_be_forgotten(self, who: int, side: str, at: int) -> None:
        one = self._one(who)
        if one is None or one.state != OPEN:
            return
        erase.begin(erase.opened(one.ref))
        self.world.works(at=at, side=side)
        one.state = CLOSING

    @rule(who=WHO, side=SIDES)
    def thinks_better_of_it(self, who: int, side: str) -> None:
        one = self._one(who)
        if one is not None and one.state == CLOSING:
            self._stays(one, side)

    @rule(who=WHO, side=SIDES, at=AT)
    def is_forgotten(self, who: int, side: str, at: int) -> None:
        one = self._one(who)
        if one is None or one.state != CLOSING:
            return
        waiting = Erasure.objects.filter(person=one.ref, state=Erasure.WAITING)
        waiting.update(due_at=clock.now())
        due.hasten("erase", waiting.get().pk)
        self.world.works(at=at, side=side)
        one.state, one.marketing = GONE, False

    # What the owner does.

    @rule(what=st.sampled_from(["root", "wrapping", "lookup", "person", "capabilities"]), side=SIDES, at=AT)
    def rotates(self, what: str, side: str, at: int) -> None:
        if what == "root" and self.world.root_key.stat().st_size >= 3 * 32:
            return
        rotate.begin(what)
        self.world.works(at=at, side=side)
        if what == "root" and self.world.root_key.stat().st_size == 32:
            for copy, _ in self.copies:  # no older copy of the keyring opens any more: the key of its time is destroyed
                with pytest.raises(RootKeyError), self.world.older_keyring(copy):
                    pass
            self.copies.clear()

    @precondition(lambda self: len(self.copies) < MOST_COPIES)
    @rule()
    def copies_both(self) -> None:
        self.copies.append((self.world.copy(), [msgspec.structs.replace(one) for one in self.people]))

    @precondition(lambda self: self.copies)
    @rule(which=st.integers(0, MOST_COPIES - 1))
    def puts_back_both(self, which: int) -> None:
        """Who was forgotten since then stays so: the journal is applied before anything opens."""
        which %= len(self.copies)
        copy, people = self.copies[which]
        gone = {one.ref for one in self.people if one.state == GONE}
        self.world.put_back(copy)
        self.copies = self.copies[:which]
        self.people = [msgspec.structs.replace(one) for one in people]
        for one in self.people:
            if one.ref in gone:
                one.state, one.marketing, one.back = GONE, False, True

    @precondition(lambda self: self.copies and self.people)
    @rule(which=st.integers(0, MOST_COPIES - 1))
    def puts_back_the_keyring_alone(self, which: int) -> None:
        """Then the keeper lacks what the main side saw, and opens nothing."""
        with self.house.as_worker():
            assert seen.compare()
        size = self.world.keeper.room.leaves.size
        with self.world.older_keyring(self.copies[which % len(self.copies)][0]), self.house.as_worker():
            older = self.world.keeper.room.leaves.size < size
            assert seen.compare() is not older
            if older:
                assert {self.world.opens(self._contact(one)) for one in self.people} <= {"away", "cut"}
        with self.house.as_worker():
            assert seen.compare()

    # What must be true.

    @invariant()
    def what_opens_is_what_is_granted(self) -> None:
        for one in getattr(self, "people", []):
            opened = self.world.opens(self._contact(one))
            assert opened == one.state or (one.state == GONE and opened == "cut"), (one, opened)
            held = self.world.fates(one.ref, "contact")
            wanted = set() if one.state == GONE else {"standing"} | ({"marketing"} if one.marketing else set())
            assert held == wanted, one

    def _everybody_gets_in(self) -> None:
        """By their password, or by the letter that says how to set one; the forgotten by neither."""
        for one in self.people:
            if one.state == CLOSING:  # they stay after all, by the letter about it
                self._stays(one, "")
        self.house.works(later=LATER)
        for one in self.people:
            if one.state == GONE:
                with pytest.raises(KeeperRefused):
                    self.house.web.sign_in(one.mailbox, PASSWORD)
            elif not self._signs_in(one):
                links = self._links(one.mailbox)
                assert links, (one, self.house.due())
                assert recover.finish(*links[-1], PASSWORD).person_ref == one.ref
                assert sign_in.sign_in(one.mailbox, PASSWORD).person_ref == one.ref
        assert not RotationRow.objects.filter(left__gt=1).exists()

    def _stays(self, one: Somebody, side: str) -> None:
        assert erase.cancel(Erasure.objects.get(person=one.ref, state=Erasure.WAITING))
        self.world.works(side=side)
        one.state = OPEN

    def _no_orphans(self) -> None:
        """Whoever has keys has rows and the other way round; credentials are of people who are there."""
        known = set(Person.objects.values_list("pk", flat=True))
        taken = set(Person.objects.exclude(taken_at=None).values_list("pk", flat=True))
        assert known <= self._names("SELECT ref FROM person")
        for table in ("credential", "reached", "about", "restricted"):
            assert self._names(f"SELECT ref FROM {table}") <= taken, table
        accounts = set(Account.objects.values_list("pk", flat=True))
        assert accounts - {one.ref for one in self.people if one.back} == {
            one.ref for one in self.people if one.state != GONE
        }

    def _names(self, sql: str) -> set[str]:
        return {from_bytes("per", raw) for raw in self.world.refs(sql)}

    def _one(self, who: int) -> Somebody | None:
        return self.people[who % len(self.people)] if self.people else None

    def _contact(self, one: Somebody) -> Any:
        return Contact.objects.get(person=one.ref, state=Contact.CURRENT).contact

    def _capability(self, one: Somebody) -> str:
        """ "" where they cannot sign in now."""
        if one.state != OPEN or not self._signs_in(one):
            return ""
        return sign_in.sign_in(one.mailbox, PASSWORD).capability

    def _signs_in(self, one: Somebody) -> bool:
        try:
            return self.house.web.sign_in(one.mailbox, PASSWORD).ref == one.ref
        except KeeperRefused:
            return False

    def _links(self, mailbox: str) -> list[tuple[str, str]]:
        self.house.works()
        texts = [mail.text for mail in self.house.mails if mailbox in mail.to[0]]
        return [found for text in texts for found in re.findall(r"/(?:confirm|recover)/(\S+)/(\S+)", text)]


@pytest.mark.soak
def test_whatever_happens(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "hash_password", quick_hash())
    settings.TROTH.home.mkdir(exist_ok=True)
    (settings.TROTH.home / "ledger.pub").write_text(f"{house.keeper.room.leaves.verify_key}\n")

    class Here(Machine):
        pass

    Here.house, Here.keyring, Here.folder = house, house.keeper.db.serialize(), tmp_path
    Here.root = Path(settings.TROTH.root_key).read_bytes()
    how = extent(
        max_examples=rounds(8, 150), stateful_step_count=rounds(12, 30), deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # shrinking such a long story takes minutes; the seed tells it again
    )  # fmt: skip
    run_state_machine_as_test(Here, settings=how)
