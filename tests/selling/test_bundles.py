"""A bundle beside one of its modules: two licences, one download in the list."""

from hashlib import sha256

from tests.house import House
from tests.journeys.test_buy_to_delivery import KEY, come_back, pay
from tests.licences.bought import ADDRESS
from troth.shop.catalogue.models import Edition, Price, Product
from troth.shop.delivery.models import Grant
from troth.shop.journeys import buy, download, licence, refund
from troth.shop.orders import basket
from troth.shop.orders.models import Order, OrderLine


def test_what_was_bought_twice_is_listed_once_by_the_grant_that_is_good_for_more(
    house: House, edition: Edition
) -> None:
    product = Product.objects.create(
        slug="set", kind=Product.BUNDLE, name="The Set", tagline="t", summary="s", published=True
    )
    product.includes.set([edition.product])
    bundle = Edition.objects.create(product=product, code="single", name="Single site")
    Price.objects.create(edition=bundle, currency="EUR", minor=9900)
    for one in (bundle, edition):
        basket.add(sha256(KEY.encode()).hexdigest(), one.pk, "EUR")
    begun = buy.begin(KEY, buy.Newcomer("Alice", "alice@b.example"), ADDRESS, "paypal")
    order = Order.objects.get(pk=begun.order_ref)
    come_back(order, pay(house, order))
    house.works()
    order.refresh_from_db()
    (link,) = download.links(order)
    assert house.mails[-1].text.count("/download/") == 1
    assert len(licence.of(order)) == 2
    used = Grant.objects.get(pk=link.url.split("/")[2])
    Grant.objects.filter(pk=used.pk).update(used=used.limit)
    (other,) = download.links(order)
    assert other.uses_left > 0
    assert other.url.split("/")[2] != used.pk
    refund.ask(order, line=1)
    house.works()
    assert OrderLine.objects.exclude(ended="").count() == 1
    assert len(download.links(order)) == 1  # the module was bought by itself as well
