"""Money goes back once, and never more than came; the access of what was paid back ends with it."""

import hashlib
from datetime import timedelta

import msgspec
import pytest
from django.conf import settings

from tests.house import House
from tests.journeys.test_buy_to_delivery import ADDRESS, KEY, PROVIDERS, begin, come_back, pay
from troth.pledge.due.models import Due
from troth.shop.catalogue.models import Edition, Price, Product, Release
from troth.shop.journeys import buy, download, reconcile, refund
from troth.shop.orders.models import Basket, BasketLine, Order
from troth.shop.payments import gateways
from troth.shop.payments.models import Payment, Refund
from troth.shop.refusal import Refused


def paid(house: House, edition: Edition, provider: str) -> Order:
    order = begin(edition, provider)
    come_back(order, pay(house, order))
    house.works()
    order.refresh_from_db()
    assert order.state == Order.PAID
    return order


def second(edition: Edition) -> Edition:
    """Another product on the shelf, with the same file behind it."""
    product = Product.objects.create(
        slug="herbal", kind=Product.MODULE, name="Herbal", tagline="t", summary="s", published=True
    )
    other = Edition.objects.create(product=product, code="single", name="Single site")
    Price.objects.create(edition=other, currency="EUR", minor=2500)
    release = Release.objects.get(product=edition.product)
    Release.objects.create(
        product=product,
        version="1.0.0",
        released_on="2026-11-01",
        file=release.file,
        size=release.size,
        sha256=release.sha256,
    )
    return other


def two_lines(house: House, edition: Edition, provider: str) -> Order:
    row = Basket.objects.create(key_hash=hashlib.sha256(KEY.encode()).hexdigest())
    for one in (edition, second(edition)):
        BasketLine.objects.create(basket=row, edition=one, quantity=1)
    begun = buy.begin(KEY, buy.Newcomer("Alice", "alice@b.example"), ADDRESS, provider)
    order = Order.objects.get(pk=begun.order_ref)
    come_back(order, pay(house, order))
    house.works()
    order.refresh_from_db()
    return order


def gone(house: House, payment: Payment) -> int:
    """What the provider's own books say has gone back, in minor units."""
    if payment.provider == "paypal":
        (capture,) = house.sandbox.paypal.orders[payment.provider_ref].captures
        return round(sum(one.amount for one in capture.refunds if one.status == "COMPLETED") * 100)
    session = house.sandbox.skrill.sessions[payment.provider_ref]
    return round(sum(one.amount for one in session.movements if one.status == "2") * 100)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_whole_order_goes_back_and_its_access_ends(house: House, edition: Edition, provider: str) -> None:
    order = paid(house, edition, provider)
    (link,) = download.links(order)
    refund.ask(order)
    assert download.links(order)  # asked for is not yet given back
    house.works()
    order.refresh_from_db()
    payment = order.payments.get()
    assert (order.state, payment.state, payment.refunded_minor) == (Order.REFUNDED, Payment.REFUNDED, 4900)
    assert gone(house, payment) == 4900
    assert download.links(order) == []
    with pytest.raises(Refused):
        download.fetch(*link.url.removeprefix("/download/").split("?")[0].split("/"), link.url.split("?s=")[1])
    house.messages()
    house.works(later=timedelta(hours=1))
    assert Refund.objects.get().state == Refund.DONE


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_line_goes_back_in_two_parts_and_the_other_stays(house: House, edition: Edition, provider: str) -> None:
    order = two_lines(house, edition, provider)
    refund.ask(order, line=2, minor=1000)
    house.works()
    assert len(download.links(order)) == 2  # a part of a line is a discount, its access stays
    refund.ask(order, line=2)
    house.works()
    payment = order.payments.get()
    assert (payment.state, payment.refunded_minor, gone(house, payment)) == (Payment.PAID, 2500, 2500)
    assert [link.product_name for link in download.links(order)] == ["Field Guide"]
    assert [line.ended for line in order.lines.order_by("pk")] == ["", "refunded"]
    refund.ask(order)
    house.works()
    order.refresh_from_db()
    assert (order.state, gone(house, payment)) == (Order.REFUNDED, 7400)


