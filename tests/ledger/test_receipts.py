"""Receipts: checked by us, by the script that docs/verify.md prints, and by openssl; refused when a byte differs."""

import base64
import hashlib
import io
import re
import shutil
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.campaign import rounds
from tests.ledger.logs import KEY, ORIGIN, Log, entries, log_of
from tests.shape.tree import ROOT
from troth.pledge.keeper import keyring
from troth.pledge.keeper.leaves import Leaves
from troth.pledge.ledger import checkpoint, events, table
from troth.pledge.ledger.notes import BadNote, SignKey
from troth.pledge.ledger.paths import NotProven
from troth.pledge.ledger.proof import EVENT, SALT, Proof, Receipt, prove
from troth.pledge.ledger.tree import LedgerError
from troth.pledge.ledger.verify import verify

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)
HISTORY_KEY = bytes(32)
EVENT_MADE = {"did": "open", "classes": ["contact"], "purpose": "deliver", "role": "worker", "job": "ord_x"}
VKEY = str(KEY.verify_key)
DOCUMENT = (ROOT / "docs/verify.md").read_text("utf-8")


def ledger(before: int = 700) -> tuple[Log, int, int]:
    """A log of the keeper's own leaves: their number, and those of one about a person and one of an everyday event."""
    db = keyring.connect(None)
    db.executescript(table.SCHEMA)
    leaves = Leaves(db, ORIGIN, KEY.private)
    for n in range(before):
        leaves.everyday(f"check-{n}", {"type": "check", "clause": "P1", "n": n}, NOW)
    person = leaves.about(b"p" * 16, HISTORY_KEY, EVENT_MADE, NOW)
    everyday = leaves.everyday("policy-2", {"type": "policy", "version": "2"}, NOW)
    table.catch_up(db)
    log = Log.__new__(Log)
    log.db, log.tiles = db, table.Table(db)
    return log, person, everyday


def receipt(log: Log, seq: int, key: SignKey = KEY) -> Receipt:
    leaf, sealed = log.db.execute("SELECT leaf, sealed FROM leaf WHERE seq = ?", (seq,)).fetchone()
    salt = events.salt(HISTORY_KEY, seq) if sealed else None
    event = events.unseal(HISTORY_KEY, seq, sealed) if sealed else None
    note = checkpoint.write(log.tree, key)
    return Receipt(leaf, str(prove(log.tree, seq, note, key.verify_key)), str(key.verify_key), event, salt)


@pytest.fixture(scope="module")
def log() -> tuple[Log, int, int]:
    return ledger()


@pytest.fixture(scope="module")
def about(log) -> Receipt:
    return receipt(log[0], log[1])


def test_a_receipt_shows_the_event_and_its_place(log, about):
    proven = verify(about, KEY.verify_key)
    assert proven.event == {**EVENT_MADE, "at": "2026-08-01T12:00:00.000+00:00"}
    assert (proven.index, proven.checkpoint.size) == (log[1], 702)
    everyday = verify(receipt(log[0], log[2]), KEY.verify_key)
    assert everyday.event == {"type": "policy", "version": "2", "v": 1, "day": "2026-08-01"}


def test_the_log_is_told_nothing_about_the_person(log):
    leaf = log[0].db.execute("SELECT leaf FROM leaf WHERE seq = ?", (log[1],)).fetchone()[0]
    assert not {b"contact", b"deliver", b"ord_x", b"worker", b"12:00"} & set(re.findall(rb"[a-z_0-9:]+", leaf))


def test_a_receipt_survives_its_archive(about, log):
    for each in (about, receipt(log[0], log[2])):
        assert Receipt.unpack(each.archive()) == each
        assert Receipt.read(each.files()) == each
        assert each.archive() == each.archive()


def test_a_proof_may_stand_under_any_later_checkpoint():
    log = log_of(300)
    notes = [checkpoint.write(log.tree, KEY)]
    log.add(entries(500, 300))
    notes.append(checkpoint.write(log.tree, KEY))
    for note in notes:
        made = Receipt(entries(1, 299)[0], str(prove(log.tree, 299, note, KEY.verify_key)), VKEY)
        assert verify(made, KEY.verify_key).event == {"n": 299}
    with pytest.raises(ValueError, match="cannot prove leaf 300 at size 300"):
        prove(log.tree, 300, notes[0], KEY.verify_key)


def test_the_only_entry_needs_no_hashes():
    log = log_of(1)
    text = str(prove(log.tree, 0, checkpoint.write(log.tree, KEY), KEY.verify_key))
    assert text.startswith("c2sp.org/tlog-proof@v1\nindex 0\n\nshop.example/ledger\n1\n")
    assert verify(Receipt(entries(1)[0], text, VKEY), KEY.verify_key).index == 0


def test_a_proof_stays_below_one_and_a_half_kilobytes_at_ten_million():
    """The longest path of a tree of ten million leaves has 24 hashes of 44 letters."""
    log = log_of(1)
    note = checkpoint.write(log.tree, KEY).replace("\n1\n", "\n10000000\n")
    assert len(str(Proof(9_999_999, (bytes(32),) * 24, note)).encode()) <= 1500


