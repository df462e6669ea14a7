"""What a guest bought becomes an account's by the link in its letter: nothing is moved, and nobody else gets it."""

import json

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.house import House
from tests.pledge.test_endings import own_blank
from tests.pledge.test_keeper import ask, code, record
from tests.storefront.conftest import Browser, basket, browser
from tests.storefront.test_buying import ALICE, approve
from troth.pledge.ids import to_bytes
from troth.pledge.keeper import messages
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.keeper.keyring import connect
from troth.pledge.kms.file import FileKey
from troth.shop.accounts.models import Claim
from troth.shop.orders.models import Order

__all__ = ["basket", "browser"]
MAILBOX = "alice@heronsgate.example"
CONTACT = messages.msgspec.msgpack.encode({"name": "Alice", "email": MAILBOX})


class Person:
    """Somebody with an account, or a guest with a letter that has a link."""

    def __init__(self, keeper: Keeper, mailbox: str, *, guest: bool = False) -> None:
        self.keeper, self.mailbox = keeper, mailbox
        self.fresh, self.keys = own_blank(keeper)
        self.capability = self.ticket = self.secret = ""
        if guest:
            letter = ask(keeper, "worker", messages.Redeem(ref=self.ref, kind="claim", mailbox=mailbox))
            self.ticket, self.secret = letter.ticket, letter.secret
        else:
            enrol = messages.Enrol(self.ref, self.fresh.secret, mailbox, "heron and lantern")
            self.capability = ask(keeper, "web", enrol).capability

    @property
    def ref(self) -> str:
        return self.fresh.ref

    def contact(self) -> messages.Record:
        value = messages.msgspec.msgpack.encode({"name": "A", "email": self.mailbox})
        return record(self.keys, "contact", value)

    def claims(self, guest: "Person") -> str:
        return code(ask(self.keeper, "web", messages.Prove(guest.ticket, guest.secret, "", self.capability)))

    def opens(self, other: "Person") -> str:
        records = [self.contact(), record(other.keys, "locality")]
        return code(ask(self.keeper, "web", messages.Open(records, "account", "own-data", self.capability)))


@pytest.fixture
def alice(keeper: Keeper) -> Person:
    return Person(keeper, MAILBOX)


@pytest.fixture
def guest(keeper: Keeper) -> Person:
    return Person(keeper, "alice.at.work@heronsgate.example", guest=True)


def test_a_claim_lets_ones_own_capability_open_the_guests_records(keeper: Keeper, alice, guest) -> None:
    sealed = record(guest.keys, "locality", b"LS1 4AP")
    assert alice.opens(guest) == "capability"
    assert alice.claims(guest) == "Proved"
    opened = ask(keeper, "web", messages.Open([alice.contact(), sealed], "account", "own-data", alice.capability))
    assert opened.values[1] == b"LS1 4AP"
    assert alice.claims(guest) == "Proved"  # a lost answer is asked for again


def test_ones_history_has_the_guests_entries_too(keeper: Keeper, alice, guest) -> None:
    ask(keeper, "worker", messages.Open([guest.contact()], "deliver", "deliver"))
    asked = messages.History(alice.capability, ref=guest.ref)
    assert code(ask(keeper, "web", asked)) == "capability"
    alice.claims(guest)
    did = [json.loads(entry.event)["did"] for entry in ask(keeper, "web", asked).entries]
    assert did == ["claim", "open"]


@pytest.mark.parametrize("claimed_first", [True, False])
def test_who_is_to_be_forgotten_has_what_they_claimed_closed_as_well(
    keeper: Keeper, alice, guest, claimed_first: bool
) -> None:
    def opens(job: str) -> str:
        return code(ask(keeper, "worker", messages.Open([guest.contact()], "deliver", job)))

    if claimed_first:
        alice.claims(guest)
    ask(keeper, "worker", messages.Restrict(alice.ref, "its-own-letter"))
    alice.claims(guest)
    assert (opens("deliver"), opens("its-own-letter")) == ("restricted", "Opened")
    assert alice.opens(guest) == "restricted"
    ask(keeper, "worker", messages.Restrict(guest.ref, "another-letter"))  # a wish of the guest's own goes on beside
    assert (opens("deliver"), opens("another-letter")) == ("restricted", "Opened")
    for ref in (guest.ref, alice.ref):
        ask(keeper, "worker", messages.Restrict(ref, ""))
    assert (opens("deliver"), alice.opens(guest)) == ("Opened", "Opened")


def test_nobody_else_claims_it(keeper: Keeper, alice, guest) -> None:
    mallory = Person(keeper, "m@evil.example")
    wrong = messages.Prove(guest.ticket, "a guess", "", mallory.capability)
    assert code(ask(keeper, "web", wrong)) == "ticket"
    assert code(ask(keeper, "web", messages.Prove(guest.ticket, guest.secret))) == "capability"
    assert alice.claims(guest) == "Proved"
    assert mallory.claims(guest) == "taken"
    assert mallory.opens(guest) == "capability"
    assert mallory.opens(alice) == "capability"


