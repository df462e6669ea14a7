"""Checkpoints and their signatures: written as C2SP says, read strictly, refused when a byte differs."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.logs import KEY, ORIGIN, entries, log_of
from troth.pledge.ledger import checkpoint, notes, table
from troth.pledge.ledger.checkpoint import Behind, Checkpoint, Fork
from troth.pledge.ledger.notes import BadNote, SignKey, VerifyKey
from troth.pledge.ledger.tree import EMPTY

OTHER = SignKey("witness.example/w", Ed25519PrivateKey.generate())
# Key pair, text and note of the example in the documentation of golang.org/x/mod/sumdb/note.
GO_SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
GO_NOTE = f"{GO_TEXT}\n— PeterNeumann {GO_SIGNATURE}\n"


def test_keys_and_notes_are_those_of_other_tools():
    key = SignKey.read(GO_SKEY)
    assert str(key.verify_key) == GO_VKEY
    assert key.secret_text() == GO_SKEY
    assert notes.sign(GO_TEXT, key) == GO_NOTE
    assert notes.read(GO_NOTE, VerifyKey.read(GO_VKEY)) == (GO_TEXT, {key.verify_key})


def test_a_signing_key_does_not_show_itself():
    assert KEY.secret_text().rpartition("+")[2] not in repr(KEY) + str(KEY) + f"{KEY}"
    assert "00010203" not in repr(KEY)


@pytest.mark.parametrize(
    "text",
    ["", "a", "a+b", "a+b+c", GO_VKEY[:-4], GO_VKEY.replace("c74f20a3", "c74f20a4"), GO_VKEY.replace("P", "Q", 1),
     f"{GO_VKEY}\n", GO_VKEY.replace("+AR", "+BR"), GO_VKEY.upper(), GO_VKEY.replace("Peter", "Peter ")],
)  # fmt: skip
def test_a_string_that_is_no_key_is_refused(text):
    with pytest.raises(BadNote):
        VerifyKey.read(text)
    with pytest.raises(BadNote):
        SignKey.read(f"PRIVATE+KEY+{text}")


def test_a_signing_key_is_not_read_from_a_verification_key():
    with pytest.raises(BadNote):
        SignKey.read(GO_VKEY)
    with pytest.raises(BadNote, match="no spaces"):
        SignKey("shop example", KEY.private)


def test_a_checkpoint_has_three_lines_and_a_signature():
    log = log_of(300)
    note = checkpoint.write(log.tree, KEY)
    origin, size, root, gap, signature, end = note.split("\n")
    assert (origin, size, gap, end) == (ORIGIN, "300", "", "")
    assert notes.decode(root) == log.tree.root(300)
    assert signature.startswith(f"— {ORIGIN} ")
    assert checkpoint.read(note, KEY.verify_key) == Checkpoint(ORIGIN, 300, log.tree.root(300))
    assert checkpoint.read(checkpoint.write(log_of(0).tree, KEY), KEY.verify_key) == Checkpoint(ORIGIN, 0, EMPTY)


NOTE = checkpoint.write(log_of(300).tree, KEY).encode()


@given(st.integers(0, len(NOTE) - 1), st.integers(1, 255))
def test_no_byte_of_a_checkpoint_can_be_altered(at, by):
    altered = NOTE[:at] + bytes([NOTE[at] ^ by]) + NOTE[at + 1 :]
    with pytest.raises((BadNote, UnicodeDecodeError)):
        checkpoint.read(altered.decode(), KEY.verify_key)


@given(st.integers(0, len(NOTE) - 1), st.integers(1, 40), st.binary(max_size=3))
def test_nothing_can_be_cut_out_or_put_in(at, length, put):
    altered = NOTE[:at] + put + NOTE[at + length :]
    if altered != NOTE:
        with pytest.raises((BadNote, UnicodeDecodeError)):
            checkpoint.read(altered.decode(), KEY.verify_key)


def test_a_signature_has_one_spelling():
    """The last letter of its base64 has bits that say nothing: others would make another text of equal meaning."""
    note = NOTE.decode()
    assert note.endswith("=\n")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = alphabet[alphabet.index(note[-3]) ^ 1]
    with pytest.raises(BadNote, match="as it must be spelled"):
        checkpoint.read(f"{note[:-3]}{other}=\n", KEY.verify_key)


BODY = f"{ORIGIN}\n1\n{notes.encode(EMPTY)}\n"


@pytest.mark.parametrize(
    "body",
    ["", "\n", f"{ORIGIN}\n1\n", f"{BODY}an extension\n", f"{BODY}\n", BODY.replace("\n1\n", "\n01\n"),
     BODY.replace("\n1\n", "\n-1\n"), BODY.replace("\n1\n", "\n1 \n"), BODY.replace("\n1\n", f"\n{10**30}\n"),
     BODY.replace("=\n", "\n"), f"{ORIGIN}\n1\n{notes.encode(EMPTY[:31])}\n", BODY.replace(ORIGIN, "x.example/ledger"),
     BODY.replace(ORIGIN, ""), BODY.replace("\n1\n", "\n\uff11\n"),
     f"{ORIGIN}\n1\n{notes.encode(EMPTY + EMPTY[:1])}\n"],
)  # fmt: skip
def test_a_signature_does_not_make_a_checkpoint_of_other_text(body):
    with pytest.raises(BadNote):
        checkpoint.read(notes.sign(body, KEY), KEY.verify_key)


@pytest.mark.parametrize(
    "note",
    ["", "\n", "text\n", f"{BODY}\n", BODY + NOTE.decode().partition("\n\n")[2], f"{NOTE.decode()}\n",
     NOTE.decode()[:-1], NOTE.decode().replace("\n", "\r\n"), f"\x00{NOTE.decode()}",
     NOTE.decode() + "x" * notes.LONGEST],
)  # fmt: skip
def test_what_is_no_signed_note_is_refused(note):
    with pytest.raises(BadNote):
        notes.read(note, KEY.verify_key)


def test_several_may_sign_and_strangers_are_passed_over():
    note = checkpoint.write(log_of(5).tree, KEY, OTHER)
    stranger = notes.sign("x\n", SignKey(ORIGIN, Ed25519PrivateKey.generate())).rpartition("\n\n")[2]
    for known in ([KEY], [KEY, OTHER]):
        found = checkpoint.read(note + stranger, *(key.verify_key for key in known))
        assert (found.origin, found.size) == (ORIGIN, 5)
    assert notes.read(note, KEY.verify_key, OTHER.verify_key)[1] == {KEY.verify_key, OTHER.verify_key}
    with pytest.raises(BadNote, match="no trusted key of shop"):
        checkpoint.read(note, OTHER.verify_key)  # a witness alone does not speak for the log
    with pytest.raises(BadNote, match="no trusted key"):
        checkpoint.read(note)


def test_one_wrong_signature_of_a_known_key_spoils_the_note():
    note = checkpoint.write(log_of(5).tree, KEY)
    wrong = notes.sign("other text\n", OTHER).rpartition("\n\n")[2]
    with pytest.raises(BadNote, match=r"signature of witness\.example/w"):
        checkpoint.read(note + wrong, KEY.verify_key, OTHER.verify_key)


def test_two_checkpoints_of_one_size_are_a_fork():
    one = log_of(5).signed()
    checkpoint.compare(one, one)
    checkpoint.compare(one, log_of(6).signed())
    with pytest.raises(Fork, match="at 5 entries have different roots"):
        checkpoint.compare(one, Checkpoint(ORIGIN, 5, EMPTY))


def test_a_log_must_extend_every_checkpoint_it_gave():
    log = log_of(700)
    for size in (0, 1, 255, 256, 257, 700):
        checkpoint.must_extend(log.tree, log_of(size).signed())
    with pytest.raises(Behind, match="knows 701 entries and the log has 700"):
        checkpoint.must_extend(log.tree, log_of(701).signed())
    with pytest.raises(Fork, match="first 256 entries"):
        checkpoint.must_extend(log.tree, Checkpoint(ORIGIN, 256, EMPTY))


def test_checkpoints_are_issued_once_and_never_for_a_second_history():
    log = log_of(10)
    first = table.issue(log.db, KEY)
    assert table.issue(log.db, KEY) == first
    log.add(entries(10, 10))
    second = table.issue(log.db, KEY)
    assert checkpoint.read(second, KEY.verify_key).size == 20
    log.db.execute("DELETE FROM leaf WHERE seq >= 5")
    log.db.execute("DELETE FROM tile")
    log.add(entries(30, 100))
    with pytest.raises(Fork):
        table.issue(log.db, KEY)
    assert log.db.execute("SELECT size FROM checkpoint ORDER BY size").fetchall() == [(10,), (20,)]


def test_a_new_key_takes_over_when_both_have_signed_once():
    log, new = log_of(10), SignKey(ORIGIN, Ed25519PrivateKey.generate())
    table.issue(log.db, KEY)
    log.add(entries(1, 10))
    with pytest.raises(BadNote):
        table.issue(log.db, new)
    table.issue(log.db, KEY, new)
    log.add(entries(1, 11))
    assert checkpoint.read(table.issue(log.db, new), new.verify_key).size == 12
    log.add(entries(1, 12))
    with pytest.raises(BadNote):
        table.issue(log.db, SignKey("elsewhere.example/ledger", new.private))
