"""To be forgotten: asked by everybody who may, proved, cancelled, done, and never half done whoever dies on the way."""

from __future__ import annotations

import re
from datetime import date, timedelta

import msgspec
import pytest
from django.conf import settings

from tests.faults.shopping import ADDRESS, Died, Purchase
from tests.house import SITE, House
from tests.storefront.conftest import ORIGIN, Browser
from tests.storefront.page import read
from troth.pledge import clock
from troth.pledge.ids import to_bytes
from troth.pledge.policy import needles
from troth.pledge.policy.probe import values
from troth.pledge.rights.models import Erasure
from troth.pledge.vault.door import Door, KeeperRefused
from troth.pledge.vault.fields import Sealed
from troth.shop import written
from troth.shop.accounts.models import Account, Claim, Contact, Locality
from troth.shop.catalogue.models import Edition
from troth.shop.clauses import p8_delivery
from troth.shop.delivery import post
from troth.shop.delivery.models import Letter
from troth.shop.journeys import buy, erase, forget
from troth.shop.orders.models import Billing, Order
from troth.shop.refusal import Refused

WINDOW = timedelta(hours=168)
ALICE = {"name": "Alice Example", "email": "alice@b.example", "password": "heron and lantern", "postcode": "LS1 4AP"}


@pytest.fixture(autouse=True)
def started(house: House) -> None:
    settings.TROTH.home.mkdir(exist_ok=True)


def no_window(hours: int = 0) -> None:
    policy = msgspec.structs.replace(settings.TROTH.policy, erase_window=hours)
    settings.TROTH = msgspec.structs.replace(settings.TROTH, policy=policy)


def link(house: House, path: str) -> str:
    found = [match for mail in house.mails for match in re.findall(rf"{SITE}(/{path}/\S+)", mail.text)]
    return found[-1]


def bought(house: House, edition: Edition) -> Purchase:
    purchase = Purchase(house, edition, "paypal")
    purchase.complete()
    return purchase


def person_of(purchase: Purchase) -> str:
    return str(Order.objects.order_by("-made_at").first().person_id)


def sealed(ref: str) -> list[tuple[Sealed, str]]:
    """Everything that is sealed for a person, each with a purpose of the worker's door."""
    contacts = [(row.contact, "notice") for row in Contact.objects.filter(person=ref)]
    return contacts + [(row.billing, "bill") for row in Billing.objects.filter(person=ref)]


def what_opens(house: House, things: list[tuple[Sealed, str]]) -> set[str]:
    def one(thing: Sealed, purpose: str) -> str:
        try:
            house.worker.open([thing], purpose=purpose, job="look")
        except KeeperRefused as refused:
            return refused.code
        return "opened"

    return {one(thing, purpose) for thing, purpose in things}


def test_signed_in_by_password_then_a_window_then_the_receipt(house: House, edition: Edition) -> None:
    alice = Browser()
    alice.send("/register", ALICE, 200)
    house.works()
    ref = Account.objects.get().pk
    things = sealed(ref)
    wrong = alice.send("/account/erase", {"password": "not that one"}, 400)
    assert "not your present password" in read(wrong).text
    page = alice.send("/account/erase", {"password": ALICE["password"]}, 303)["Location"]
    assert what_opens(house, things) == {"opened"}  # the worker has not been there yet
    house.works()
    assert what_opens(house, things) == {"restricted"}
    assert "See until when, or cancel it" in alice.page("/account?show=me").text
    waiting = alice.page(page)
    assert "You will be forgotten" in waiting.text
    assert "Alice" not in waiting.text
    assert link(house, "erasures") == page
    assert alice.get("/account/erase")["Location"] == page

    house.works(later=WINDOW)
    assert what_opens(house, things) == {"gone"}
    receipt = Browser().page(page)
    assert "You are forgotten" in receipt.text
    assert "Nothing that can be read as yours" in receipt.text
    assert house.mails[-1].subject.startswith("Our last letter")
    assert "Nothing that can be read as yours stays" in house.mails[-1].text
    assert not Account.objects.exists()
    assert not Locality.objects.exists()
    assert Contact.objects.get().contact is None
    assert alice.get("/account")["Location"].startswith("/sign-in")
    Browser().send("/sign-in", {"email": ALICE["email"], "password": ALICE["password"]}, 400)
    assert Erasure.objects.get().state == Erasure.DONE


def test_cancelled_in_time_everything_is_as_it_was_and_may_be_asked_again(house: House, edition: Edition) -> None:
    alice = Browser()
    alice.send("/register", ALICE, 200)
    things = sealed(Account.objects.get().pk)
    page = alice.send("/account/erase", {"password": ALICE["password"]}, 303)["Location"]
    house.works()
    lost = Browser()  # the letter's link is enough, from any browser
    lost.send(page, {}, 303, form="")
    house.works()
    assert what_opens(house, things) == {"opened"}
    assert "Nothing is being forgotten" in lost.page(page).text
    assert "alice@b.example" in alice.page("/account?show=me").text
    house.works(later=WINDOW * 2)
    assert what_opens(house, things) == {"opened"}
    again = alice.send("/account/erase", {"password": ALICE["password"]}, 303)["Location"]
    assert again != page
    house.works()
    house.works(later=WINDOW)
    assert what_opens(house, things) == {"gone"}
    too_late = Browser().post(again, {}, HTTP_ORIGIN=ORIGIN)
    assert too_late.status_code == 403  # the page of a receipt has no form any more
    assert erase.cancel(Erasure.objects.get(state=Erasure.DONE)) is False


