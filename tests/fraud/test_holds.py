"""An order that many signs speak against is held before any provider hears of it; an ordinary shop holds nothing."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from django.conf import settings

from tests.house import House
from tests.journeys.test_buy_to_delivery import ADDRESS, come_back, pay
from tests.storefront.conftest import Browser
from tests.storefront.conftest import basket as basket
from tests.storefront.conftest import browser as browser
from tests.storefront.test_buying import ALICE
from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.due.models import Due
from troth.pledge.vault.classes import Network
from troth.pledge.vault.door import KeeperRefused
from troth.shop.catalogue.models import Edition
from troth.shop.fraud import keyed
from troth.shop.fraud.models import Hold, Sighting, Trace
from troth.shop.fraud.signs import SIGNS, Risk
from troth.shop.journeys import buy, dispute, register, suspend, waiting, weigh, withdraw
from troth.shop.orders import basket as baskets
from troth.shop.orders.models import Order
from troth.shop.payments.models import Payment, Refund
from troth.shop.payments.providers.contract import Case, DisputeSight
from troth.shop.refusal import Refused

LEEDS, DUBLIN = "81.2.69.160", "2a02:8084::7"  # given to Great Britain and to Ireland
NUMBERS = iter(range(10**6))


def order(edition: Edition, came_from: str = LEEDS, **more: object) -> Order:
    number = next(NUMBERS)
    key = f"basket {number}"
    baskets.add(buy.hashlib.sha256(key.encode()).hexdigest(), edition.pk, "EUR")
    who = buy.Newcomer("Alice", f"alice{number}@b.example")
    return Order.objects.get(
        pk=buy.begin(key, who, ADDRESS, "paypal", came_from=came_from, **more).order_ref  # type: ignore[arg-type]
    )


def ruled(**rules: object) -> None:
    now = settings.TROTH
    settings.TROTH = msgspec.structs.replace(now, fraud=msgspec.structs.replace(now.fraud, **rules))


@pytest.fixture
def held(house: House, edition: Edition) -> Order:
    """An order that is held: many from one address in a table that puts it elsewhere."""
    house.stock(8)
    for _ in range(6):
        assert order(edition, DUBLIN).state == Order.OPEN
    return order(edition, DUBLIN)


def asked_at_paypal(house: House) -> int:
    return len(house.sandbox.paypal.orders)


def test_an_ordinary_order_is_not_held_and_its_address_lies_sealed(house: House, edition: Edition) -> None:
    placed = order(edition)
    assert (placed.state, placed.payments.count()) == (Order.OPEN, 1)
    assert not Hold.objects.exists()
    (opened,) = house.worker.open([Trace.objects.get(order=placed).network], purpose="fraud", job="a-test")
    assert opened == Network(bytes([81, 2, 69, 160]))
    come_back(placed, pay(house, placed))
    house.works()
    assert len(house.mails) == 1
    assert LEEDS not in house.mails[0].raw


def test_a_traveller_a_company_and_a_relay_buy_as_ever(house: House, edition: Edition, tmp_path: Path) -> None:
    house.stock(20)
    relays = tmp_path / "relays.txt"
    relays.write_text("# relays\n81.2.69.0/24\n")
    ruled(anonymisers=str(relays))
    assert order(edition, DUBLIN).state == Order.OPEN
    assert {order(edition).state for _ in range(6)} == {Order.OPEN}
    last = order(edition, "8.8.8.8")
    assert last.state == Order.OPEN
    assert order(edition).state == Order.HELD  # many, and by a relay: two signs together


def test_no_sign_but_failed_payments_and_disputes_holds_by_itself() -> None:
    most = settings.TROTH.fraud.hold_from
    assert {name for name, sign in SIGNS.items() if sign.points >= most} == {"failed", "disputed"}


def test_no_provider_hears_of_a_held_order(house: House, edition: Edition) -> None:
    house.stock(8)
    for _ in range(6):
        order(edition, DUBLIN)
    before = asked_at_paypal(house)
    placed = order(edition, DUBLIN)
    assert placed.state == Order.HELD
    assert (placed.payments.count(), asked_at_paypal(house)) == (0, before)
    assert buy.pay_again(placed, "paypal", DUBLIN) == ""
    assert asked_at_paypal(house) == before
    assert waiting.standing(placed).state == "held"
    assert [told.person for told in waiting.to_owner(placed)] == [True]
    assert (placed.ref, "country") in [(hold.order_id, hold.signs[1]) for hold in suspend.waiting()]


def test_released_it_is_paid_and_delivered(house: House, held: Order) -> None:
    suspend.release(held.ref, "carol")
    with pytest.raises(Refused):
        suspend.refuse(held.ref, "dave")
    house.works()
    (mail,) = [mail for mail in house.mails if mail.to != ["hello@fernhill.example"]]
    assert f"/orders/{held.ref}/key/" in mail.text
    assert DUBLIN not in mail.raw
    held.refresh_from_db()
    assert buy.pay_again(held, "paypal", DUBLIN)
    come_back(held, pay(house, held))
    held.refresh_from_db()
    assert held.state == Order.PAID
    assert Hold.objects.get(pk=held.ref).by == "carol"


def test_refused_it_ends_and_nobody_was_asked(house: House, held: Order) -> None:
    suspend.refuse(held.ref, "carol")
    held.refresh_from_db()
    assert (held.state, waiting.standing(held).state) == (Order.CANCELLED, "refused")
    assert buy.pay_again(held, "paypal", DUBLIN) == ""
    house.works()
    assert "Nothing was charged" in house.mails[-1].text


@pytest.mark.parametrize(("unreviewed", "state"), [("release", Order.OPEN), ("refuse", Order.CANCELLED)])
def test_a_hold_that_nobody_looks_at_ends_by_itself(house: House, held: Order, unreviewed: str, state: str) -> None:
    ruled(unreviewed=unreviewed)
    house.works(later=timedelta(hours=47))
    held.refresh_from_db()
    assert held.state == Order.HELD
    house.works(later=timedelta(hours=2))
    held.refresh_from_db()
    assert held.state == state
    assert not Due.objects.filter(kind="hold-over").exists()


def test_a_released_order_that_nobody_pays_lapses(house: House, held: Order) -> None:
    suspend.release(held.ref)
    house.works(later=timedelta(hours=settings.TROTH.policy.abandon_hours + 1))
    held.refresh_from_db()
    assert held.state == Order.EXPIRED


def test_the_order_page_says_why_and_what_happens_next(house: House, basket: Browser) -> None:
    ruled(hold_from=20)
    browser = basket
    browser.defaults |= {"HTTP_X_FORWARDED_FOR": DUBLIN}
    path = browser.send("/checkout", ALICE | {"country": "GB"}, 303).headers["Location"]
    page = browser.page(path)
    assert "another country than your billing address" in page.text
    assert "We look at it by" in page.text
    assert "Pay with" not in page.text
    suspend.refuse(path.split("/")[-1])
    page = browser.page(path)
    assert "We do not take this order" in page.text
    assert "Pay with" not in page.text


def test_failed_payments_slow_the_next_and_hold_the_next_order(house: House, edition: Edition) -> None:
    house.stock(8)
    placed = [order(edition) for _ in range(6)]
    Payment.objects.filter(order__in=placed).update(state=Payment.DECLINED)
    with pytest.raises(Refused) as no:
        buy.pay_again(placed[0], "paypal", LEEDS)
    assert "the next can be tried at" in str(no.value.sentence)
    assert buy.pay_again(order(edition, "8.8.4.4"), "paypal", "8.8.4.4")  # somebody else pays as ever
    assert order(edition).state == Order.HELD
    clock.travel(timedelta(minutes=11))
    assert buy.pay_again(placed[0], "paypal", LEEDS)


def test_the_owner_hears_of_it(house: House, held: Order) -> None:
    house.works()
    (mail,) = house.mails
    assert mail.to == ["hello@fernhill.example"]
    assert "Many orders from one address" in mail.text
    assert "/desk/held" in mail.text
    assert DUBLIN not in mail.raw
    assert "alice" not in mail.raw


def test_a_dispute_is_known_by_its_address_for_that_day(house: House, edition: Edition) -> None:
    placed = order(edition)
    come_back(placed, pay(house, placed))
    house.works()
    before = entries(house)
    payment = placed.payments.get()
    seen = DisputeSight("PP-D-1", Case.OPEN, payment.capture_ref, payment.amount, "", "UNAUTHORISED", "")
    for _ in range(2):
        dispute.write(payment, seen)
        house.works()
    assert entries(house) == before + 1
    assert order(edition).state == Order.HELD
    assert order(edition, DUBLIN).state == Order.OPEN


def entries(house: House) -> int:
    return len(house.keeper.room.db.execute("SELECT 1 FROM leaf").fetchall())


def test_this_machine_itself_is_not_counted(house: House, edition: Edition) -> None:
    house.stock(20)
    Payment.objects.filter(order__in=[order(edition, "127.0.0.1") for _ in range(8)]).update(state=Payment.DECLINED)
    assert order(edition, "127.0.0.1").state == Order.OPEN
    assert (Trace.objects.count(), Sighting.objects.count()) == (9, 0)


def test_a_hold_of_nought_points_is_switched_off(house: House, edition: Edition) -> None:
    ruled(hold_from=0)
    assert not suspend.suspicious(Risk(tuple(SIGNS)))


def test_what_was_kept_ends_on_its_day(house: House, edition: Edition, held: Order) -> None:
    register.register("Alice", "alice@b.example", "correct-Horse-7", "LS1 4AP", came_from=LEEDS)
    assert Trace.objects.filter(order__isnull=True).count() == 1
    assert Sighting.objects.filter(what=Sighting.REGISTERED).count() == 1
    due.add("leftovers", "shop", every=3600)
    keyed.name(LEEDS)
    (key,) = (settings.TROTH.home / "run").glob("network-*.key")
    house.works(later=timedelta(days=2))
    assert not key.exists()
    assert not Sighting.objects.exists()
    assert Trace.objects.count() == 8
    assert Hold.objects.count() == 1
    house.works(later=timedelta(days=settings.TROTH.policy.network_days))
    assert not Trace.objects.exists()
    assert not Hold.objects.exists()


def test_it_opens_for_nothing_else(house: House, edition: Edition) -> None:
    sealed = Trace.objects.get(order=order(edition)).network
    for purpose in ("account", "deliver", "notice", "support", "bill", "tax", "marketing", "legal", "anything"):
        for role in (house.worker, house.web):
            with pytest.raises(KeeperRefused):
                role.open([sealed], purpose=purpose, job="a-test")
    with pytest.raises(KeeperRefused):
        house.web.open([sealed], purpose="fraud", job="a-test")


def test_an_accounts_own_past_is_a_sign_and_a_right_of_the_law_is_none(house: House, edition: Edition) -> None:
    house.stock(20)
    alice = order(edition)
    come_back(alice, pay(house, alice))
    payment = alice.payments.get()
    Payment.objects.filter(pk=payment.pk).update(payer_country="FR")
    assert signs(alice) == ["paid-elsewhere"]
    for number in range(8):
        why = withdraw.WHY if number < 4 else "staff"
        Refund.objects.create(payment=payment, provider="paypal", why=why, amount_minor=1, provider_ref=f"r{number}")
        Payment.objects.filter(pk=payment.pk).update(refunding_minor=number + 1)
        assert ("refunds" in signs(alice)) is (number == 7)
    ruled(refunds_a_year=5)
    assert signs(alice) == ["paid-elsewhere"]
    Payment.objects.filter(pk=payment.pk).update(payer_country="")
    assert signs(alice) == []


def signs(placed: Order) -> list[str]:
    """What is found of this order's account, for an order such as this one."""
    return list(weigh._of_account(placed, [placed.person_id], ""))
