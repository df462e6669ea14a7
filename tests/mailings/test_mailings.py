"""Mailings: composed, shown, tried, sent to a segment at most once each; what comes back is heard."""

from __future__ import annotations

import email
import email.policy
from datetime import timedelta
from urllib.parse import urlsplit

import dkim
import pytest
from django.conf import settings
from django.test import Client

from tests.house import House
from tests.mailings.conftest import TEXT, Reader, composed, mail, policy, states
from tests.mailings.test_consent import buys, followed, sent
from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.rights.models import Consent
from troth.shop.catalogue.models import Edition, Release
from troth.shop.delivery import signature
from troth.shop.journeys import bounce, choose, hear_mail, mailing
from troth.shop.mailings import consent, markup
from troth.shop.mailings.models import Mailing, Recipient
from troth.shop.mailings.segments import Segment
from troth.shop.orders.models import Order
from troth.shop.refusal import Refused
from troth.shop.support.models import Ticket

BOUNCES = "bounces@fernhill.example"


def test_text_and_html_say_the_same_with_the_same_links_and_fetch_nothing(house: House, reader: Reader) -> None:
    reader("alice@b.example")
    sent(house)
    (letter,) = house.mails
    assert "<strong>new</strong>" in letter.html
    assert "Look at it (https://fernhill.example/p/field-guide)" in letter.text
    assert "- short" in letter.text
    assert all("/unsubscribe/" in part for part in (letter.text, letter.html))
    assert "<img" not in letter.html
    assert 'href="https://fernhill.example/p/field-guide"' in letter.html


@pytest.mark.parametrize("text", ["", "x" * 50_001, "[a](http://plain.example)", "[a](//b.example/c)"])
def test_what_no_letter_carries_is_refused_in_a_sentence(db: None, text: str) -> None:
    with pytest.raises(Refused) as no:
        mailing.compose("News", text, Segment())
    assert str(no.value.sentence).endswith(".")


def test_html_and_pictures_of_the_writers_stay_text() -> None:
    made = markup.html("![p](https://b.example/pixel.png) <img src=x> <script>1</script>")
    assert "<img" not in made
    assert "<script" not in made


def test_it_goes_to_the_segment_alone(house: House, edition: Edition) -> None:
    followed(house, buys(house, edition))
    followed(house, buys(house, edition, email="bob@b.example"))
    Order.objects.filter(pk=Order.objects.order_by("made_at")[0].pk).update(paid_at=clock.now() - timedelta(days=90))
    today = clock.now().date()
    reached = {
        name: mailing.reach(composed(segment=segment))
        for name, segment in {
            "all": Segment(), "product": Segment("field-guide"), "other": Segment("another"),
            "edition": Segment("field-guide", "single"), "no edition": Segment("field-guide", "agency"),
            "of late": Segment(bought_since=today - timedelta(days=30)),
            "long ago": Segment(bought_before=today - timedelta(days=30)),
            "updates end": Segment(updates_end_from=today, updates_end_to=today + timedelta(days=400)),
            "ended": Segment(updates_end_to=today),
        }.items()
    }  # fmt: skip
    assert reached == {
        "all": 2, "product": 2, "other": 0, "edition": 2, "no edition": 0, "of late": 1, "long ago": 1,
        "updates end": 2, "ended": 0,
    }  # fmt: skip


def test_a_test_copy_goes_to_the_owner_and_leads_to_nobodys_page(house: House) -> None:
    made = composed()
    mailing.test(made)
    assert mailing.test_under_way(made) == ""
    house.works()
    assert mailing.test_under_way(made) is None
    (letter,) = house.mails
    assert letter.to == [settings.TROTH.shop.contact_email]
    assert letter.subject.startswith("Test: ")
    assert states(made) == {}
    assert mailing.preview(made).reach == 0


def test_it_begins_when_it_is_meant_to_and_once(house: House, reader: Reader) -> None:
    reader("alice@b.example")
    made = composed()
    mailing.send(made, clock.now() + timedelta(hours=2))
    house.works(later=timedelta(hours=1))
    assert house.mails == []
    with pytest.raises(Refused):
        mailing.send(made)
    house.works(later=timedelta(hours=2))
    assert len(house.mails) == 1
    with pytest.raises(Refused):
        mailing.stop(made)


def test_stopped_it_waits_and_goes_on_where_it_was(house: House, reader: Reader) -> None:
    for number in range(3):
        reader(f"reader{number}@b.example")
    made = composed()
    with mail(per_domain=2):
        mailing.send(made)
        house.works()
        mailing.stop(made)
    house.works(later=timedelta(minutes=5))
    assert states(made) == {"sent": 2, "waiting": 1}
    mailing.send(made)
    house.works(later=timedelta(minutes=5))
    assert states(made) == {"sent": 3}
    assert sorted(one.to[0] for one in house.mails) == [f"reader{n}@b.example" for n in range(3)]