def test_who_has_an_account_of_their_own_is_claimed_by_nobody(keeper: Keeper, alice) -> None:
    bob = Person(keeper, "bob@heronsgate.example")
    letter = ask(keeper, "worker", messages.Redeem(ref=bob.ref, kind="claim", mailbox=bob.mailbox))
    assert letter.kind == "nothing"


def test_a_claimed_guest_gets_no_password_beside(keeper: Keeper, alice, guest) -> None:
    invite = ask(keeper, "worker", messages.Redeem(ref=guest.ref, kind="invite", mailbox=guest.mailbox))
    alice.claims(guest)
    late = messages.Prove(invite.ticket, invite.secret, "another password")
    assert code(ask(keeper, "web", late)) == "ticket"


def test_a_guest_who_chose_a_password_is_no_guest_any_more(keeper: Keeper, alice, guest) -> None:
    invite = ask(keeper, "worker", messages.Redeem(ref=guest.ref, kind="invite", mailbox=guest.mailbox))
    assert code(ask(keeper, "web", messages.Prove(invite.ticket, invite.secret, "another password"))) == "Proved"
    assert alice.claims(guest) == "taken"
    assert alice.opens(guest) == "capability"


def test_forgetting_the_owner_forgets_what_they_claimed(keeper: Keeper, alice, guest) -> None:
    alice.claims(guest)
    ask(keeper, "worker", messages.Shred(alice.ref, []))
    assert code(ask(keeper, "worker", messages.Open([guest.contact()], "deliver", "deliver"))) == "gone"
    assert keeper.db.value("SELECT count(*) FROM link") == 0
    assert ask(keeper, "worker", messages.Attest()).erased == 2


def test_a_page_puts_a_guests_order_into_the_account(house: House, basket: Browser, browser: Browser) -> None:
    basket.send("/checkout", ALICE, 303)
    order = Order.objects.get()
    basket.get(approve(house, order))
    house.works()
    (mail,) = [mail for mail in house.mails if "/claim/" in mail.text]
    link = "/claim/" + mail.text.split("/claim/")[1].split()[0]
    member = Browser()
    assert member.get(link).status_code == 303  # to sign in first
    member.send(
        "/register",
        {"name": "Bea", "email": "bea@b.example", "password": "heron and lantern", "postcode": "LS1 4AP"},
        200,
    )
    assert order.ref not in member.get("/account").content.decode()
    assert member.get(f"/orders/{order.ref}").status_code == 404
    assert member.get(link).status_code == 200
    assert not Claim.objects.exists()  # looking changes nothing
    member.send(link, {}, 303)
    assert order.ref in member.get("/account").content.decode()
    assert member.get(f"/orders/{order.ref}").status_code == 200
    stranger = Browser()
    stranger.send(
        "/register",
        {"name": "Cy", "email": "cy@b.example", "password": "heron and lantern", "postcode": "LS1 4AP"},
        200,
    )
    assert "belongs to an account already" in stranger.send(link, {}, 200).content.decode()
    assert order.ref not in stranger.get("/account").content.decode()


class WhoOpensWhom(RuleBasedStateMachine):
    """Claims and erasures in any order: who opens whom is exactly what was claimed, by the first, while both live."""

    def __init__(self) -> None:
        super().__init__()
        from pathlib import Path

        from django.conf import settings as shop

        self.keeper = Keeper(connect(None), FileKey(Path(shop.TROTH.root_key)))
        self.members = [Person(self.keeper, f"m{n}@b.example") for n in range(2)]
        self.guests = [Person(self.keeper, f"g{n}@b.example", guest=True) for n in range(3)]
        self.owner: dict[int, int] = {}
        self.gone: set[str] = set()

    @rule(member=st.integers(0, 1), guest=st.integers(0, 2))
    def claim(self, member: int, guest: int) -> None:
        said = self.members[member].claims(self.guests[guest])
        alive = not {self.members[member].ref, self.guests[guest].ref} & self.gone
        if alive and self.owner.setdefault(guest, member) == member:
            assert said == "Proved"
        else:
            assert said in ("taken", "capability", "ticket", "gone")

    @rule(member=st.integers(0, 1))
    def forget(self, member: int) -> None:
        person = self.members[member]
        ask(self.keeper, "worker", messages.Shred(person.ref, []))
        self.gone |= {person.ref, *(self.guests[g].ref for g, m in self.owner.items() if m == member)}

    @invariant()
    def what_opens_is_what_was_claimed(self) -> None:
        for m, member in enumerate(self.members):
            for g, guest in enumerate(self.guests):
                expected = self.owner.get(g) == m and not {member.ref, guest.ref} & self.gone
                assert (member.opens(guest) == "Opened") == expected

    def teardown(self) -> None:
        linked = {ref for (ref,) in self.keeper.db.execute("SELECT ref FROM link")}
        assert not linked & {to_bytes(ref) for ref in self.gone}
        self.keeper.db.close()


TestWhoOpensWhom = WhoOpensWhom.TestCase
TestWhoOpensWhom.settings = settings(max_examples=8, stateful_step_count=8, deadline=None)
