"""An objection goes along when its person has another mailbox, and outlives them there as well."""

from __future__ import annotations

import re
from datetime import timedelta

from django.conf import settings
from django.test import Client

from tests.house import SITE, House
from tests.mailings.conftest import policy
from tests.mailings.test_consent import PASSWORD
from troth.shop.accounts.models import Account
from troth.shop.journeys import choose, confirm, erase, register
from troth.shop.mailings import consent

NEW = "new@b.example"


def latest(house: House, mailbox: str) -> tuple[str, str]:
    texts = [mail.text for mail in house.mails if mailbox in mail.to]
    return re.findall(rf"{SITE}/confirm/(\S+)/(\S+)", "".join(texts))[-1]


def test_who_objected_and_moved_is_written_to_at_neither_mailbox(house: House) -> None:
    settings.TROTH.home.mkdir(exist_ok=True)
    browser = Client()
    typed = {"name": "Alice", "email": "alice@b.example", "password": PASSWORD, "postcode": "LS1"}
    browser.post("/register", typed)
    house.works()
    assert confirm.confirm(*latest(house, "alice@b.example"))
    former = Account.objects.get().pk
    choose.news(former, False, "account")
    house.works()
    browser.post("/account/email", {"email": NEW, "password": PASSWORD})
    house.works()
    assert confirm.confirm(*latest(house, NEW))
    house.works()
    with policy(erase_window=0):
        erase.by_owner(former)
        house.works(later=timedelta(minutes=1))
    for mailbox in (NEW, "alice@b.example"):
        with policy(marketing_basis="objection"):  # who registers is told, and does not say no
            register.register("Alice", mailbox, PASSWORD, "LS1", False)
            house.works()
            assert confirm.confirm(*latest(house, mailbox))
            house.works()
            stands = consent.standing(Account.objects.latest("made_at").pk)
        assert (stands.may, stands.place) == (False, "earlier"), mailbox