def test_one_mail_domain_waits_while_the_others_go_on(house: House, reader: Reader) -> None:
    for address in ("a@b.example", "b@b.example", "c@b.example", "d@c.example"):
        reader(address)
    made = composed()
    with mail(per_domain=1):
        mailing.send(made)
        house.works()
        assert states(made) == {"sent": 2, "waiting": 2}
        assert {row.last_code for row in made.recipients.filter(state="waiting")} == {"throttled"}


def test_a_copy_carries_one_message_id_and_no_name_in_it(house: House, reader: Reader) -> None:
    alice = reader("alice@b.example")
    made = sent(house)
    row = made.recipients.get()
    headers = dict(house.mails[0].headers)
    assert headers["Message-ID"] == f"<{row.id}@127.0.0.1>"
    assert alice.person_id in headers["List-Unsubscribe"]
    assert headers["List-ID"] == "<news.127.0.0.1>"


def test_letters_are_signed_over_the_one_click_as_well(house: House, reader: Reader) -> None:
    """Verified by dkimpy against the record that `troth mailings dkim` prints (RFC 6376; RFC 8058, section 4)."""
    reader("alice@b.example")
    key = signature.make_key()
    name, text = signature.record(key, "troth", "fernhill.example")
    with mail(dkim_key=key):
        sent(house)
    raw = house.mails[0].raw.encode().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    looked_up = []

    def dns(asked: bytes, timeout: int = 5) -> bytes:
        looked_up.append(asked.decode().rstrip("."))
        return text.encode()

    assert dkim.verify(raw, dnsfunc=dns)
    assert looked_up == [name]
    head = email.message_from_bytes(raw, policy=email.policy.default)["DKIM-Signature"].lower()
    covered = head.partition("h=")[2].partition(";")[0].replace(" ", "").split(":")
    assert {"from", "list-unsubscribe", "list-unsubscribe-post"} <= set(covered)
    assert not dkim.verify(raw.replace(b"One-Click", b"Two-Click"), dnsfunc=dns)


def test_a_key_that_cannot_be_read_ends_no_copy(house: House, reader: Reader) -> None:
    """It is the owner's mistake, and no letter's: the copy waits, and leaves when the key is mended."""
    reader("alice@b.example")
    made = composed()
    with mail(dkim_key="no key at all"):
        mailing.send(made)
        house.works()
    assert (states(made), house.mails) == ({"waiting": 1}, [])
    with mail(dkim_key=signature.make_key()):
        house.works(later=timedelta(minutes=5))
    assert states(made) == {"sent": 1}
    assert "DKIM-Signature" in dict(house.mails[0].headers)


def test_a_mailbox_that_there_is_not_is_written_to_no_more(house: House, reader: Reader) -> None:
    alice = reader("alice@b.example")
    with mail(bounces=BOUNCES):
        made = sent(house)
        back = house.mails[0].sender
        assert back.startswith("bounces+")
        assert bounce.heard(report(back, "5.1.1")) == "bounced"
        assert bounce.heard(report(back, "5.1.1")) == "bounced"
    house.works()
    assert states(made) == {"bounced": 1}
    assert consent.standing(alice.person_id).what == Consent.WITHDRAWN
    assert states(sent(house)) == {}


def test_a_delay_and_a_full_mailbox_end_nothing(house: House, reader: Reader) -> None:
    reader("alice@b.example")
    with mail(bounces=BOUNCES):
        made = sent(house)
        back = house.mails[0].sender
        assert bounce.heard(report(back, "4.2.2", action="delayed")) == "noted"
        assert states(made) == {"sent": 1}
        assert bounce.heard(report(back, "5.2.2")) == "bounced"
    assert states(sent(house)) == {"sent": 1}


def test_a_complaint_is_an_objection(house: House, reader: Reader) -> None:
    alice = reader("alice@b.example")
    with mail(bounces=BOUNCES):
        sent(house)
        said = f"To: {house.mails[0].sender}\nMIME-Version: 1.0\n{COMPLAINT}"
        assert bounce.heard(email.message_from_string(said, policy=email.policy.default)) == "complained"
    house.works()
    assert consent.standing(alice.person_id).what == Consent.OBJECTED
    assert states(sent(house)) == {}


def test_a_report_of_somebodys_own_making_or_about_nothing_of_ours_stops_nobody(house: House, reader: Reader) -> None:
    alice = reader("alice@b.example")
    with mail(bounces=BOUNCES):
        sent(house)
        row = Recipient.objects.get()
        for to in (f"bounces+{row.id[4:]}-000000000000@fernhill.example", BOUNCES, "shop@fernhill.example", ""):
            assert bounce.heard(report(to, "5.1.1")) == ""
    assert consent.standing(alice.person_id).may


