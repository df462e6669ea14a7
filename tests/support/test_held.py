"""What was asked is the customer's own: their export has all of it, word for word and byte for byte."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from tests.house import House
from tests.support.asking import ASKED, asks, member, upload
from troth.shop.journeys import answer, ask, standby
from troth.shop.support.models import Attachment, Piece


def exported(house: House, alice: object, monkeypatch: pytest.MonkeyPatch) -> zipfile.ZipFile:
    monkeypatch.setattr(standby, "pause", lambda _seconds: house.works())
    token = alice.page("/account").form("/sign-out")  # type: ignore[attr-defined]
    answered = alice.post(  # type: ignore[attr-defined]
        "/account/privacy/export", token, HTTP_ORIGIN="http://127.0.0.1:8000", HTTP_SEC_FETCH_SITE="same-origin"
    )
    assert answered.status_code == 200, answered.content
    return zipfile.ZipFile(io.BytesIO(b"".join(answered.streaming_content)))


def test_an_export_has_words_notes_and_files(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = member(house)
    ticket = asks(alice, enclosed=upload("log.txt", b"line\n" * 60_000))
    answer.answer(ticket, "Our answer")
    answer.note(ticket, "A note of ours")
    for n in range(15):
        ask.add(ticket, f"{n} " + "\u4e00" * 19_000)  # 57 kB each: more than one question to the keeper holds
    archive = exported(house, alice, monkeypatch)
    rows = {table["table"]: table["rows"] for table in json.loads(archive.read("data.json"))["tables"]}
    said = {row["words"]["text"] for row in rows["support.Message"]}
    assert {ASKED["text"], "Our answer", "A note of ours"} <= said and len(said) == 18
    name = f"files/{Attachment.objects.get().id}/log.txt"
    assert archive.read(name) == b"line\n" * 60_000
    assert len(archive.read("data.json")) < 2_000_000

    piece = Piece.objects.first()
    Piece.objects.filter(pk=piece.pk).update(sealed=bytes(piece.sealed)[:-1] + b"x")
    assert f"{name}.altered.txt" in exported(house, alice, monkeypatch).namelist()