@given(st.data())
@settings(deadline=None, max_examples=rounds(300, 20_000))
def test_no_byte_of_a_receipt_can_be_altered(about, data):
    files = about.files()
    name = data.draw(st.sampled_from(sorted(files)))
    at, by = data.draw(st.integers(0, len(files[name]) - 1)), data.draw(st.integers(1, 255))
    files[name] = files[name][:at] + bytes([files[name][at] ^ by]) + files[name][at + 1 :]
    with pytest.raises(LedgerError):
        verify(Receipt.read(files), KEY.verify_key)


def test_a_receipt_proves_nothing_under_another_key(about, log):
    forger = SignKey(KEY.name, Ed25519PrivateKey.generate())
    forged = receipt(log[0], log[1], forger)
    assert verify(forged, forger.verify_key)
    with pytest.raises(NotProven, match="another key than the ones you trust"):
        verify(forged, KEY.verify_key)
    with pytest.raises(BadNote, match="no trusted key"):
        verify(Receipt(forged.leaf, forged.proof, VKEY, forged.event, forged.salt), KEY.verify_key)


@pytest.mark.parametrize(
    "change",
    [{"event": None, "salt": None}, {"event": None}, {"salt": None}, {"salt": bytes(31)}, {"event": b"{}"},
     {"leaf": b""}],
)  # fmt: skip
def test_a_part_of_a_receipt_is_not_enough(about, change):
    with pytest.raises(NotProven):
        verify(Receipt(**{**vars(about), **change}), KEY.verify_key)


def test_salt_and_event_cannot_be_hung_on_an_entry_about_nobody(log, about):
    with pytest.raises(NotProven, match="not the one that the entry commits to"):
        verify(Receipt(**{**vars(receipt(log[0], log[2])), "event": about.event, "salt": about.salt}), KEY.verify_key)


def committed(salt: bytes, event: bytes, kind: str) -> Receipt:
    """The receipt of an entry of some type that commits to an event."""
    commitment = base64.b64encode(hashlib.sha256(salt + event).digest()).decode()
    log = Log()
    log.add([b'{"c":"%s","type":"%s"}' % (commitment.encode(), kind.encode())])
    return Receipt(**{**vars(receipt(log, 0)), "event": event, "salt": salt})


def test_only_an_entry_about_a_person_commits():
    salt = b"s" * 31 + b" "
    assert verify(committed(salt, b'{"a":1}', "person"), KEY.verify_key).event == {"a": 1}
    with pytest.raises(NotProven, match="not the one that the entry commits to"):
        verify(committed(salt, b'{"a":1}', "policy"), KEY.verify_key)


def test_nothing_passes_from_the_salt_to_the_event():
    made = committed(b"s" * 31 + b" ", b'{"a":1}', "person")
    with pytest.raises(NotProven, match="salt of 32 bytes"):
        verify(Receipt(**{**vars(made), "event": b' {"a":1}', "salt": b"s" * 31}), KEY.verify_key)


def test_an_entry_that_is_no_json_object_is_refused():
    for leaf in (b"[]", b"\xff", b"nothing"):
        log = Log()
        log.add([leaf])
        with pytest.raises(NotProven, match="no JSON object"):
            verify(receipt(log, 0), KEY.verify_key)


def test_other_archives_are_refused(about):
    for packed in (b"", b"PK", about.archive()[:-30], zipped(about.files() | {"more": b""}), zipped({}),
                   zipped({EVENT: b"", SALT: b""}), zipped(about.files() | {EVENT: bytes(1 << 20)})):  # fmt: skip
        with pytest.raises(NotProven):
            Receipt.unpack(packed)
    whole = about.archive()
    for at in range(0, len(whole), 7):
        altered = whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]
        try:
            verify(Receipt.unpack(altered), KEY.verify_key)
        except LedgerError:
            continue
        assert Receipt.unpack(altered) == about  # a byte that means nothing, such as the date of a file


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize(
    "text",
    ["", "c2sp.org/tlog-proof@v1\n", "c2sp.org/tlog-proof@v2\nindex 0\n\nx", "c2sp.org/tlog-proof@v1\nindex 00\n\nx",
     "c2sp.org/tlog-proof@v1\nextra eA==\nindex 0\n\nx", f"c2sp.org/tlog-proof@v1\nindex 0\n{'A' * 44}\n\nx",
     f"c2sp.org/tlog-proof@v1\nindex 0\n{'é' * 44}\n\nx", f"c2sp.org/tlog-proof@v1\nindex 0\n{'A' * 43}=x\n\nx"],
)  # fmt: skip
def test_text_that_is_no_proof_is_refused(text):
    with pytest.raises(LedgerError):
        Proof.read(text)