def report(to: str, status: str, action: str = "failed") -> email.message.EmailMessage:
    return email.message_from_string(
        f"To: {to}\nMIME-Version: 1.0\n" + DSN.format(status=status, action=action), policy=email.policy.default
    )


DSN = """Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.b.example

Final-Recipient: rfc822; alice@b.example
Action: {action}
Status: {status}
--b--
"""
COMPLAINT = """Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
Version: 1
--b--
"""


class TestReleases:
    def released(self, edition: Edition, version: str = "1.1.0") -> Release:
        return Release.objects.create(
            product=edition.product, version=version, released_on=clock.now().date(), file="f.zip", size=1,
            sha256="0" * 64, changes=["Faster"],
        )  # fmt: skip

    def bought(self, house: House, edition: Edition) -> str:
        order = buys(house, edition, ticked=True)
        clock.travel(timedelta(days=2))
        return order.person_id

    def test_who_is_entitled_hears_of_it_once_as_a_service_whatever_they_said_about_news(
        self, house: House, edition: Edition
    ) -> None:
        self.bought(house, edition)
        self.released(edition)
        for _ in range(2):
            due.add("releases", "shop")
            house.works(later=timedelta(hours=1))
        (letter,) = house.mails[1:]
        assert letter.subject == "Field Guide 1.1.0 is out"
        assert "- Faster" in letter.text
        assert dict(letter.headers)["List-Unsubscribe"].endswith("?topic=releases>")

    def test_each_can_turn_it_off_by_one_click(self, house: House, edition: Edition) -> None:
        person = self.bought(house, edition)
        path = f"{choose.page_of(person)}?topic=releases"
        assert Client().post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
        self.released(edition)
        due.add("releases", "shop")
        house.works(later=timedelta(hours=2))
        assert states(Mailing.objects.get()) == {"refused": 1}
        assert len(house.mails) == 1

    @pytest.mark.parametrize("by", ["envelope", "link"])
    def test_a_complaint_turns_it_off_as_well(self, house: House, edition: Edition, by: str) -> None:
        person = self.bought(house, edition)
        self.released(edition)
        with mail(bounces=BOUNCES):
            due.add("releases", "shop")
            house.works(later=timedelta(hours=1))
            link = dict(house.mails[-1].headers)["List-Unsubscribe"]
            brought = f"--b\nContent-Type: message/rfc822\n\nList-Unsubscribe: {link}\n\n--b--"
            to = house.mails[-1].sender if by == "envelope" else "complaints@fernhill.example"
            said = f"To: {to}\nMIME-Version: 1.0\n" + COMPLAINT.replace("--b--", brought if by == "link" else "--b--")
            assert bounce.heard(email.message_from_string(said, policy=email.policy.default)) == "complained"
        assert consent.standing(person, Consent.RELEASES).what == Consent.OBJECTED
        assert consent.standing(person).what == Consent.OBJECTED

    def test_whose_updates_have_ended_hears_nothing(self, house: House, edition: Edition) -> None:
        self.bought(house, edition)
        clock.travel(timedelta(days=800))
        self.released(edition)
        due.add("releases", "shop")
        house.works()
        assert Mailing.objects.count() == 0

    @pytest.mark.parametrize(("way", "mailings"), [("marketing", 0), ("off", 0)])
    def test_as_news_it_needs_what_news_need(self, house: House, edition: Edition, way: str, mailings: int) -> None:
        with policy(release_notices=way):
            self.bought(house, edition)
            self.released(edition)
            due.add("releases", "shop")
            house.works(later=timedelta(hours=2))
        assert len(house.mails) == 1
        assert Recipient.objects.count() == mailings


def test_the_text_is_read_by_people_who_have_no_html() -> None:
    assert markup.plain(TEXT).splitlines()[0] == (
        "There is a new guide. Look at it (https://fernhill.example/p/field-guide)."
    )


def test_hosts_of_links_are_those_that_were_written(house: House, reader: Reader) -> None:
    reader("alice@b.example")
    sent(house)
    hosts = {urlsplit(part).hostname for part in house.mails[0].html.split('"') if part.startswith("http")}
    assert hosts == {"127.0.0.1", "fernhill.example"}


def test_what_comes_back_to_the_shops_mailbox_is_heard_and_begins_no_conversation(house: House, reader: Reader) -> None:
    alice = reader("alice@b.example")
    with mail(bounces=BOUNCES):
        sent(house)
        said = f"To: {house.mails[0].sender}\nFrom: mailer@b.example\nMessage-ID: <x@b.example>\nMIME-Version: 1.0\n"
        hear_mail.take_in((said + DSN.format(status="5.1.1", action="failed")).encode())
        house.works()
    assert Ticket.objects.count() == 0
    assert consent.standing(alice.person_id).what == Consent.WITHDRAWN
