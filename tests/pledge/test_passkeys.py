"""Passkeys at the keeper's door: who has one signs in with it; nobody with anything else."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.pledge.authenticator import CREATE, PRESENT, VERIFIED, Authenticator, b64
from tests.pledge.test_keeper import ask, blank, code
from troth.pledge.keeper import messages
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.keeper.messages import Passkey
from troth.shop.journeys.who_looked import DEEDS

PASSWORD = "heron and lantern"


def person(keeper: Keeper, mailbox: str, proved: bool = True) -> messages.Session:
    fresh, _ = blank(keeper)
    session = ask(keeper, "web", messages.Enrol(fresh.ref, fresh.secret, mailbox, PASSWORD))
    if proved:
        told = ask(keeper, "worker", messages.Redeem(ref=fresh.ref, kind="confirm", mailbox=mailbox))
        session = ask(keeper, "web", messages.Prove(told.ticket, told.secret)).session
    return session


@pytest.fixture
def alice(keeper: Keeper) -> messages.Session:
    return person(keeper, "alice@b.example")


def challenge(keeper: Keeper) -> str:
    return ask(keeper, "web", Passkey("ask")).ticket


def device(session: messages.Session, **options: int) -> Authenticator:
    return Authenticator(messages.raw_ref(session.ref), **options)


def add(keeper: Keeper, whose: messages.Session, made: Authenticator, password: str = PASSWORD) -> messages.Answer:
    ticket = challenge(keeper)
    return ask(keeper, "web", Passkey("add", ticket, made.made(ticket), whose.capability, password))


def sign_in(keeper: Keeper, made: Authenticator) -> messages.Answer:
    ticket = challenge(keeper)
    return ask(keeper, "web", Passkey("sign in", ticket, made.shown(ticket)))


@pytest.fixture
def key(keeper: Keeper, alice: messages.Session) -> Authenticator:
    made = device(alice)
    assert code(add(keeper, alice, made)) == "Passkeys"
    return made


def test_added_used_listed_removed_refused(keeper: Keeper, alice: messages.Session, key: Authenticator) -> None:
    for _ in range(2):
        session = sign_in(keeper, key)
        assert (session.ref, session.epoch) == (alice.ref, alice.epoch)
    listed = ask(keeper, "web", Passkey("list", capability=session.capability)).passkeys
    assert [name for name, _ in listed] == [b64(key.id)]
    assert ask(keeper, "web", Passkey("remove", passkey=b64(key.id), capability=alice.capability)).passkeys == []
    assert code(sign_in(keeper, key)) == "passkey"


def test_ones_history_tells_of_passkeys_passwords_and_addresses(
    keeper: Keeper, alice: messages.Session, key: Authenticator
) -> None:
    for _ in range(2):  # removed again it is as gone as before
        ask(keeper, "web", Passkey("remove", passkey=b64(key.id), capability=alice.capability))
    now = ask(keeper, "web", messages.Change(alice.capability, PASSWORD, new_password="lantern and heron"))
    moving = ask(keeper, "web", messages.Change(now.capability, "lantern and heron", new_mailbox="new@b.example"))
    told = ask(keeper, "worker", messages.Redeem(moving.ticket, mailbox="new@b.example"))
    now = ask(keeper, "web", messages.Prove(told.ticket, told.secret)).session
    assert did(keeper, now) == ["mailbox", "password", "passkey-removed", "passkey"]
    assert set(did(keeper, now)) < set(DEEDS)


def test_a_password_set_by_a_letter_stands_in_ones_history(keeper: Keeper, alice: messages.Session) -> None:
    asked = ask(keeper, "web", messages.Recover("alice@b.example"))
    told = ask(keeper, "worker", messages.Redeem(asked.ticket, mailbox="alice@b.example"))
    proved = ask(keeper, "web", messages.Prove(told.ticket, told.secret, "lantern and heron"))
    assert did(keeper, proved.session) == ["password"]


def did(keeper: Keeper, who: messages.Session) -> list[str]:
    entries = ask(keeper, "web", messages.History(who.capability)).entries
    return [json.loads(entry.event)["did"] for entry in entries]


def test_a_challenge_is_good_once_and_for_five_minutes(keeper: Keeper, key: Authenticator) -> None:
    ticket = challenge(keeper)
    shown = key.shown(ticket)
    late = challenge(keeper)
    assert code(ask(keeper, "web", Passkey("sign in", ticket, shown))) == "Session"
    assert code(ask(keeper, "web", Passkey("sign in", ticket, shown))) == "passkey"
    assert code(ask(keeper, "web", Passkey("sign in", late, shown))) == "passkey"  # signed for another challenge
    assert code(ask(keeper, "web", Passkey("sign in", "A" * 43, key.shown("A" * 43)))) == "passkey"  # of its own making
    now = keeper.room.clock()
    keeper.room.clock = lambda: now + timedelta(seconds=301)
    assert code(ask(keeper, "web", Passkey("sign in", late, key.shown(late)))) == "passkey"


@pytest.mark.parametrize(
    ("wrong", "value"),
    [
        ("origin", "http://localhost:8000"), ("origin", "https://localhost"), ("origin", "http://evil.example"),
        ("rp_id", "evil.example"), ("flags", PRESENT), ("flags", VERIFIED), ("flags", 0),
    ],
)  # fmt: skip
def test_what_was_made_for_elsewhere_or_by_nobody(
    keeper: Keeper, alice: messages.Session, key: Authenticator, wrong: str, value: object
) -> None:
    right = getattr(key, wrong)
    setattr(key, wrong, value)
    assert code(sign_in(keeper, key)) == "passkey"
    setattr(key, wrong, right)
    assert code(sign_in(keeper, key)) == "Session"
    other = device(alice)
    setattr(other, wrong, value)
    assert code(add(keeper, alice, other)) == "passkey"


def test_a_signature_by_another_key_or_for_another_ceremony(keeper: Keeper, key: Authenticator) -> None:
    copy = Authenticator(key.user)
    copy.id = key.id
    assert code(sign_in(keeper, copy)) == "passkey"
    ticket = challenge(keeper)
    assert code(ask(keeper, "web", Passkey("sign in", ticket, key.shown(ticket, CREATE)))) == "passkey"
    assert code(ask(keeper, "web", Passkey("sign in", ticket, key.made(ticket)))) == "passkey"


def test_a_passkey_is_its_persons_alone(keeper: Keeper, alice: messages.Session, key: Authenticator) -> None:
    mallory = person(keeper, "mallory@b.example")
    taken = device(mallory)
    taken.id = key.id
    assert code(add(keeper, mallory, taken)) == "passkey"
    own = device(mallory)
    assert code(add(keeper, mallory, own)) == "Passkeys"
    own.user = key.user  # says it is Alice
    assert code(sign_in(keeper, own)) == "passkey"
    ask(keeper, "web", Passkey("remove", passkey=b64(key.id), capability=mallory.capability))
    assert sign_in(keeper, key).ref == alice.ref


def test_a_copy_is_found_out_by_its_counter(keeper: Keeper, key: Authenticator) -> None:
    for _ in range(3):
        assert code(sign_in(keeper, key)) == "Session"
    key.counter = 1
    assert code(sign_in(keeper, key)) == "passkey"
    assert list(ask(keeper, "web", messages.Attest()).incidents.values()) == [1]
    key.counter = 3
    assert code(sign_in(keeper, key)) == "Session"


def test_devices_that_do_not_count_are_welcome(keeper: Keeper, alice: messages.Session) -> None:
    made = device(alice)
    made.counts = False
    add(keeper, alice, made)
    assert [code(sign_in(keeper, made)) for _ in range(2)] == ["Session", "Session"]


def test_adding_needs_capability_password_and_a_proved_mailbox(keeper: Keeper, alice: messages.Session) -> None:
    assert code(add(keeper, alice, device(alice), "another one")) == "credentials"
    nobody = messages.Session(alice.ref, 0, "x" * 102)
    assert code(add(keeper, nobody, device(alice))) == "capability"
    bob = person(keeper, "bob@b.example", proved=False)
    assert code(add(keeper, bob, device(bob))) == "unproved"
    for _ in range(6):
        answer = add(keeper, alice, device(alice), "another one")
    assert answer.code == "later" and answer.after > 0
    assert ask(keeper, "web", Passkey("list", capability=alice.capability)).passkeys == []


def test_a_mailbox_that_another_proves_ends_what_was_put_there_before(keeper: Keeper, key, alice) -> None:
    keeper.db.execute("UPDATE credential SET standing = 0")
    assert code(sign_in(keeper, key)) == "passkey"


def test_a_new_password_or_address_ends_every_passkey(keeper: Keeper, key: Authenticator, alice) -> None:
    """As it ends sessions: who had the password for a while, and put one there, is out."""
    new = ask(keeper, "web", messages.Change(alice.capability, PASSWORD, new_password="copper kettle moon"))
    assert code(sign_in(keeper, key)) == "passkey"
    assert ask(keeper, "web", Passkey("list", capability=new.capability)).passkeys == []
    other = device(alice)
    assert len(add(keeper, new, other, "copper kettle moon").passkeys) == 1
    assert code(sign_in(keeper, other)) == "Session"
    assert keeper.db.value("SELECT count(*) FROM passkey") == 1
    invite = ask(keeper, "worker", messages.Redeem(ref=alice.ref, kind="confirm", mailbox="alice@b.example"))
    ask(keeper, "web", messages.Prove(invite.ticket, invite.secret))
    assert code(sign_in(keeper, other)) == "Session"  # the same address proved again changes nothing


def test_who_is_forgotten_leaves_no_passkey(keeper: Keeper, alice: messages.Session, key: Authenticator) -> None:
    ask(keeper, "worker", messages.Shred(alice.ref, []))
    assert keeper.db.value("SELECT count(*) FROM passkey") == 0
    assert code(sign_in(keeper, key)) == "passkey"


def test_sizes_numbers_and_attestations(keeper: Keeper, alice: messages.Session) -> None:
    ticket = challenge(keeper)
    for does, shown in (("sign in", "x" * 8193), ("add", "x" * 8193), ("", ""), ("Sign in", "")):
        assert code(ask(keeper, "web", Passkey(does, ticket, shown, alice.capability, PASSWORD))) == "shape"
    assert code(add(keeper, alice, device(alice, id_size=1024))) == "passkey"
    packed = Passkey("add", ticket, device(alice).made(ticket, "packed"), alice.capability, PASSWORD)
    assert code(ask(keeper, "web", packed)) == "passkey"
    answers = [code(add(keeper, alice, device(alice))) for _ in range(21)]
    assert answers == ["Passkeys"] * 20 + ["many"]
    assert code(ask(keeper, "worker", Passkey("ask"))) == "door"