def block(name: str) -> str:
    """A piece of code as the document prints it."""
    found = re.search(rf"<!-- {re.escape(name)} -->\n```\w+\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found, f"docs/verify.md has no block {name}"
    return found[1]


def unpacked(folder: Path, receipt: Receipt) -> Path:
    folder.mkdir()
    for name, content in receipt.files().items():
        (folder / name).write_bytes(content)
    return folder


def script(folder: Path, vkey: str = VKEY) -> subprocess.CompletedProcess[str]:
    """The printed script by itself, in an empty folder, with nothing of ours on its path."""
    path = folder.parent / "check.py"
    path.write_text(block("check.py"))
    command = [sys.executable, "-I", str(path), str(folder), vkey]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder.parent, env={})


def shell(folder: Path, name: str, **environ: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": "/usr/bin:/bin", **environ}
    return subprocess.run(["sh", "-ec", block(name)], capture_output=True, text=True, cwd=folder, env=environ)


def test_the_printed_script_shares_no_code_with_us_and_has_twenty_lines():
    lines = [line for line in block("check.py").splitlines() if line and not line.startswith("#")]
    assert len(lines) == 20
    assert "troth" not in block("check.py")
    imported = re.findall(r"^(?:import|from) (.+)$", block("check.py"), re.MULTILINE)
    assert imported == [
        "base64, hashlib, json, pathlib, sys",
        "cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey",
    ]


def test_the_printed_script_proves_our_receipts(tmp_path, about, log):
    done = script(unpacked(tmp_path / "about", about))
    assert done.returncode == 0, done.stderr
    assert '"purpose":"deliver"' in done.stdout
    assert "entry 700 of the 702 in the log shop.example/ledger" in done.stdout
    done = script(unpacked(tmp_path / "everyday", receipt(log[0], log[2])))
    assert done.returncode == 0, done.stderr
    assert '"type":"policy"' in done.stdout


def test_the_printed_script_follows_every_path(tmp_path):
    """Places in logs of many shapes."""
    code = block("check.py")
    for size in (1, 2, 3, 5, 6, 7, 8, 11, 257):
        log = Log()
        log.add([b'{"n":%d,"type":"check"}' % n for n in range(size)])
        note = checkpoint.write(log.tree, KEY)
        for seq in {0, 1, size // 2, size - 2, size - 1} & set(range(size)):
            leaf = b'{"n":%d,"type":"check"}' % seq
            made = Receipt(leaf, str(prove(log.tree, seq, note, KEY.verify_key)), VKEY)
            folder = unpacked(tmp_path / f"{size}-{seq}", made)
            run(code, folder)
            (folder / "leaf.json").write_bytes(leaf.replace(b":", b": ", 1))
            with pytest.raises(AssertionError):
                run(code, folder)


def run(code: str, folder: Path) -> None:
    before, sys.argv = sys.argv, ["check.py", str(folder), VKEY]
    try:
        exec(compile(code, "check.py", "exec"), {})
    finally:
        sys.argv = before


@pytest.mark.parametrize("name", ["event.json", "salt.bin", "leaf.json", "receipt.tlog-proof"])
def test_the_printed_script_refuses_a_flipped_byte(tmp_path, about, name):
    files = unpacked(tmp_path / "about", about)
    whole = (files / name).read_bytes()
    for at in range(len(whole)):
        altered = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        (files / name).write_bytes(altered)
        try:
            run(block("check.py"), files)
        except Exception:
            continue
        assert meaning(altered) == meaning(whole), at


def meaning(proof: bytes) -> list[bytes]:
    """The words of a proof, base64 undone: its last letter has bits that say nothing. Our own reader refuses those."""
    return [base64.b64decode(word) if len(word) > 40 else word for word in proof.split()]


def test_the_printed_script_refuses_another_key(tmp_path, about):
    files = unpacked(tmp_path / "about", about)
    forger = SignKey(KEY.name, Ed25519PrivateKey.generate())
    assert script(files, str(forger.verify_key)).returncode != 0


def test_openssl_proves_our_receipts(tmp_path, about):
    files = unpacked(tmp_path / "about", about)
    said = shell(files, "commitment")
    one, other = said.stdout.split()
    assert one == other, said.stderr
    done = shell(files, "signature", VKEY=VKEY)
    assert done.returncode == 0, done.stderr
    assert "Signature Verified Successfully" in done.stdout


def test_openssl_refuses_what_was_altered(tmp_path, about):
    files = unpacked(tmp_path / "about", about)
    (files / "event.json").write_bytes(about.event.replace(b"deliver", b"support"))
    one, other = shell(files, "commitment").stdout.split()
    assert one != other
    altered = about.proof.replace("\n702\n", "\n703\n")
    (files / "receipt.tlog-proof").write_text(altered)
    assert shell(files, "signature", VKEY=VKEY).returncode != 0
    (files / "receipt.tlog-proof").write_text(about.proof)
    forger = SignKey(KEY.name, Ed25519PrivateKey.generate())
    assert shell(files, "signature", VKEY=str(forger.verify_key)).returncode != 0


def test_openssl_is_there():
    assert shutil.which("openssl"), "docs/verify.md is tested with openssl (3.0 or later)"