def test_who_lost_the_account_asks_by_address_and_nobody_learns_whether_it_is_known(
    house: House, edition: Edition
) -> None:
    assert "For 7 days you can still cancel" in Browser().page("/erase").text
    no_window()
    Browser().send("/register", ALICE, 200)
    house.works()
    before = len(house.mails)
    known = read(Browser().send("/erase", {"email": ALICE["email"]}, 200))
    unknown = read(Browser().send("/erase", {"email": "nobody@b.example"}, 200))
    assert known.text == unknown.text
    house.works()
    (mail,) = house.mails[before:]
    assert mail.to == [ALICE["email"]]
    path = link(house, "erase")
    stranger = Browser()
    assert "One press" in stranger.page(path).text
    house.works()
    assert Erasure.objects.get().state == Erasure.ASKED  # looking at the link changes nothing
    page = stranger.send(path, {}, 303, form="")["Location"]
    house.works()
    assert "You are forgotten" in stranger.page(page).text
    assert "This link is over" in read(stranger.post(path, stranger.page(path).forms[0], HTTP_ORIGIN=ORIGIN)).text


def test_a_guest_is_forgotten_by_the_mailbox_of_the_order_and_tax_law_keeps_the_bill(
    house: House, edition: Edition
) -> None:
    no_window()
    purchase = bought(house, edition)
    ref, order = person_of(purchase), Order.objects.get()
    things = sealed(ref)
    guest = Browser()
    guest.get(link(house, f"orders/{order.ref}/key"))
    guest.send(f"/orders/{order.ref}/erase", {}, 200)
    assert Browser().get(f"/orders/{order.ref}/erase").status_code == 404
    house.works()
    page = guest.send(link(house, "erase"), {}, 303, form="")["Location"]
    house.works()
    assert what_opens(house, things) == {"gone"}  # tax is no purpose of the worker's door
    until = date(clock.now().year + 10, 12, 31)
    erasure = Erasure.objects.get()
    assert (erasure.state, erasure.kept_until) == (Erasure.KEPT, until)
    assert "opened for tax alone" in guest.page(page).text
    assert written.day(until) in house.mails[-1].text
    order.refresh_from_db()
    assert (order.state, order.viewer, order.once, order.country) == (Order.PAID, "", None, "GB")
    assert Billing.objects.get().billing is not None
    assert set(wraps(house, ref)) == {"billing"}
    house.works(later=timedelta(days=365))
    assert Erasure.objects.get().state == Erasure.KEPT
    house.works(later=timedelta(days=366 * 10))
    assert Erasure.objects.get().state == Erasure.DONE
    assert Billing.objects.get().billing is None
    assert wraps(house, ref) == {}


def test_a_bill_that_is_being_paid_is_kept_until_that_is_settled(house: House, edition: Edition) -> None:
    no_window()
    purchase = Purchase(house, edition, "paypal")
    purchase.orders()
    ref = person_of(purchase)
    erase.begin(erase.opened(ref))
    house.works()
    assert (Erasure.objects.get().state, set(wraps(house, ref))) == (Erasure.KEPT, {"billing"})
    purchase.comes_back(purchase.pays(Order.objects.get()))
    house.works()
    assert Order.objects.get().state == Order.PAID
    assert [row for row in house.due() if row.startswith("deliver")] == []  # nobody can be written to any more
    house.works(later=timedelta(days=62))
    erasure = Erasure.objects.get()
    assert (erasure.state, erasure.kept_until) == (Erasure.KEPT, date(Order.objects.get().paid_at.year + 10, 12, 31))


def test_while_it_waits_nothing_can_be_ordered_and_an_unsent_letter_breaks_no_promise(
    house: House, edition: Edition
) -> None:
    purchase = Purchase(house, edition, "paypal")
    purchase.orders()
    purchase.comes_back(purchase.pays(Order.objects.get()))
    ref = person_of(purchase)
    erase.begin(erase.opened(ref))
    with house.as_worker():
        house.worker.restrict(ref, Erasure.objects.get().id)
    house.works(later=timedelta(hours=1))
    assert [row for row in house.due() if row.startswith("deliver") and "keeper-restricted" in row]
    (late,) = p8_delivery.every_paid_order_is_delivered_or_on_its_way(house.probe())
    assert late.state == "holds"
    with pytest.raises(Refused) as no:
        buy.begin(Purchase(house, edition, "paypal").key, buy.Known(ref), ADDRESS, "paypal")
    assert "cancel that in your account" in str(no.value.sentence)


