"""The keeper's part in forgetting: the ticket that proves the wish, the restriction, the journal after it."""

from __future__ import annotations

import pathlib

import pytest
from django.conf import settings

from tests.pledge.test_endings import enrolled, opens, own_blank
from tests.pledge.test_keeper import ask, blank, code, record
from troth.pledge.ids import to_bytes
from troth.pledge.keeper import messages
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.keeper.keyring import connect
from troth.pledge.kms.file import FileKey


def test_who_is_restricted_opens_for_that_job_alone_until_it_is_lifted(keeper: Keeper) -> None:
    fresh, keys, mine = enrolled(keeper)
    _, others, _ = enrolled(keeper)
    own = messages.Open([record(keys, "contact")], "account", "look", mine)
    assert code(ask(keeper, "worker", messages.Restrict(fresh.ref, "letter"))) == "Done"
    assert opens(keeper, keys, "contact", "deliver") == "restricted"
    assert code(ask(keeper, "web", own)) == "restricted"
    letter = messages.Open([record(keys, "contact")], "notice", "letter")
    assert code(ask(keeper, "worker", letter)) == "Opened"
    assert opens(keeper, others, "contact", "deliver") == "Opened"
    both = [record(keys, "contact"), record(others, "contact")]
    assert code(ask(keeper, "worker", messages.Open(both, "notice", "deliver"))) == "restricted"
    ask(keeper, "worker", messages.Restrict(fresh.ref, ""))
    assert opens(keeper, keys, "contact", "deliver") == "Opened"


def test_restricting_again_notes_nothing_and_no_page_may_do_it(keeper: Keeper) -> None:
    fresh, _, _ = enrolled(keeper)
    ask(keeper, "worker", messages.Restrict(fresh.ref, "letter"))
    size = ask(keeper, "worker", messages.Attest()).ledger_size
    ask(keeper, "worker", messages.Restrict(fresh.ref, "letter"))
    assert ask(keeper, "worker", messages.Attest()).ledger_size == size
    assert code(ask(keeper, "web", messages.Restrict(fresh.ref, ""))) == "door"
    ask(keeper, "worker", messages.Shred(fresh.ref, []))
    assert code(ask(keeper, "worker", messages.Restrict(fresh.ref, "letter"))) == "gone"


def test_a_wish_is_proved_by_the_mailbox_and_gives_no_session(keeper: Keeper) -> None:
    fresh, _, _ = enrolled(keeper)
    mailbox = f"{fresh.ref}@b.example"
    ticket = ask(keeper, "web", messages.Recover(mailbox, "erase")).ticket
    unknown = ask(keeper, "web", messages.Recover("nobody@b.example", "erase")).ticket
    assert len(ticket) == len(unknown)
    assert code(ask(keeper, "web", messages.Recover(mailbox, "invite"))) == "kind"
    assert ask(keeper, "worker", messages.Redeem(unknown)).kind == "nothing"
    made = ask(keeper, "worker", messages.Redeem(ticket))
    assert (made.kind, made.ref) == ("erase", fresh.ref)
    assert code(ask(keeper, "web", messages.Prove(ticket, "guessed"))) == "ticket"
    proved = ask(keeper, "web", messages.Prove(ticket, made.secret))
    assert (proved.kind, proved.session.ref, proved.session.capability) == ("erase", fresh.ref, "")
    assert code(ask(keeper, "web", messages.Prove(ticket, made.secret))) == "ticket"
    assert ask(keeper, "worker", messages.Redeem(ticket, kind="peek")).kind == "proved"


def test_a_guest_proves_it_although_another_has_the_mailbox(keeper: Keeper) -> None:
    owner, _, _ = enrolled(keeper)
    mailbox = f"{owner.ref}@b.example"
    ticket = ask(keeper, "worker", messages.Redeem(ref=owner.ref, kind="confirm", mailbox=mailbox))
    ask(keeper, "web", messages.Prove(ticket.ticket, ticket.secret))
    guest, _ = blank(keeper)
    made = ask(keeper, "worker", messages.Redeem(ref=guest.ref, kind="erase", mailbox=mailbox))
    assert ask(keeper, "web", messages.Prove(made.ticket, made.secret)).session.ref == guest.ref
    assert code(ask(keeper, "web", messages.SignIn(mailbox, "correct horse"))) == "Session"


@pytest.mark.parametrize("from_before_both", [True, False])
def test_what_law_kept_first_and_then_let_go_is_let_go_again(tmp_path: pathlib.Path, from_before_both: bool) -> None:
    root, journal = FileKey(settings.TROTH.root_key), tmp_path / "erasures"
    db = connect(tmp_path / "keyring")
    keeper = Keeper(db, root, journal=journal)
    fresh, _ = own_blank(keeper)
    copies = ["\n".join(db.iterdump())]
    ask(keeper, "worker", messages.Shred(fresh.ref, ["tax"]))
    copies.append("\n".join(db.iterdump()))
    ask(keeper, "worker", messages.Shred(fresh.ref, []))
    db.close()
    old = connect(tmp_path / "old")
    for table in [row[0] for row in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]:
        old.execute(f"DROP TABLE {table}")
    old.executescript(copies[0 if from_before_both else 1])
    old.close()
    restored = Keeper(connect(tmp_path / "old"), root, journal=journal)
    assert restored.room.persons.wraps(to_bytes(fresh.ref)) == {}
    restored.db.close()