def test_what_cannot_go_back_is_refused_in_a_sentence(house: House, edition: Edition) -> None:
    order = begin(edition)
    with pytest.raises(Refused) as nothing:
        refund.ask(order)
    assert "Nothing was paid" in str(nothing.value.sentence)
    come_back(order, pay(house, order))
    for line, minor in ((2, None), (0, None), (1, 4901), (1, 0), (1, -1)):
        with pytest.raises(Refused):
            refund.ask(order, line=line, minor=minor)
    refund.ask(order, line=1, minor=4900)
    with pytest.raises(Refused):
        refund.ask(order, line=1, minor=1)
    assert Refund.objects.count() == 1
    assert Due.objects.filter(kind="refund").count() == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_refund_under_way_ends_access_and_one_that_fails_gives_it_back(
    house: House, edition: Edition, provider: str
) -> None:
    order = paid(house, edition, provider)
    sandbox = house.sandbox.paypal.money if provider == "paypal" else house.sandbox.skrill.money
    sandbox.next_refund("PENDING" if provider == "paypal" else "0")
    refund.ask(order)
    house.works()
    row, payment = Refund.objects.get(), order.payments.get()
    assert (row.state, payment.refunding_minor, payment.refunded_minor) == (Refund.PENDING, 4900, 0)
    assert download.links(order) == []
    finish = sandbox.finish_refund if provider == "paypal" else sandbox.finish
    finish(row.provider_ref, "FAILED" if provider == "paypal" else "-2")
    house.messages()
    house.works(later=timedelta(hours=2))
    row.refresh_from_db()
    payment.refresh_from_db()
    assert (row.state, payment.refunding_minor, payment.refunded_minor) == (Refund.FAILED, 0, 0)
    assert len(download.links(order)) == 1
    refund.ask(order)  # and it can be asked for again
    house.works(later=timedelta(hours=2))
    assert gone(house, payment) == 4900


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_refund_that_is_refused_for_good_leaves_everything_as_it_was(
    house: House, edition: Edition, provider: str
) -> None:
    order = paid(house, edition, provider)
    sandbox = house.sandbox.paypal.money if provider == "paypal" else house.sandbox.skrill.money
    sandbox.next_refund("REFUND_TIME_LIMIT_EXCEEDED" if provider == "paypal" else "DISALLOWED_RECIPIENT")
    refund.ask(order)
    house.works()
    row, payment = Refund.objects.get(), order.payments.get()
    assert (row.state, payment.refunding_minor, gone(house, payment)) == (Refund.FAILED, 0, 0)
    assert row.reason in ("REFUND_TIME_LIMIT_EXCEEDED", "DISALLOWED_RECIPIENT")
    assert len(download.links(order)) == 1
    assert order.lines.get().returned_minor == 0


@pytest.mark.parametrize(
    ("provider", "code"),
    [
        ("paypal", "REFUND_FAILED_INSUFFICIENT_FUNDS"),
        ("paypal", "TRANSACTION_DISPUTED"),
        ("paypal", "PREVIOUS_REQUEST_IN_PROGRESS"),
        ("skrill", "BALANCE_NOT_ENOUGH"),
        ("skrill", "GENERIC_ERROR"),
        ("skrill", "LOCK_LEVEL_9"),
    ],
)
def test_what_may_pass_is_asked_again(house: House, edition: Edition, provider: str, code: str) -> None:
    order = paid(house, edition, provider)
    sandbox = house.sandbox.paypal.money if provider == "paypal" else house.sandbox.skrill.money
    sandbox.next_refund(code)
    refund.ask(order)
    house.works()
    assert Refund.objects.get().state == Refund.ASKED
    house.works(later=timedelta(hours=1))
    assert (Refund.objects.get().state, gone(house, order.payments.get())) == (Refund.DONE, 4900)


def test_skrills_success_that_names_an_error_is_looked_for(house: House, edition: Edition) -> None:
    order = paid(house, edition, "skrill")
    house.sandbox.skrill.money.next_refund("ALREADY_REFUNDED")
    refund.ask(order)
    house.works()
    house.works(later=timedelta(hours=1))
    assert (Refund.objects.get().state, gone(house, order.payments.get())) == (Refund.DONE, 4900)


@pytest.mark.parametrize("part", ["10.00", ""])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_refund_begun_at_the_provider_is_found(house: House, edition: Edition, provider: str, part: str) -> None:
    order = paid(house, edition, provider)
    payment = order.payments.get()
    if provider == "paypal":
        house.sandbox.paypal.money.take_back(payment.capture_ref, part)
        assert house.messages(2).count(200) == len(house.posts()) * 2
        house.works()
    else:
        house.sandbox.skrill.money.give_back(payment.provider_ref, part)
        reconcile.compare("skrill")
    payment.refresh_from_db()
    order.refresh_from_db()
    minor = 1000 if part else 4900
    assert (payment.refunded_minor, Refund.objects.get().kind) == (minor, Refund.THEIRS)
    assert (order.state, len(download.links(order))) == ((Order.PAID, 1) if part else (Order.REFUNDED, 0))