def wraps(house: House, ref: str) -> dict[str, object]:
    return house.keeper.room.persons.wraps(to_bytes(ref))


def test_nothing_that_named_them_is_found_anywhere_afterwards(house: House, edition: Edition) -> None:
    """And with the root key, both databases and the web's door in hand nothing opens."""
    no_window()
    purchase = bought(house, edition)
    ref = person_of(purchase)
    order = Order.objects.get()
    things = sealed(ref)
    spared = house.worker.open([order.contact.contact], purpose="notice", job="look")
    assert spared[0].email == purchase.email
    basket = order.viewer
    erase.begin(erase.opened(ref))
    house.works()
    sieve = [purchase.email, "Alice Example", "1 Elm Row", "heron and lantern", basket]
    everything = "\n".join(text for _, text in values()).encode("utf-8", "replace")
    kept = "\n".join(house.keeper.db.iterdump()).encode()
    scan = needles.Scan(needles.Sieve(sieve))
    assert scan.feed(everything + b"\n" + kept + b"\n") == []
    assert what_opens(house, things) == {"gone"}
    for capability in ("", "AAAA"):
        with pytest.raises(KeeperRefused):
            house.web.open([things[0][0]], purpose="account", job="look", capability=capability)
    assert house.keeper.db.execute("SELECT count(*) FROM about").fetchone()[0] == 0
    assert not Letter.objects.filter(order__isnull=True).exists()


class Stage:
    """Dies at the n-th crossing of anything that may end a process: a word to the keeper, to the relay, a commit."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
        self.left, self.died = at, False
        for owner, name in ((Door, "_ask"), (post, "send"), (Erasure, "move"), (forget, "_forget_rows")):
            monkeypatch.setattr(owner, name, self.deadly(getattr(owner, name)))

    def deadly(self, act):
        def acted(*given, **named):
            self.step()
            answer = act(*given, **named)
            self.step()
            return answer

        return acted

    def step(self) -> None:
        self.left -= 1
        if self.left == 0 and not self.died:
            self.died = True
            raise Died


@pytest.mark.parametrize("at", range(1, 30))
def test_whoever_dies_on_the_way_it_is_finished_forwards(
    house: House, edition: Edition, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    no_window(1)
    purchase = bought(house, edition)
    ref = person_of(purchase)
    things = sealed(ref)
    erase.begin(erase.opened(ref))
    stage = Stage(monkeypatch, at)
    for later in (0, 120, 3600, 120, 120, 120):
        try:
            house.works(later=timedelta(seconds=later))
        except Died:
            continue
    died, stage.died = stage.died, True
    assert died or at > 20
    assert what_opens(house, things) == {"gone"}
    assert Erasure.objects.get().state == Erasure.KEPT
    assert Contact.objects.get().contact is None
    last = [mail for mail in house.mails if mail.subject.startswith("Our last letter")]
    assert len({mail.message_id for mail in last}) == 1
    assert [row for row in house.due() if row.startswith("erase ")] == []


def test_guests_whom_an_account_claimed_go_with_it_each_by_their_own_orders(house: House, edition: Edition) -> None:
    """The account never paid; the guest did: tax law keeps the guest's bill, and nothing of the account."""
    no_window(1)
    guest = bought(house, edition)
    guest_ref = person_of(guest)
    alice = Browser()
    alice.send("/register", ALICE, 200)
    owner_ref = Account.objects.get(person__contact__isnull=False, person__order__isnull=True).pk
    Account.objects.filter(pk=guest_ref).delete()
    house.keeper.db.execute("DELETE FROM credential WHERE ref = ?", (to_bytes(guest_ref),))
    house.keeper.db.execute("INSERT INTO link VALUES (?, ?)", (to_bytes(guest_ref), to_bytes(owner_ref)))
    Claim.objects.create(guest_id=guest_ref, account_id=owner_ref)
    things, owners = sealed(guest_ref), sealed(owner_ref)
    erasure = erase.opened(owner_ref)
    erase.begin(erasure)
    house.works()
    assert what_opens(house, things) == {"restricted"}
    assert erase.cancel(Erasure.objects.get(person=owner_ref))
    house.works()
    assert what_opens(house, things) == what_opens(house, owners) == {"opened"}
    erase.begin(erase.opened(owner_ref))
    for hours in (0, 1, 1):
        house.works(later=timedelta(hours=hours))
    assert what_opens(house, things) == what_opens(house, owners) == {"gone"}
    states = {row.person_id: (row.state, row.why) for row in Erasure.objects.filter(state__in=Erasure.ERASED)}
    assert states == {owner_ref: (Erasure.DONE, "person"), guest_ref: (Erasure.KEPT, "claimed")}
    assert (wraps(house, owner_ref), set(wraps(house, guest_ref))) == ({}, {"billing"})
    assert not Account.objects.exists() and not Claim.objects.exists()
    house.works(later=timedelta(days=366 * 11))
    assert wraps(house, guest_ref) == {}
    assert Erasure.objects.filter(state=Erasure.DONE).count() == 2
