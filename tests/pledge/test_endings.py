"""What ends, ends: an optional purpose, a person, and both after an older keyring was put back.

In any order, with rotations, copies and crashes between: tests/strongroom/test_machine.py.
"""

import pathlib
import sqlite3

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings

from tests.pledge.test_keeper import ask, blank, code, record
from troth.pledge.ids import to_bytes
from troth.pledge.keeper import messages
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.keeper.keyring import connect
from troth.pledge.kms.file import FileKey
from troth.pledge.vault.sealing import read_key_set


def opens(keeper: Keeper, keys, klass: str, purpose: str) -> str:
    return code(ask(keeper, "worker", messages.Open([record(keys, klass)], purpose, "deliver")))


def enrolled(keeper: Keeper):
    fresh, keys = blank(keeper)
    session = ask(keeper, "web", messages.Enrol(fresh.ref, fresh.secret, f"{fresh.ref}@b.example", "correct horse"))
    return fresh, keys, session.capability


def test_an_optional_purpose_has_a_wrap_only_while_it_is_allowed(keeper: Keeper) -> None:
    fresh, _, mine = enrolled(keeper)

    def held() -> list[str]:
        return list(keeper.room.persons.wraps(to_bytes(fresh.ref))["contact"])

    assert set(held()) == {"standing"}
    assert code(ask(keeper, "web", messages.Consent("marketing", True, mine))) == "Done"
    assert set(held()) == {"standing", "marketing"}
    assert code(ask(keeper, "worker", messages.Consent("marketing", False, ref=fresh.ref))) == "Done"
    assert set(held()) == {"standing"}


def test_nobody_grants_for_another_and_nothing_but_an_optional_purpose(keeper: Keeper) -> None:
    _, _, mine = enrolled(keeper)
    assert code(ask(keeper, "web", messages.Consent("marketing", True, "AAAA"))) == "capability"
    assert code(ask(keeper, "web", messages.Consent("deliver", True, mine))) == "purpose"
    own = enrolled(keeper)[0].ref
    assert code(ask(keeper, "worker", messages.Consent("marketing", True, ref=own))) == "shape"
    assert code(ask(keeper, "web", messages.Shred(enrolled(keeper)[0].ref, []))) == "door"


def test_a_forgotten_person_opens_for_nothing_and_signs_in_no_more(keeper: Keeper) -> None:
    fresh, keys, mine = enrolled(keeper)
    assert ask(keeper, "worker", messages.Shred(fresh.ref, [])).number == 1
    for klass, purpose in (("contact", "deliver"), ("contact", "notice"), ("billing", "bill")):
        assert opens(keeper, keys, klass, purpose) == "gone"
    question = messages.Open([record(keys, "contact")], "account", "look", mine)
    assert code(ask(keeper, "web", question)) == "capability"
    assert code(ask(keeper, "web", messages.SignIn(f"{fresh.ref}@b.example", "correct horse"))) == "credentials"
    again = messages.Enrol(fresh.ref, fresh.secret, "a@b.example", "correct horse")
    assert code(ask(keeper, "web", again)) == "secret"
    assert keeper.db.execute("SELECT count(*) FROM about").fetchone()[0] == 0
    assert ask(keeper, "worker", messages.Shred(fresh.ref, [])).number == 1  # done again it changes nothing


def test_what_tax_law_keeps_is_kept_for_tax_alone(keeper: Keeper) -> None:
    fresh, keys, _ = enrolled(keeper)
    ask(keeper, "worker", messages.Shred(fresh.ref, ["tax"]))
    assert set(keeper.room.persons.wraps(to_bytes(fresh.ref))) == {"billing"}
    assert opens(keeper, keys, "billing", "bill") == "gone"
    ask(keeper, "worker", messages.Shred(fresh.ref, []))
    assert keeper.room.persons.wraps(to_bytes(fresh.ref)) == {}


def test_an_older_keyring_is_erased_again_before_it_opens_anything(tmp_path: pathlib.Path) -> None:
    root, journal = FileKey(settings.TROTH.root_key), tmp_path / "erasures"
    db = connect(tmp_path / "keyring")
    keeper = Keeper(db, root, journal=journal)
    fresh, keys = own_blank(keeper)
    yesterday = b"".join(line.encode() + b"\n" for line in db.iterdump())
    ask(keeper, "worker", messages.Shred(fresh.ref, []))
    db.close()
    (tmp_path / "old").unlink(missing_ok=True)
    old = sqlite3.connect(tmp_path / "old")
    old.executescript(yesterday.decode())
    old.close()
    restored = Keeper(connect(tmp_path / "old"), root, journal=journal)
    assert opens(restored, keys, "contact", "deliver") == "gone"
    restored.db.close()


def test_a_keeper_that_is_behind_opens_nothing(keeper: Keeper) -> None:
    _, keys, _ = enrolled(keeper)
    note = ask(keeper, "worker", messages.Checkpoint()).note
    assert not ask(keeper, "worker", messages.Hello(checkpoint=note)).behind
    ask(keeper, "worker", messages.Note("one-more", {"type": "test"}))
    ahead = ask(keeper, "worker", messages.Checkpoint()).note
    keeper.db.executescript("DELETE FROM leaf; DELETE FROM tile; DELETE FROM noted; UPDATE head SET size = 0")
    assert "cut off" in ask(keeper, "worker", messages.Hello(checkpoint=ahead)).behind
    assert opens(keeper, keys, "contact", "deliver") == "behind"
    assert ask(keeper, "web", messages.Hello()).behind  # the web cannot talk it out of that
    assert opens(keeper, keys, "contact", "deliver") == "behind"
    assert "1 erasures were seen" in ask(keeper, "worker", messages.Hello(erased=1)).behind
    assert "no trusted key" in ask(keeper, "worker", messages.Hello(checkpoint=note.replace("ledger", "other"))).behind
    keeper.db.execute("DELETE FROM checkpoint")
    assert not ask(keeper, "worker", messages.Hello()).behind
    assert opens(keeper, keys, "contact", "deliver") == "Opened"


def test_nothing_of_a_deleted_wrap_stays_in_the_file_or_its_journal(tmp_path: pathlib.Path) -> None:
    db = connect(tmp_path / "keyring")
    keeper = Keeper(db, FileKey(settings.TROTH.root_key))
    fresh, _ = own_blank(keeper)
    wraps = keeper.room.persons.wraps(to_bytes(fresh.ref))
    secret = wraps["contact"]["standing"][14:]
    assert any(secret in path.read_bytes() for path in tmp_path.iterdir())
    ask(keeper, "worker", messages.Shred(fresh.ref, []))
    assert not any(secret in path.read_bytes() for path in tmp_path.iterdir())
    db.close()


def own_blank(keeper: Keeper):
    fresh = ask(keeper, "worker", messages.Blank(1)).blanks[0]
    key = Ed25519PublicKey.from_public_bytes(keeper.room.keys.verify_key)
    return fresh, read_key_set(key, fresh.key_set, fresh.ref)