@pytest.mark.parametrize("listed", [True, False])
def test_a_reversal_ends_access_whether_or_not_the_order_lists_it(house: House, edition: Edition, listed: bool) -> None:
    order = paid(house, edition, "paypal")
    payment = order.payments.get()
    house.sandbox.paypal.money.take_back(payment.capture_ref, reversed_=True, listed=listed)
    house.messages(3)
    house.works()
    payment.refresh_from_db()
    assert (payment.state, payment.refunded_minor) == (Payment.REVERSED, 4900)
    assert Refund.objects.get().kind == Refund.REVERSAL
    assert download.links(order) == []


def test_a_charge_back_at_skrill_ends_access(house: House, edition: Edition) -> None:
    order = paid(house, edition, "skrill")
    payment = order.payments.get()
    refund.ask(order, minor=900)
    house.works()
    house.sandbox.skrill.becomes(payment.provider_ref, "-3")
    house.messages(2)
    house.works()
    payment.refresh_from_db()
    assert (payment.state, payment.refunded_minor, gone(house, payment)) == (Payment.REVERSED, 4900, 4900)
    assert download.links(order) == []


def paid_twice(house: House, edition: Edition) -> tuple[Order, Payment, Payment]:
    """A buyer who pays the same order at PayPal and at Skrill."""
    order = begin(edition, "paypal")
    assert buy.pay_again(order, "skrill")
    one, other = (order.payments.get(provider=name) for name in PROVIDERS)
    house.sandbox.paypal.approve(one.provider_ref)
    house.sandbox.skrill.pay(other.provider_ref)
    return order, one, other


@pytest.mark.parametrize("rule", ["refund", "ask"])
def test_money_that_no_order_needs_goes_back_or_waits(
    house: House, edition: Edition, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = msgspec.structs.replace(settings.TROTH.payments, surplus=rule)
    monkeypatch.setattr(settings, "TROTH", msgspec.structs.replace(settings.TROTH, payments=changed))
    order, _, later = paid_twice(house, edition)
    house.messages()  # PayPal's come first here
    house.works(later=timedelta(minutes=10))
    later.refresh_from_db()
    order.refresh_from_db()
    assert (order.state, len(house.mails), len(download.links(order))) == (Order.PAID, 1, 1)
    assert (later.surplus, later.state) == (True, Payment.REFUNDED if rule == "refund" else Payment.PAID)
    assert gone(house, later) == (4900 if rule == "refund" else 0)


def test_an_approval_that_no_order_needs_is_never_taken(house: House, edition: Edition) -> None:
    order, early, later = paid_twice(house, edition)
    house.bring(house.sandbox.skrill.courier.posts[0])
    house.works()
    later.refresh_from_db()
    assert (later.state, later.surplus) == (Payment.PAID, False)
    house.messages()
    house.works(later=timedelta(hours=1))
    assert not house.sandbox.paypal.orders[early.provider_ref].captures
    assert Order.objects.get().state == Order.PAID
    assert order.payments.filter(surplus=True).count() == 0


def test_a_refund_that_is_pending_at_paypals_side_is_followed_to_its_end(house: House, edition: Edition) -> None:
    order = paid(house, edition, "paypal")
    payment = order.payments.get()
    named = house.sandbox.paypal.money.take_back(payment.capture_ref, "10.00")
    (capture,) = house.sandbox.paypal.orders[payment.provider_ref].captures
    capture.refunds[0].status = "PENDING"
    house.messages()
    house.works()
    assert Refund.objects.count() == 0
    capture.refunds[0].status = "COMPLETED"  # and no message says so
    house.works(later=timedelta(hours=2))
    assert (Refund.objects.get().provider_ref, order.payments.get().refunded_minor) == (named, 1000)


def test_a_provider_that_is_down_does_not_hide_why_somebody_has_to_look(house: House, edition: Edition) -> None:
    order = begin(edition, "paypal")
    unit = house.sandbox.paypal.orders[order.payments.get().provider_ref].units[0]
    unit["amount"] = unit["amount"] | {"value": "48.00"}
    house.sandbox.paypal.approve(order.payments.get().provider_ref)
    house.sandbox.paypal.orders[order.payments.get().provider_ref].status = "APPROVED"
    request = f"capture-{order.payments.get().pk}-1"
    gateways.provider("paypal").capture(order.payments.get().provider_ref, "", request)
    house.works(later=timedelta(minutes=2))
    assert order.payments.get().reason == "mismatch-amount"
    house.sandbox.faults.add("500", "/v2/checkout", 3)
    house.messages()
    house.works(later=timedelta(minutes=2))
    assert (order.payments.get().state, order.payments.get().reason) == (Payment.REVIEW, "mismatch-amount")
