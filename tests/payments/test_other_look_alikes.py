"""What honest providers do, and the look-alikes of ours did not: a sale goes on at once, not at the next poll."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import pytest
from django.test import Client

from tests.house import House
from tests.journeys.test_buy_to_delivery import PROVIDERS, begin, pay
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import settle
from troth.shop.orders.models import Order
from troth.shop.payments.models import Payment
from troth.shop.refusal import Refused


def now(order: Order) -> str:
    return str(order.payments.get().state)


# Coming back


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_return_address_to_which_nothing_was_added_leads_to_its_order(
    house: House, edition: Edition, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Skrill adds nothing unless the account's secure return is on, which it is not at first."""
    monkeypatch.setattr(house.sandbox.skrill.merchant, "secure_return", False)
    order = begin(edition, provider)
    back = urlsplit(pay(house, order))
    answer = Client().get(back.path)
    assert (answer.status_code, answer["Location"]) == (303, f"/orders/{order.ref}")
    assert now(order) == Payment.PAID


def test_a_return_address_tells_nobody_which_orders_there_are(house: House, edition: Edition) -> None:
    order = begin(edition)
    for ref in (order.ref, "ord_" + "a" * 26):
        answer = Client().get(f"/return/paypal/{ref}")
        assert (answer.status_code, answer["Location"]) == (303, f"/orders/{ref}")
        assert Client().get(f"/orders/{ref}").status_code == 404
    for ref in ("%00", "x" * 31, "..", "ord%2Fx", "%0d%0aX"):
        assert Client().get(f"/return/skrill/{ref}?{urlencode({'transaction_id': order.ref})}").status_code == 404
    with pytest.raises(Refused):
        settle.returned("paypal", {})
    assert now(order) == Payment.SENT
