"""Orders that are paid, with their licences, for tests of licences."""

from tests.house import House
from tests.journeys.test_buy_to_delivery import basket, come_back, pay
from troth.pledge.vault.classes import Billing
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import buy, licence
from troth.shop.orders.models import Basket, Order

ADDRESS = Billing(name="Alice Example", street="1 Elm Row", city="Leeds", postcode="LS1 4AP", country="GB")


def ordered(edition: Edition, quantity: int = 1) -> Order:
    """An order that nobody has paid yet."""
    Basket.objects.all().delete()
    basket(edition, quantity)
    begun = buy.begin("basket-key", buy.Newcomer("Alice", "alice@b.example"), ADDRESS, "paypal")
    return Order.objects.get(pk=begun.order_ref)


def bought(house: House, edition: Edition, quantity: int = 1) -> Order:
    """An order that is paid and delivered."""
    order = ordered(edition, quantity)
    come_back(order, pay(house, order))
    house.works()
    order.refresh_from_db()
    return order


def key_of(order: Order) -> str:
    (shown,) = licence.of(order)
    return shown.key
