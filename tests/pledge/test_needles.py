"""The search for what must not be there: it finds each spelling wherever it lies, and nothing where nothing is."""

import base64
import gzip
import json
import random
import sqlite3
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from troth.pledge.policy import needles
from troth.pledge.policy.needles import search
from troth.pledge.policy.spellings import SPELLINGS

NEEDLE = "Zoë Quux+7@mark.example"
PLANTS: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "as it is": ("raw", str.encode),
    "in capitals": ("raw", lambda text: text.upper().encode()),
    "accent as two characters": ("raw", lambda text: text.replace("ë", "e\u0308").encode()),
    "utf-16 little": ("UTF-16", lambda text: text.encode("utf-16-le")),
    "utf-16 big": ("UTF-16", lambda text: text.encode("utf-16-be")),
    "base64 at 0": ("base64", lambda text: base64.b64encode(b"abc" + text.encode() + b"!")),
    "base64 at 1": ("base64", lambda text: base64.b64encode(b"a" + text.encode() + b"!?")),
    "base64 at 2": ("base64", lambda text: base64.b64encode(b"ab" + text.lower().encode())),
    "hex": ("hex", lambda text: text.encode().hex().encode()),
    "hex in capitals": ("hex", lambda text: text.encode().hex().upper().encode()),
    "percent": ("percent-encoded", lambda text: quote(text, safe="").encode()),
    "percent, all of it": ("percent-encoded", lambda text: "".join(f"%{b:02X}" for b in text.encode()).encode()),
    "plus": ("percent-encoded", lambda text: quote(text, safe="").replace("%20", "+").encode()),
    "json": ("JSON-escaped", lambda text: json.dumps(text).encode()),
    "zlib": ("compressed", lambda text: zlib.compress(b"x" * 9000 + text.encode())),
    "gzip": ("compressed", lambda text: gzip.compress(text.encode("utf-16-le") * 2)),
    "zlib in base64url": (
        "compressed",
        lambda text: base64.urlsafe_b64encode(zlib.compress(json.dumps([text]).encode())),
    ),
    "zlib in gzip": ("compressed", lambda text: gzip.compress(b"--" + zlib.compress(text.encode()))),
}


@pytest.mark.parametrize("name", PLANTS)
@pytest.mark.parametrize("offset", [0, 1, 7, 4095, needles.PIECE - 11, needles.PIECE - 1, needles.PIECE, 2_500_001])
def test_each_spelling_is_found_wherever_it_lies(tmp_path: Path, name: str, offset: int) -> None:
    spelling, plant = PLANTS[name]
    noise = random.Random(name).randbytes(offset + 700)
    (tmp_path / "haystack").write_bytes(noise[:offset] + plant(NEEDLE) + noise[offset:])
    found = needles.search_here([tmp_path], [NEEDLE, "another text"])
    assert {(hit.spelling, hit.needle) for hit in found.hits} == {(spelling, NEEDLE)}
    first = min(hit.offset for hit in found.hits)
    assert offset <= first <= offset + 8  # base64 hides the first characters, JSON has a quotation mark


def test_base64url_is_told_from_base64(tmp_path: Path) -> None:
    text = "subject?>~subject?>~"
    (tmp_path / "one").write_bytes(base64.urlsafe_b64encode(text.encode()))
    (tmp_path / "two").write_bytes(base64.b64encode(text.encode()))
    assert [(hit.path.name, hit.spelling) for hit in search([tmp_path], [text]).hits] == [
        ("one", "base64url"),
        ("two", "base64"),
    ]


def test_a_zip_is_looked_into(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("first.txt", "nothing here " * 50)
        archive.writestr("second.txt", "padding " * 300_000 + NEEDLE)
    assert {hit.spelling for hit in search([tmp_path / "a.zip"], [NEEDLE]).hits} == {"compressed"}


def test_repeated_text_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"ababababab" * 3)
    offsets = [hit.offset for hit in search([tmp_path], ["abababab"]).hits]
    assert offsets == list(range(0, 23, 2))


def test_every_hit_is_told_once_across_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needles, "PIECE", 13)
    (tmp_path / "one").write_bytes((b"." * 29 + NEEDLE.encode()) * 5)
    hits = needles.search_here([tmp_path], [NEEDLE]).hits
    assert [hit.offset for hit in hits] == [29 + n * (29 + len(NEEDLE.encode())) for n in range(5)]


def test_noise_holds_nothing_and_everything_is_counted(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"deep{number}").mkdir()
        (tmp_path / f"deep{number}" / "noise").write_bytes(random.Random(number).randbytes(3_000_000))
    (tmp_path / "link").symlink_to(tmp_path / "deep0" / "noise")
    found = search([tmp_path, tmp_path / "deep0" / "noise"], [NEEDLE, "Anna"])
    assert (found.hits, found.files, found.bytes, found.unread) == ([], 3, 9_000_000, [])


def test_a_text_too_short_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="4 characters or more"):
        search([tmp_path], ["abc"])


def test_a_place_that_is_not_there_is_no_clean_result(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        search([tmp_path / "nowhere"], [NEEDLE])


def test_there_are_eight_spellings() -> None:
    assert len(SPELLINGS) == 8
    assert {spelling for spelling, _ in PLANTS.values()} | {"base64url"} == set(SPELLINGS)


def test_a_database_that_is_open_keeps_its_locks(tmp_path: Path) -> None:
    """A search in this process would close the file and so give up SQLite's locks: two writers, a broken database."""
    path = tmp_path / "main.sqlite3"
    ours = sqlite3.connect(path, isolation_level=None)
    ours.execute("PRAGMA journal_mode = WAL")
    ours.execute("CREATE TABLE letter (text)")
    ours.execute("BEGIN IMMEDIATE")
    ours.execute("INSERT INTO letter VALUES (?)", [NEEDLE])
    assert search([tmp_path], [NEEDLE]).files == 3
    other = f"import sqlite3; sqlite3.connect({str(path)!r}, timeout=0).execute('BEGIN IMMEDIATE')"
    tried = subprocess.run([sys.executable, "-c", other], capture_output=True, text=True, check=False)
    assert "database is locked" in tried.stderr
    ours.execute("COMMIT")
    ours.close()


def test_a_search_that_dies_is_no_clean_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(needles.SearchFailed):
        search([tmp_path], [NEEDLE])
