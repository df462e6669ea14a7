"""Held orders at the desk and on the command line: the reasons, no address, and one decision."""

from click.testing import CliRunner

from tests.desk.conftest import keeper as keeper
from tests.desk.conftest import office as office
from tests.desk.people import Office
from tests.fraud.test_holds import DUBLIN
from tests.fraud.test_holds import held as held
from tests.house import House
from troth.faces.cli.orders import orders
from troth.shop.fraud.models import Hold
from troth.shop.orders.models import Order


def test_billing_looks_and_decides_once(office: Office, house: House, held: Order) -> None:
    bill, sara = office.hired("bill", "billing"), office.hired("sara", "support")
    assert sara.get("/desk/held").status_code == 403
    assert sara.posts(f"/desk/held/{held.ref}", {"do": "release"}).status_code == 403
    page = bill.page("/desk/held")
    assert "Many orders from one address within an hour" in page.text
    assert "60 points" in page.text
    assert DUBLIN not in bill.get("/desk/held").content.decode()
    assert bill.posts(f"/desk/held/{held.ref}", {"do": "nothing"}).status_code == 400
    assert bill.posts(f"/desk/held/{held.ref}", {"do": "release"}).status_code == 303
    assert bill.posts(f"/desk/held/{held.ref}", {"do": "refuse"}).status_code == 400
    held.refresh_from_db()
    assert (held.state, Hold.objects.get().by) == (Order.OPEN, bill.ref)
    assert "No order is held" in bill.page("/desk/held").text


def test_the_command_line_calls_the_same_verb(house: House, held: Order) -> None:
    def said(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(orders, list(words))
        return done.exit_code, done.output

    assert held.ref in said("held")[1]
    assert said("refuse", held.ref)[0] == 0
    code, sentence = said("release", held.ref)
    assert (code, "not held" in sentence) == (1, True)
    assert said("held") == (0, "No order is held.\n")
    assert said("evidence", held.ref)[0] == 1
