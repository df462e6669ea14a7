"""What somebody tries at the desk besides its pages: forms sent from elsewhere, words in addresses, titles and logs."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from tests.desk.people import Office
from tests.desk.test_matrix import _names
from tests.storefront.conftest import ORIGIN
from troth.faces.desk.urls import PAGES
from troth.shop.orders.models import Order
from troth.shop.staff.models import Job

WORDS = ("alice", "abend", "elsewhere.example", "amsel")


def test_every_form_wants_its_token_and_its_own_origin(office: Office, order: Order) -> None:
    olga = office.owner
    token = {"csrfmiddlewaretoken": olga.page("/desk/").form("/desk/sign-out")["csrfmiddlewaretoken"]}
    for place in PAGES:
        path = reverse(place.name, kwargs=dict.fromkeys(_names(place), "none"))
        assert olga.post(path, {}, HTTP_ORIGIN=ORIGIN).status_code == 403, path
        from_elsewhere = {"HTTP_ORIGIN": "https://evil.example", "HTTP_SEC_FETCH_SITE": "cross-site"}
        assert olga.post(path, token, **from_elsewhere).status_code == 403, path
    olga.page("/desk/colleagues")
    assert not Job.objects.exists()


def test_nothing_personal_stands_in_addresses_titles_and_logs(
    office: Office, order: Order, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    sara = office.hired("sara", "support", "billing")
    for why in ("question", "invoice"):
        job = sara.takes(order.ref, why=why)
        body = sara.get(f"/desk/jobs/{job}").content.decode().lower()
        assert "amsel" in body or "elsewhere.example" in body
        title = re.findall(r"<title>(.*?)</title>", body)[0]
        addresses = re.findall(r'(?:href|action|src)="([^"]*)"', body)
        assert not [word for word in WORDS for text in (title, *addresses) if word in text]
        sara.posts(f"/desk/jobs/{job}/close", {})
        sara.get(f"/desk/jobs/{job}")
    sara.send("/desk/search", {"q": "alice@elsewhere.example"})
    noisy = caplog.text + "".join(capfd.readouterr())
    assert not [word for word in WORDS if word in noisy.lower()]


def test_markup_in_a_colleagues_name_stays_text(office: Office) -> None:
    link = office.invited("support")
    mallory = office.colleague("mallory")
    fields = {"email": mallory.email, "password": "a long walk by the river", "handle": "<b>olga</b>"}
    assert mallory.send(link, fields).status_code == 400


def test_pages_are_kept_nowhere_and_found_by_nobody(office: Office) -> None:
    answer = office.owner.get("/desk/colleagues")
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Robots-Tag"] == "noindex"
    assert "script-src" not in answer["Content-Security-Policy"]
