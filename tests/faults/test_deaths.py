"""A process dies at every named step in turn, once or twice: the order is delivered all the same, and only once.

In one process, so that all steps fit into `make test`; the same with real processes and SIGKILL is test_campaign.py.
"""

import pytest

from tests import campaign
from tests.faults.shopping import Died, Purchase, faults_of
from tests.house import House
from troth.pledge import fault
from troth.pledge.fault_points import POINTS
from troth.shop.catalogue.models import Edition

DOUBLES = {"send.sent"}  # the relay has the letter, and nobody could write that down
WAYS = [
    (provider, returns, times) for provider in ("paypal", "skrill") for returns in (True, False) for times in (1, 2)
]


def cases() -> list[tuple[str, str, bool, int]]:
    """Every step in every way; as a sample every step in one way that is drawn."""
    draw = campaign.draws("deaths")
    return [(point, *way) for point in POINTS for way in (WAYS if campaign.FULL else [draw.choice(WAYS)])]


def _comes_by(point: str, provider: str, returns: bool) -> bool:
    """Skrill takes the money itself; and who does not come back does not come by the return page."""
    return not (point == "look.captured" and provider == "skrill") and not (point == "return.found" and not returns)


@pytest.mark.soak
@pytest.mark.parametrize(("point", "provider", "returns", "times"), cases())
def test_a_death_here_loses_nothing(
    house: House, edition: Edition, point: str, provider: str, returns: bool, times: int
) -> None:
    left = times

    def die(here: str, kind: str) -> None:
        nonlocal left
        if here == point and left and (kind == "deliver" or not point.startswith("send.")):
            left -= 1
            raise Died

    purchase = Purchase(house, edition, provider, returns=returns)
    with fault.watched(die):
        order = purchase.complete()
    assert faults_of(house, order) == []
    mails = [mail for mail in house.mails if order.ref in mail.text]
    assert len(mails) == 1 + (times if point in DOUBLES else 0)
    assert len({mail.message_id for mail in mails}) == 1
    assert purchase.deaths == times - left
    assert (left < times) == _comes_by(point, provider, returns)
