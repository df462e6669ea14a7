"""From a question to its answer, on the pages of whoever asked."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from django.conf import settings
from django.test import Client

from tests.house import House
from tests.storefront.conftest import Browser
from tests.support.asking import ALICE, ASKED, WHO, asks, letter, link, member, upload, words
from troth.pledge.due import loop as due
from troth.pledge.rights.models import Erasure
from troth.shop.journeys import answer, ask
from troth.shop.orders.models import Order
from troth.shop.refusal import Refused
from troth.shop.support.models import Attachment, Message, Piece, Ticket

ANSWER = "Reindex the stock,\n  then look again: 2 < 3 & <b>that</b> is all."


def test_a_guest_asks_is_answered_and_answers(house: House, browser: Browser) -> None:
    ticket = asks(browser, **WHO)
    shown = browser.page(f"/tickets/{ticket.ref}").text
    assert "We have it, and answer by" in shown and ASKED["text"] not in shown  # nobody has signed in
    house.works()
    assert house.mails[0].to == [WHO["email"]] and ASKED["text"] not in house.mails[0].raw
    answer.take(ticket)
    answer.answer(ticket, ANSWER)
    house.works()
    assert ANSWER in house.mails[1].text.replace("\r\n", "\n")
    assert "<b>that" not in house.mails[1].html and "&lt;b&gt;" in house.mails[1].html
    assert letter(house)["Reply-To"].startswith("support+")
    ticket.refresh_from_db()
    assert (ticket.state, ticket.due_at) == (Ticket.WAITING, None)

    elsewhere = Browser()
    assert elsewhere.get(f"/tickets/{ticket.ref}").status_code == 404
    assert elsewhere.get(link(house))["Location"] == f"/tickets/{ticket.ref}"
    assert "Answered" in elsewhere.page(f"/tickets/{ticket.ref}").text
    elsewhere.send(f"/tickets/{ticket.ref}", {"text": "Not yet"}, 303)
    ticket.refresh_from_db()
    assert ticket.state == Ticket.OPEN and ticket.due_at is not None
    elsewhere.send(f"/tickets/{ticket.ref}", {}, 303, form=f"/tickets/{ticket.ref}/close")
    ticket.refresh_from_db()
    assert ticket.state == Ticket.CLOSED
    with pytest.raises(Refused):
        ask.add(ticket, "One more thing")


def test_a_customer_reads_their_own_and_each_look_is_noted(house: House) -> None:
    alice = member(house)
    ticket = asks(alice, enclosed=upload("log.txt", b"line\n" * 60_000))
    assert house.works() >= 0 and house.mails == []  # who can sign in needs no letter to find it
    answer.answer(ticket, ANSWER, attached=())
    answer.note(ticket, "Third one this week.")
    house.works()
    assert house.mails[0].to == [ALICE["email"]]
    page = alice.page(f"/tickets/{ticket.ref}")
    assert ASKED["text"] in page.text and "2 < 3 & <b>that</b>" in page.text and "Third one" not in page.text
    assert [a["href"] for a in page.all("a") if "/files/" in a["href"]]
    assert ticket.short in alice.page("/account/tickets").text
    looks = alice.page("/account/privacy").text
    assert "messages" in looks and "your question" in looks
    file = alice.get(f"/tickets/{ticket.ref}/files/{Attachment.objects.get().id}")
    assert b"".join(file.streaming_content) == b"line\n" * 60_000
    assert file["Content-Disposition"] == 'attachment; filename="log.txt"'
    assert (file["Content-Type"], file["X-Content-Type-Options"]) == ("application/octet-stream", "nosniff")
    assert file["Content-Security-Policy"].startswith("sandbox")
    assert Piece.objects.count() == 3  # 300 kB in pieces of 128 KiB


def test_another_customer_sees_neither_ticket_nor_file(house: House, browser: Browser) -> None:
    alice = member(house)
    ticket = asks(alice, enclosed=upload("log.txt", b"mine"))
    bob = Browser()
    bob.send("/register", ALICE | {"email": "bob@b.example"}, 200)
    own = asks(bob)
    file = Attachment.objects.get().id
    paths = (f"/tickets/{ticket.ref}", f"/tickets/{ticket.ref}/files/{file}", f"/tickets/{own.ref}/files/{file}")
    missing = [bob.get(path) for path in ("/tickets/tkt_" + "a" * 26, f"/tickets/{ticket.ref}/key/{'0' * 40}")]
    for path in paths:
        answered = bob.get(path)
        assert answered.status_code == 404 and answered.content == missing[0].content
    assert missing[1].status_code == 404
    token = bob.page(f"/tickets/{own.ref}").form(f"/tickets/{own.ref}")
    for path in (f"/tickets/{ticket.ref}", f"/tickets/{ticket.ref}/close"):
        assert bob.post(path, token | {"text": "x"}, HTTP_ORIGIN="http://127.0.0.1:8000").status_code == 404
    assert ticket.messages.count() == 1
    guest = Browser()
    other = asks(guest, **WHO)  # who came by a link of their own gets no file either, and no other ticket
    assert guest.get(f"/tickets/{ticket.ref}/files/{file}").status_code == 404
    assert guest.get(f"/tickets/{other.ref}").status_code == 200


def test_a_form_sent_twice_is_one_ticket(house: House, browser: Browser) -> None:
    filled = browser.page("/contact").form("/contact") | WHO | ASKED
    seen = {browser.post("/contact", filled, HTTP_ORIGIN="http://127.0.0.1:8000")["Location"] for _ in range(2)}
    assert len(seen) == Ticket.objects.count() == 1


def test_a_card_number_is_masked_before_anything_is_written(house: House) -> None:
    alice = member(house)
    ticket = asks(alice, text="I paid with 4111 1111-1111 1111, order 12345678. 返品", subject="5500005555555559")
    message = Message.objects.get()
    assert message.masked == 1
    assert words(house, message) == "I paid with •••• ••••-•••• 1111, order 12345678. 返品"
    assert "made a card number in this message unreadable" in alice.page(f"/tickets/{ticket.ref}").text
    asks(alice, subject="My card 4111 1111", text="1111 1111 is over")
    assert words(house, Message.objects.latest("made_at")) == "•••• 1111 is over"
    asks(alice, status=400, enclosed=upload("a.txt", b"x" * 70 + b" 4111111111111111"))
    assert Ticket.objects.count() == 2


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.exe", b"MZ", "We take pictures"),
        ("a.png", b"<script>alert(1)</script>", "not what its ending says"),
        ("a.txt", b"a\0b", "not what its ending says"),
        ("a.svg", b"<svg onload=alert(1)>", "We take pictures"),
        ("a.html", b"<script>", "We take pictures"),
        ("a.txt", b"", "not what its ending says"),
        ("a.txt", b"x" * 1_000_001, "more than 1 MB"),
    ],
)
def test_what_may_not_come_in_is_refused_with_a_sentence(
    house: House, browser: Browser, name: str, content: bytes, sentence: str
) -> None:
    settings.TROTH = msgspec.structs.replace(
        settings.TROTH, support=msgspec.structs.replace(settings.TROTH.support, attachment_mb=1)
    )
    answered = browser.send("/contact", WHO | ASKED | {"enclosed": upload(name, content)}, 400)
    assert sentence in answered.content.decode() and Ticket.objects.count() == 0
    assert ASKED["text"] in answered.content.decode()  # nobody types it twice


def test_too_much_is_refused_before_it_is_read(house: House, browser: Browser) -> None:
    token = browser.page("/contact").form("/contact")
    answered = browser.post("/contact", token, CONTENT_LENGTH="900000000", HTTP_ORIGIN="http://127.0.0.1:8000")
    assert answered.status_code == 413


def test_six_files_are_too_many_and_a_bomb_is_only_a_file(house: House, browser: Browser) -> None:
    bomb = b"PK\x03\x04" + bytes(2000)  # nobody unpacks it, so it is as large as it is
    files = [upload(f"{n}.zip", bomb) for n in range(6)]
    assert "at most 5 files" in browser.send("/contact", WHO | ASKED | {"enclosed": files}, 400).content.decode()
    asks(browser, **WHO, enclosed=upload("a.zip", bomb))
    assert Attachment.objects.get().size == len(bomb)


def test_markup_in_name_subject_text_and_file_name_is_shown_as_text(house: House) -> None:
    alice, evil = member(house), '"><script>alert(1)</script>'
    ticket = asks(alice, subject=evil, text=evil, enclosed=upload("../../" + evil + ".txt", b"x"))
    raw = alice.get(f"/tickets/{ticket.ref}").content.decode()
    assert "<script" not in raw and raw.count("&lt;script&gt;alert(1)") == 2
    headers = alice.get(f"/tickets/{ticket.ref}/files/{Attachment.objects.get().id}")
    assert "<" not in headers["Content-Disposition"] and "/" not in headers["Content-Disposition"]


def test_the_form_needs_its_token_and_its_own_page(house: House, browser: Browser) -> None:
    assert browser.post("/contact", WHO | ASKED, HTTP_ORIGIN="http://127.0.0.1:8000").status_code == 403
    token = browser.page("/contact").form("/contact")
    assert browser.post("/contact", token | WHO | ASKED, HTTP_ORIGIN="https://evil.example").status_code == 403
    assert Client().post("/contact", WHO | ASKED).status_code in (303, 403)  # no browser: no token is asked of it
    assert Ticket.objects.count() <= 1


def test_two_tickets_of_one_customer_become_one_and_others_do_not(house: House, browser: Browser) -> None:
    alice = member(house)
    one, two = asks(alice), asks(alice, text="The same again")
    stranger = asks(browser, **WHO)
    with pytest.raises(Refused):
        answer.merge(one, stranger)
    answer.merge(one, two)
    page = alice.page(f"/tickets/{one.ref}").text
    assert ASKED["text"] in page and "The same again" in page
    two.refresh_from_db()
    assert (Ticket.objects.get(pk=one.pk).state, two.state) == (Ticket.CLOSED, Ticket.OPEN)
    assert two.due_at == min(one.due_at or two.due_at, two.due_at)


def test_exactly_one_of_two_colleagues_takes_it(house: House, browser: Browser) -> None:
    ticket = asks(browser, **WHO)
    assert [answer.take(Ticket.objects.get(pk=ticket.pk)) for _ in range(2)] == [True, False]


def test_a_forgotten_customers_conversation_is_gone(house: House) -> None:
    alice = member(house)
    asks(alice, enclosed=upload("a.txt", b"x"))
    alice.send("/account/erase", {"password": ALICE["password"]}, 303)
    house.works()
    house.works(later=timedelta(days=8))
    assert Erasure.objects.get().state == Erasure.DONE
    assert not any(model.objects.exists() for model in (Ticket, Message, Attachment, Piece))


def test_a_conversation_goes_when_its_time_is_over_and_no_earlier(house: House, browser: Browser) -> None:
    for errand in ("conversations", "leftovers"):
        due.add(errand, "shop", every=3600)
    ticket = asks(browser, **WHO)
    house.works(later=timedelta(days=40))  # longer than guests who never buy are kept: they wait for an answer
    assert Ticket.objects.exists()
    answer.answer(ticket, "Here you are")
    house.works()
    house.works(later=timedelta(days=15))
    assert Ticket.objects.get().state == Ticket.CLOSED
    house.works(later=timedelta(days=300))
    assert Message.objects.count() == 2
    house.works(later=timedelta(days=70))
    assert not Ticket.objects.exists() and not Message.objects.exists()


def test_a_letter_may_hold_only_a_link(house: House, browser: Browser) -> None:
    settings.TROTH = msgspec.structs.replace(
        settings.TROTH, support=msgspec.structs.replace(settings.TROTH.support, letters="link")
    )
    ticket = asks(browser, **WHO)
    answer.answer(ticket, ANSWER)
    house.works()
    assert all("Reindex" not in mail.raw for mail in house.mails) and "/recover/" in house.mails[-1].text


def test_who_may_see_an_order_asks_about_it_and_nobody_else(house: House, basket: Browser) -> None:
    fields = {
        "name": "Gus Guest", "email": WHO["email"], "street": "1 Elm Row", "city": "Berlin",
        "billing_postcode": "10115", "country": "DE", "provider": "paypal",
    }  # fmt: skip
    assert basket.send("/checkout", fields).status_code == 303
    order = Order.objects.get()
    assert "Ask about this order" in basket.page(f"/orders/{order.ref}").text
    ticket = asks(basket, path=f"/orders/{order.ref}/ask")
    assert (ticket.order_id, ticket.person_id) == (order.ref, order.person_id)
    house.works()
    assert house.mails[-1].to == [WHO["email"]]
    assert Browser().get(f"/orders/{order.ref}/ask").status_code == 404
    other = ask.ask(ask.Stranger("Mal", "mal@evil.example"), ask.Question("x", order=order.ref))
    assert other.order is None  # who only knows its number ties nothing to it
