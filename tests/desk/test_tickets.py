"""Questions at the desk: read and answered within a job on whoever asked, and nowhere else."""

from __future__ import annotations

from django.conf import settings

from tests.desk.people import Colleague, Office
from tests.desk.test_jobs import openings
from tests.house import House
from tests.storefront.conftest import Browser
from tests.support.asking import WHO, asks, member, upload
from troth.shop.support.models import Attachment, Message, Ticket

EVIL = '"><script>alert(1)</script>'


def takes(one: Colleague, ticket: Ticket) -> str:
    """The path of the conversation in a job on its customer."""
    answer = one.posts(f"/desk/tickets/{ticket.ref}/take", {"hours": "8"})
    assert answer.status_code == 303, answer.content.decode()
    return str(answer["Location"])


def test_a_question_is_taken_read_answered_and_closed(office: Office, house: House) -> None:
    alice, sara = member(house), office.hired("sara", "support")
    ticket = asks(alice, subject=EVIL, text="Where is it? 4111 1111 1111 1111", enclosed=upload("log.txt", b"a line"))
    listed = sara.page("/desk/tickets").text
    assert ticket.short in listed and "Where is it" not in listed and "Alice" not in listed
    closed = sara.page(f"/desk/tickets/{ticket.ref}").text
    assert "What was written lies sealed" in closed and "Where is it" not in closed
    path = takes(sara, ticket)
    assert Ticket.objects.get(pk=ticket.pk).state == Ticket.OPEN
    raw = sara.get(path).content.decode()
    assert "<script" not in raw and "Where is it? •••• •••• •••• 1111" in raw
    assert len(openings(house, ticket.person_id)) >= 1

    sara.posts(path, {"text": "Second time this week", "do": "note"})
    sara.posts(path, {"text": "It is on its way.", "do": "answer"})
    house.works()
    assert "It is on its way." in house.mails[-1].text and "Second time" not in house.mails[-1].raw
    assert [one.by for one in Message.objects.exclude(by="")] == [sara.ref, sara.ref]
    theirs = alice.page(f"/tickets/{ticket.ref}").text
    assert "It is on its way." in theirs and "Second time" not in theirs
    file = f"{path}/files/{Attachment.objects.get().id}"
    got = sara.get(file)
    assert b"".join(got.streaming_content) == b"a line" and got["Content-Disposition"].startswith("attachment")
    sara.posts(path, {"text": "", "do": "solve"})
    assert Ticket.objects.get(pk=ticket.pk).state == Ticket.SOLVED

    looks = alice.page("/account/privacy").text
    assert "messages" in looks
    sara.posts(path.partition("/tickets/")[0] + "/close", {})
    assert sara.get(path).status_code == sara.get(file).status_code == 403


def test_a_job_on_one_customer_opens_no_others_question(office: Office, house: House) -> None:
    alice, sara = member(house), office.hired("sara", "support")
    ticket = asks(alice, enclosed=upload("log.txt", b"a line"))
    other = asks(Browser(), **WHO)
    path = takes(sara, other)
    wrong = path.replace(other.ref, ticket.ref)
    for one in (wrong, f"{wrong}/files/{Attachment.objects.get().id}"):
        assert sara.get(one).status_code == 403
    assert sara.posts(wrong, {"text": "x", "do": "answer"}).status_code == 403
    assert sara.posts(f"{wrong}/merge", {"into": other.ref}).status_code == 403
    assert sara.posts(f"{path}/merge", {"into": ticket.ref}).status_code == 403
    assert sara.get(f"{path}/files/{Attachment.objects.get().id}").status_code == 400  # of another ticket
    tom = office.hired("tom", "support")
    assert tom.get(path).status_code == 403
    assert Message.objects.count() == 2


def test_only_who_does_support_takes_questions_up(office: Office, house: House) -> None:
    ticket = asks(Browser(), **WHO)
    for role in ("billing", "catalogue"):
        one = office.hired(role, role)
        assert one.get("/desk/tickets").status_code == 403
        assert one.posts(f"/desk/tickets/{ticket.ref}/take", {"hours": "8"}).status_code == 403
    assert "needs the role of support" in office.owner.page(f"/desk/tickets/{ticket.ref}").text
    assert Ticket.objects.get().state == Ticket.NEW


def test_duplicates_become_one_and_given_answers_are_at_hand(office: Office, house: House) -> None:
    folder = settings.TROTH.home / "answers"
    folder.mkdir(exist_ok=True)
    (folder / "versions.md").write_text("# Which version\n\nPlease tell us <b>both</b> versions.")
    alice, sara = member(house), office.hired("sara", "support")
    one, two = asks(alice), asks(alice, text="The same again")
    path = takes(sara, one)
    page = sara.page(f"{path}?answer=versions")
    assert "Which version" in page.text and "Please tell us <b>both</b> versions." in page.text
    assert sara.posts(f"{path}/merge", {"into": two.ref})["Location"] == path.replace(one.ref, two.ref)
    merged = sara.page(path.replace(one.ref, two.ref)).text
    assert "Why is the stock wrong?" in merged and "The same again" in merged
    assert Ticket.objects.get(pk=one.pk).merged_into_id == two.pk
    (folder / "versions.md").unlink()
