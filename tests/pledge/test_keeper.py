"""The keeper by its messages: what it makes, opens, refuses, and what stands in its ledger."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.driving import drive
from tests.house import House
from troth.pledge.keeper import messages
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.keeper.keyring import KeyringError, connect
from troth.pledge.keeper.messages import Place, Record
from troth.pledge.keeper.policy import CLASSES, OPENS, PURPOSES
from troth.pledge.keeper.seals import BadSeal, KeySet
from troth.pledge.vault.keysets import verify_key
from troth.pledge.vault.sealing import read_key_set, seal


def ask(keeper: Keeper, role: str, question: messages.Message) -> messages.Answer:
    return messages.read_answer(drive(keeper, role, messages.encode(question)))


def blank(keeper: Keeper) -> tuple[messages.FreshBlank, KeySet]:
    answer = ask(keeper, "worker", messages.Blank(1))
    fresh = answer.blanks[0]
    return fresh, read_key_set(verify_key(), fresh.key_set, fresh.ref)


ALICE = messages.msgspec.msgpack.encode({"name": "Alice", "email": "a@b.example"})


def record(keys: KeySet, klass: str, value: bytes = b"x", **place: str) -> Record:
    where = Place(**{"table": "t", "column": "c", "row": "r", "ref": keys.ref, "klass": klass, "schema": 1, **place})
    return Record(where, seal(keys, where, value))


def code(answer: messages.Answer) -> str:
    return answer.code if isinstance(answer, messages.Refusal) else type(answer).__name__


def test_what_the_worker_opens_is_the_policys_table_and_nothing_else(keeper: Keeper) -> None:
    _, keys = blank(keeper)
    for klass in CLASSES:
        for purpose in PURPOSES:
            question = messages.Open([record(keys, klass)], purpose, "deliver")
            opened = code(ask(keeper, "worker", question)) == "Opened"
            assert opened == (purpose in ("deliver", "notice", "bill", "fraud") and (klass, purpose) in OPENS), (
                klass,
                purpose,
            )


def test_the_web_door_opens_nothing_without_a_capability(keeper: Keeper) -> None:
    _, keys = blank(keeper)
    for klass in CLASSES:
        for purpose in PURPOSES:
            for capability in ("", "AAAA", "x" * 102):
                question = messages.Open([record(keys, klass)], purpose, "look", capability)
                assert code(ask(keeper, "web", question)) == "capability"


def test_a_capability_opens_ones_own_and_nobody_elses(keeper: Keeper) -> None:
    fresh, keys = blank(keeper)
    _, other = blank(keeper)
    session = ask(keeper, "web", messages.Enrol(fresh.ref, fresh.secret, "a@b.example", "correct horse"))
    own = messages.Open([record(keys, "contact", ALICE)], "account", "look", session.capability)
    assert ask(keeper, "web", own).values == [ALICE]
    for question, why in (
        (messages.Open([record(other, "contact")], "account", "look", session.capability), "capability"),
        (messages.Open([record(keys, "billing")], "account", "look", session.capability), "purpose"),
        (messages.Open([record(keys, "contact")], "deliver", "look", session.capability), "purpose"),
    ):
        assert code(ask(keeper, "web", question)) == why


def test_every_flipped_bit_of_a_capability_is_refused(keeper: Keeper) -> None:
    fresh, keys = blank(keeper)
    good = ask(keeper, "web", messages.Enrol(fresh.ref, fresh.secret, "a@b.example", "correct horse")).capability
    for at in range(len(good)):
        for other in "A_z0":
            bad = good[:at] + other + good[at + 1 :]
            question = messages.Open([record(keys, "contact")], "account", "look", bad)
            assert bad == good or code(ask(keeper, "web", question)) == "capability"


def test_a_sealed_value_opens_only_where_it_lies(keeper: Keeper) -> None:
    _, keys = blank(keeper)
    _, other = blank(keeper)
    here = record(keys, "contact")
    for place in (
        {"table": "u"}, {"column": "d"}, {"row": "s"}, {"ref": other.ref}, {"klass": "locality"}, {"schema": 2},
    ):  # fmt: skip
        moved = Place(**{**{f: getattr(here.place, f) for f in here.place.__struct_fields__}, **place})
        purpose = "deliver"
        answer = ask(keeper, "worker", messages.Open([Record(moved, here.sealed)], purpose, "deliver"))
        assert code(answer) in ("seal", "purpose"), place
    for at in range(len(here.sealed)):
        flipped = bytearray(here.sealed)
        flipped[at] ^= 1
        answer = ask(keeper, "worker", messages.Open([Record(here.place, bytes(flipped))], "deliver", "deliver"))
        assert code(answer) == "seal", at


def test_a_key_set_that_the_keeper_did_not_sign_seals_nothing(keeper: Keeper) -> None:
    fresh, _ = blank(keeper)
    other, _ = blank(keeper)
    with pytest.raises(BadSeal):
        read_key_set(verify_key(), other.key_set, fresh.ref)
    for at in range(len(fresh.key_set)):
        flipped = bytearray(fresh.key_set)
        flipped[at] ^= 1
        with pytest.raises(BadSeal):
            read_key_set(verify_key(), bytes(flipped), fresh.ref)


def test_each_opening_has_its_leaf_and_numbers_have_no_gap(keeper: Keeper) -> None:
    _, keys = blank(keeper)
    for _ in range(3):
        ask(keeper, "worker", messages.Open([record(keys, "contact")], "deliver", "deliver"))
    ask(keeper, "worker", messages.Open([record(keys, "billing")], "deliver", "deliver"))  # refused: no leaf
    ask(keeper, "worker", messages.Note("evt-1", {"type": "check"}))
    ask(keeper, "worker", messages.Note("evt-1", {"type": "check"}))  # the same again: one leaf
    rows = keeper.db.execute("SELECT seq, leaf FROM leaf ORDER BY seq").fetchall()
    assert [seq for seq, _ in rows] == [0, 1, 2, 3]
    assert all(keys.ref.encode() not in leaf for _, leaf in rows)


def test_people_who_look_at_themselves_are_noted_once_a_capability_and_class(keeper: Keeper) -> None:
    fresh, keys = blank(keeper)
    mine = ask(keeper, "web", messages.Enrol(fresh.ref, fresh.secret, "a@b.example", "correct horse")).capability
    before = keeper.db.execute("SELECT size FROM head").fetchone()[0]
    contact, locality = record(keys, "contact", ALICE), record(keys, "locality")
    for records in ([contact], [contact], [contact, locality], [contact]):
        ask(keeper, "web", messages.Open(records, "account", "look", mine))
    assert keeper.db.execute("SELECT size FROM head").fetchone()[0] == before + 2


def test_a_ledger_that_cannot_be_written_opens_nothing(keeper: Keeper) -> None:
    _, keys = blank(keeper)
    keeper.db.execute("CREATE TRIGGER full BEFORE INSERT ON leaf BEGIN SELECT RAISE(ABORT, 'full'); END")
    assert code(ask(keeper, "worker", messages.Open([record(keys, "contact")], "deliver", "deliver"))) == "ledger"


def test_the_workers_day_has_a_budget(keeper: Keeper) -> None:
    keeper._opening._daily = 2
    _, keys = blank(keeper)
    question = messages.Open([record(keys, "contact")], "deliver", "deliver")
    assert [code(ask(keeper, "worker", question)) for _ in range(3)] == ["Opened", "Opened", "budget"]


def test_a_secret_is_good_for_its_own_blank_only(keeper: Keeper) -> None:
    fresh, _ = blank(keeper)
    other, _ = blank(keeper)
    assert code(ask(keeper, "web", messages.Enrol(fresh.ref, other.secret, "a@b.example", "correct horse"))) == "secret"
    enrol = messages.Enrol(fresh.ref, fresh.secret, "a@b.example", "correct horse")
    assert code(ask(keeper, "web", enrol)) == "Session"
    assert code(ask(keeper, "web", enrol)) == "Session"  # a lost answer is asked for again
    again = messages.Enrol(fresh.ref, fresh.secret, "evil@b.example", "correct horse")
    assert code(ask(keeper, "web", again)) == "secret"


class TestMailboxes:
    def enrol(self, keeper: Keeper, mailbox: str, password: str) -> messages.Session:
        fresh, _ = blank(keeper)
        return ask(keeper, "web", messages.Enrol(fresh.ref, fresh.secret, mailbox, password))

    def sign_in(self, keeper: Keeper, mailbox: str, password: str) -> str:
        answer = ask(keeper, "web", messages.SignIn(mailbox, password))
        return answer.ref if isinstance(answer, messages.Session) else answer.code

    def prove(self, keeper: Keeper, ref: str, kind: str = "confirm") -> str:
        letter = ask(keeper, "worker", messages.Redeem(ref=ref, kind=kind))
        if letter.kind in ("nothing", "taken"):
            return letter.kind
        return code(ask(keeper, "web", messages.Prove(letter.ticket, letter.secret)))

    def test_the_first_claim_signs_in_until_somebody_proves_the_mailbox(self, keeper: Keeper) -> None:
        first = self.enrol(keeper, "a@b.example", "first password")
        second = self.enrol(keeper, "A@B.example ", "second password")
        assert self.sign_in(keeper, "a@b.example", "first password") == first.ref
        assert self.sign_in(keeper, "a@b.example", "second password") == "credentials"
        assert self.prove(keeper, second.ref) == "Proved"
        assert self.sign_in(keeper, "a@b.example", "first password") == "credentials"
        assert self.sign_in(keeper, "a@b.example", "second password") == second.ref
        assert self.prove(keeper, first.ref) == "taken"

    def test_a_new_password_by_mail_ends_older_capabilities_and_is_good_once(self, keeper: Keeper) -> None:
        old = self.enrol(keeper, "a@b.example", "first password")
        ticket = ask(keeper, "web", messages.Recover("a@b.example")).ticket
        letter = ask(keeper, "worker", messages.Redeem(ticket))
        done = ask(keeper, "web", messages.Prove(ticket, letter.secret, "other password"))
        assert done.session.ref == old.ref
        assert done.session.epoch == old.epoch + 1
        assert code(ask(keeper, "web", messages.Prove(ticket, letter.secret, "third password"))) == "ticket"
        assert self.sign_in(keeper, "a@b.example", "other password") == old.ref
        stale = messages.Change(old.capability, "other password", new_password="fourth password")
        assert code(ask(keeper, "web", stale)) == "capability"

    def test_unknown_mailboxes_get_a_ticket_too_and_the_worker_learns_that_it_is_none(self, keeper: Keeper) -> None:
        ticket = ask(keeper, "web", messages.Recover("nobody@b.example")).ticket
        assert ask(keeper, "worker", messages.Redeem(ticket)).kind == "nothing"
        assert code(ask(keeper, "web", messages.Redeem(ticket))) == "door"
        assert code(ask(keeper, "web", messages.Prove(ticket, "guess", "other password"))) == "ticket"

    def test_a_mailbox_changes_when_the_new_one_answers(self, keeper: Keeper) -> None:
        me = self.enrol(keeper, "a@b.example", "first password")
        ask_change = messages.Change(me.capability, "first password", new_mailbox="new@b.example")
        ticket = ask(keeper, "web", ask_change).ticket
        assert self.sign_in(keeper, "new@b.example", "first password") == "credentials"
        letter = ask(keeper, "worker", messages.Redeem(ticket))
        assert letter.kind == "change"
        assert code(ask(keeper, "web", messages.Prove(ticket, letter.secret))) == "Proved"
        assert self.sign_in(keeper, "new@b.example", "first password") == me.ref
        assert self.sign_in(keeper, "a@b.example", "first password") == "credentials"

    def test_nobody_takes_a_mailbox_that_somebody_proved(self, keeper: Keeper) -> None:
        owner = self.enrol(keeper, "a@b.example", "first password")
        self.prove(keeper, owner.ref)
        thief = self.enrol(keeper, "t@b.example", "thief password")
        change = messages.Change(thief.capability, "thief password", new_mailbox="a@b.example")
        ticket = ask(keeper, "web", change).ticket
        letter = ask(keeper, "worker", messages.Redeem(ticket))
        assert code(ask(keeper, "web", messages.Prove(ticket, letter.secret))) == "taken"
        assert self.sign_in(keeper, "a@b.example", "first password") == owner.ref
        assert self.sign_in(keeper, "t@b.example", "thief password") == thief.ref


@given(st.binary(max_size=200))
def test_bytes_that_are_no_question_are_refused_in_decoding(body: bytes) -> None:
    try:
        question = messages.read_question(body)
    except (ValueError, messages.msgspec.MsgspecError):
        return
    assert isinstance(question, messages.Message)


def test_the_house_seals_and_the_worker_opens(house: House) -> None:
    from troth.pledge.vault.classes import Contact as Data
    from troth.pledge.vault.fields import seal as seal_row
    from troth.pledge.vault.models import Person
    from troth.shop.accounts.models import Contact

    person, _ = Person.take()
    row = Contact(person=person, state=Contact.CURRENT)
    seal_row(row, "contact", Data("Alice", "alice@b.example"))
    row.save()
    found = Contact.objects.get(pk=row.pk)
    assert house.worker.open([found.contact], purpose="deliver", job="deliver") == [Data("Alice", "alice@b.example")]


def test_a_look_that_could_not_be_noted_does_not_count_as_noted(keeper: Keeper) -> None:
    fresh, keys = blank(keeper)
    mine = ask(keeper, "web", messages.Enrol(fresh.ref, fresh.secret, "a@b.example", "correct horse")).capability
    question = messages.Open([record(keys, "contact", ALICE)], "account", "look", mine)
    keeper.db.execute("CREATE TRIGGER full BEFORE INSERT ON about BEGIN SELECT RAISE(ABORT, 'full'); END")
    assert code(ask(keeper, "web", question)) == "ledger"
    keeper.db.execute("DROP TRIGGER full")
    before = keeper.db.execute("SELECT size FROM head").fetchone()[0]
    assert code(ask(keeper, "web", question)) == "Opened"
    assert keeper.db.execute("SELECT size FROM head").fetchone()[0] == before + 1


def test_two_keepers_never_have_one_keyring(tmp_path: Path) -> None:
    first = connect(tmp_path / "keyring.sqlite3")
    with pytest.raises(KeyringError, match="in use by another keeper"):
        connect(tmp_path / "keyring.sqlite3")
    first.close()
    connect(tmp_path / "keyring.sqlite3").close()
