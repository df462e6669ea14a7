"""Mailings at the desk: written and tried by the catalogue, let go by an owner, stopped by either; nobody is shown."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.desk.people import Colleague, Office
from tests.house import House
from tests.mailings.conftest import Reader, mail, reader, rested, states
from tests.storefront.page import Page
from troth.shop.catalogue.models import Edition
from troth.shop.mailings.models import Mailing

__all__ = ["reader", "rested"]
TEXT = "There is a **new** guide.\r\n\r\n- [Look at it](https://fernhill.example/p/field-guide)"


@pytest.fixture
def shopkeeper(office: Office) -> Colleague:
    return office.hired("carla", "catalogue")


def written(one: Colleague, **more: str) -> Mailing:
    answer = one.send("/desk/mailings/write", {"title": "News from Fernhill", "text": TEXT, **more}, 303)
    return Mailing.objects.get(pk=answer["Location"].rpartition("/")[2])


def begun(office: Office, made: Mailing, at: str = "") -> None:
    office.owner.proves()
    answer = office.owner.send(f"/desk/mailings/{made.id}/send", {"at": at})
    assert answer.status_code == 303, answer.content.decode()


def test_from_a_draft_to_the_last_copy(
    office: Office, shopkeeper: Colleague, house: House, reader: Reader, edition: Edition
) -> None:
    reader("alice@b.example")
    made = written(shopkeeper)
    page = shopkeeper.page(f"/desk/mailings/{made.id}")
    assert page.faults == []
    assert "Look at it (https://fernhill.example/p/field-guide)" in page.text
    assert "It would reach 1 customer now." in page.text
    assert "No opening and no click is counted." in page.text
    shopkeeper.posts(f"/desk/mailings/{made.id}/put", {"do": "test"})
    assert "A test is under way." in shopkeeper.page(f"/desk/mailings/{made.id}").text
    before = len(house.mails)
    begun(office, made)
    house.works()
    assert sorted(one.subject for one in house.mails[before:] if one.subject.endswith("News from Fernhill")) == [
        "News from Fernhill", "Test: News from Fernhill",
    ]  # fmt: skip
    shown = office.owner.page(f"/desk/mailings/{made.id}").text
    assert "alice" not in shown.lower()
    assert "done" in office.owner.page("/desk/mailings").text


def test_the_html_part_is_shown_with_its_own_styles_and_nothing_else(shopkeeper: Colleague) -> None:
    made = written(shopkeeper)
    answer = shopkeeper.get(f"/desk/mailings/{made.id}/letter")
    assert "<strong>new</strong>" in answer.content.decode()
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline';")
    assert policy.endswith("; sandbox")


def test_who_keeps_the_catalogue_lets_nothing_go_but_stops_it(
    office: Office, shopkeeper: Colleague, house: House, reader: Reader
) -> None:
    for number in range(3):
        reader(f"r{number}@b.example")
    made = written(shopkeeper)
    assert shopkeeper.posts(f"/desk/mailings/{made.id}/send", {"at": ""}).status_code == 403
    house.works()
    assert states(made) == {}
    with mail(per_domain=1):
        begun(office, made)
        house.works()
        assert shopkeeper.posts(f"/desk/mailings/{made.id}/put", {"do": "stop"}).status_code == 303
        house.works(later=timedelta(minutes=5))
    assert states(made) == {"sent": 1, "waiting": 2}
    assert "stopped" in shopkeeper.page(f"/desk/mailings/{made.id}").text


def test_it_begins_at_the_moment_that_was_written(
    office: Office, shopkeeper: Colleague, house: House, reader: Reader
) -> None:
    reader("alice@b.example")
    made = written(shopkeeper)
    begun(office, made, f"{(office.now() + timedelta(hours=3)):%Y-%m-%dT%H:%M}")
    house.works(later=timedelta(hours=1))
    assert states(made) == {}
    house.works(later=timedelta(hours=3))
    assert states(made) == {"sent": 1}


def test_a_draft_is_changed_with_what_it_said_before(shopkeeper: Colleague, edition: Edition) -> None:
    made = written(shopkeeper, goods="field-guide/single", bought_since="2026-01-31")
    path = f"/desk/mailings/{made.id}/change"
    form = shopkeeper.page(path).form(path)
    assert (form["title"], form["bought_since"]) == ("News from Fernhill", "2026-01-31")
    shown = shopkeeper.get(path).content.decode()
    assert "There is a **new** guide." in shown
    assert '<option value="field-guide/single" selected>' in shown
    answer = shopkeeper.send(path, {"title": "Other news", "text": TEXT, "goods": "field-guide/single"}, 303)
    (now,) = Mailing.objects.all()
    assert answer["Location"].endswith(now.id)
    assert (now.title, now.text) == ("Other news", TEXT.replace("\r\n", "\n"))
    assert now.segment == {"product": "field-guide", "edition": "single", "bought_since": "2026-01-31"}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"title": ""}, "Please fill this in."),
        ({"text": "[a](http://plain.example)"}, "Links in a mailing begin with https://; please mend them."),
        ({"text": "4111 1111 1111 1111"}, "This looks like a card number"),
        ({"bought_since": "tomorrow"}, "Write the day as 2027-03-31."),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(shopkeeper: Colleague, fields: dict[str, str], sentence: str) -> None:
    given = {"title": "News", "text": "Some news.", **fields}
    answer = shopkeeper.send("/desk/mailings/write", given, 400)
    page = Page(answer.content.decode())
    assert sentence in page.text
    assert page.faults == []
    assert not Mailing.objects.exists()
