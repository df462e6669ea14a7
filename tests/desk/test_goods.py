"""Goods at the desk: made, described, previewed, released and published by who keeps the catalogue, by nobody else."""

from __future__ import annotations

import io
import os
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import given
from hypothesis import strategies as st

from tests.desk.people import Colleague, Office
from tests.storefront.conftest import Browser
from tests.storefront.page import Page
from troth.shop.catalogue import prose, shelf, sound
from troth.shop.catalogue.keeping import lies
from troth.shop.catalogue.models import Draft, Edition, Price, Product, Release

HUNDRED = 100 << 20  # bytes
BETWEEN = "between-the-parts-of-this-form"  # long: what is random may hold a short one


@pytest.fixture
def cathy(office: Office) -> Colleague:
    settings.TROTH.home.mkdir(exist_ok=True)
    one = office.hired("cathy", "catalogue")
    one.proves()
    return one


def packed(**files: str) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return into.getvalue()


def uploads(one: Colleague, slug: str, version: str, body: bytes, name: str = "tool.zip") -> Any:
    fields = {"version": version, "changes": "Faster\n\nSmaller", "requires": "PHP 8.2", "file": _file(name, body)}
    return one.posts(f"/desk/products/{slug}/new-version", fields)


def _file(name: str, body: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, body, "application/zip")


def test_a_product_from_nothing_to_the_shelf(cathy: Colleague) -> None:
    made = cathy.posts("/desk/new-product", {"name": "Tool", "slug": "tool", "kind": "module", "price": "49.00"})
    assert made["Location"] == "/desk/products/tool/texts"
    form = cathy.page("/desk/products/tool/texts").form("/desk/products/tool/texts")
    texts = {"tagline": "Does one thing", "description": "# Why\n\nBecause <b>of</b> it.\n\n- fast\n- small"}
    assert cathy.posts("/desk/products/tool/texts", form | texts).status_code == 303
    early = cathy.posts("/desk/products/tool/publish", {})
    assert "no release yet" in early.content.decode()
    assert uploads(cathy, "tool", "1.0.0", packed(**{"tool/README": "Hello"})).status_code == 303
    looked = cathy.page("/desk/products/tool/versions/1.0.0")
    assert "tool/README" in looked.text and "draft" in looked.text
    assert not Release.objects.filter(product="tool").exists()
    out = cathy.page("/desk/products/tool/versions/1.0.0/put-out")
    cathy.posts("/desk/products/tool/versions/1.0.0/put-out", out.form("/desk/products/tool/versions/1.0.0/put-out"))
    release = Release.objects.get(product="tool", version="1.0.0")
    assert (release.changes, release.requires) == (["Faster", "Smaller"], "PHP 8.2")
    assert lies(release.file).read_bytes() == packed(**{"tool/README": "Hello"})
    assert not Draft.objects.exists()
    customer = Browser()
    assert customer.get("/p/tool").status_code == 404
    previewed = cathy.page("/desk/products/tool/preview").text
    assert cathy.posts("/desk/products/tool/publish", {}).status_code == 303
    seen = customer.page("/p/tool").text
    for words in ("Does one thing", "Because <b>of</b> it.", "€49.00", "1.0.0", "Faster"):
        assert words in previewed and words in seen, words
    assert cathy.posts("/desk/products/tool/withdraw", {}).status_code == 303
    assert customer.get("/p/tool").status_code == 404


def test_the_list_counts_what_was_sold(cathy: Colleague, order: Any, house: Any) -> None:
    from tests.desk.test_jobs import pays

    pays(house, order)
    line = next(row for row in cathy.page("/desk/products").text.split("Field Guide") if "on the shelf" in row)
    assert " 1 €49.00" in line
    assert "1 piece sold" in cathy.page("/desk/products/field-guide").text


def test_prices_in_several_currencies_and_the_last_one_stays(cathy: Colleague, edition: Edition) -> None:
    path = "/desk/products/field-guide/edition"
    form = cathy.page(f"{path}?code={edition.code}&currency=EUR").form(path)
    assert form["price"] == "49.00"
    made = cathy.posts(path, form | {"currency": "USD", "price": "55.50", "renewal": "20"})
    assert made.status_code == 303, Page(made.content.decode()).text
    dollars = Price.objects.get(edition=edition, currency="USD")
    assert (dollars.minor, dollars.renewal_minor) == (5550, 2000)
    for wrong in ("4,90", "49.001", "-1", "NaN"):
        assert cathy.posts(path, form | {"price": wrong}).status_code == 400
    stop = {"code": edition.code, "currency": "USD"}
    assert cathy.posts("/desk/products/field-guide/stop", stop).status_code == 303
    last = cathy.posts("/desk/products/field-guide/stop", stop | {"currency": "EUR"})
    assert "the only way to buy" in last.content.decode()
    assert list(Price.objects.filter(edition=edition).values_list("currency", "minor")) == [("EUR", 4900)]


def test_two_who_change_the_same_texts_do_not_overwrite_each_other(cathy: Colleague, edition: Edition) -> None:
    path = "/desk/products/field-guide/texts"
    mine, theirs = cathy.page(path).form(path), cathy.page(path).form(path)
    assert cathy.posts(path, theirs | {"name": "Theirs"}).status_code == 303
    late = cathy.posts(path, mine | {"name": "Mine"})
    assert late.status_code == 400 and "changed this product meanwhile" in late.content.decode()
    assert Product.objects.get(pk="field-guide").name == "Theirs"


def _bomb() -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("zeros", "w") as file:
        for _ in range(60):
            file.write(bytes(1 << 20))
    return into.getvalue()


@pytest.mark.parametrize(
    ("body", "name", "why"),
    [
        (packed(**{"../../etc/cron.d/x": "x"}), "a.zip", "leads out of the folder"),
        (packed(**{"/etc/passwd": "x"}), "a.zip", "leads out of the folder"),
        (packed(**{"..\\..\\x": "x"}), "a.zip", "leads out of the folder"),
        (_bomb(), "a.zip", "far larger unpacked"),
        (b"no archive", "a.zip", "no zip archive"),
        (b"", "a.zip", "is empty"),
        (packed(x="y"), "a.tar.gz", "not looked into"),
        (packed(x="y"), "../../a.zip/..%2f.php\x00", ""),
    ],
)
def test_what_harms_is_refused_with_a_sentence(
    cathy: Colleague, edition: Edition, body: bytes, name: str, why: str
) -> None:
    before = sorted(settings.UPLOADS_ROOT.rglob("*"))
    answer = uploads(cathy, "field-guide", "2.0.0", body, name)
    if why:
        assert answer.status_code == 400 and why in answer.content.decode(), Page(answer.content.decode()).text
        assert not Draft.objects.exists()
        assert sorted(settings.UPLOADS_ROOT.rglob("*")) == before
    else:  # a name from outside names nothing here
        kept = lies(Draft.objects.get().file)
        assert kept.parent.parent == settings.UPLOADS_ROOT and kept.name.startswith("field-guide-2.0.0")


def test_a_release_is_what_was_looked_at(cathy: Colleague, edition: Edition) -> None:
    path = "/desk/products/field-guide/versions/2.0.0/put-out"
    uploads(cathy, "field-guide", "2.0.0", packed(one="1"))
    assert "draft of this version" in uploads(cathy, "field-guide", "2.0.0", packed(two="2")).content.decode()
    seen = cathy.page(path).form(path)
    cathy.posts("/desk/products/field-guide/versions/2.0.0/drop", {})
    uploads(cathy, "field-guide", "2.0.0", packed(two="2"))
    assert "another one" in cathy.posts(path, seen).content.decode()
    assert cathy.posts(path, cathy.page(path).form(path)).status_code == 303
    assert "never changes" in uploads(cathy, "field-guide", "2.0.0", packed(three="3")).content.decode()
    back = "/desk/products/field-guide/versions/2.0.0/recall"
    assert cathy.posts(back, {}).status_code == 303
    assert list(Release.objects.filter(product="field-guide").values_list("version", flat=True)) == ["1.0.0"]
    assert "the only release" in cathy.posts(back.replace("2.0.0", "1.0.0"), {}).content.decode()


def test_grave_things_ask_for_the_second_factor(cathy: Colleague, edition: Edition, office: Office) -> None:
    uploads(cathy, "field-guide", "2.0.0", packed(one="1"))
    office.later(minutes=6)
    for last in ("publish", "withdraw", "versions/2.0.0/put-out", "versions/1.0.0/recall"):
        answer = cathy.posts(f"/desk/products/field-guide/{last}", {})
        assert answer["Location"].startswith("/desk/again"), last
    assert Product.objects.get(pk="field-guide").published
    assert list(Release.objects.values_list("version", flat=True)) == ["1.0.0"]


def test_nobody_else_sends_an_archive(office: Office, edition: Edition, cathy: Colleague) -> None:
    before = sorted(settings.UPLOADS_ROOT.rglob("*"))
    sara = office.hired("sara", "support")
    assert uploads(sara, "field-guide", "2.0.0", packed(one="1")).status_code == 403
    body = {"version": "2.0.0", "changes": "", "requires": "", "file": _file("a.zip", packed(one="1"))}
    path = "/desk/products/field-guide/new-version"
    forged = cathy.post(path, body, HTTP_ORIGIN="http://127.0.0.1:8000", HTTP_SEC_FETCH_SITE="same-origin")
    assert forged.status_code == 403  # without the form's token
    assert not Draft.objects.exists()
    assert sorted(settings.UPLOADS_ROOT.rglob("*")) == before


class Flowing:
    """A body of a request that is made while it is read, as it comes from a line."""

    def __init__(self, head: bytes, file: Path, tail: bytes) -> None:
        self._parts = self._made(head, file, tail)
        self._held = b""

    @staticmethod
    def _made(head: bytes, file: Path, tail: bytes) -> Iterator[bytes]:
        yield head
        with file.open("rb") as opened:
            while piece := opened.read(1 << 16):
                yield piece
        yield tail

    def readline(self) -> bytes:
        raise AssertionError("a file is not read in lines")

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "nobody asks for all of it at once"
        while not self._held and (piece := next(self._parts, b"")):
            self._held = piece
        given, self._held = self._held[:size], self._held[size:]
        return given


def test_a_hundred_megabytes_are_never_held_in_memory(cathy: Colleague, edition: Edition, tmp_path: Path) -> None:
    large = tmp_path / "large.zip"
    with zipfile.ZipFile(large, "w", zipfile.ZIP_STORED) as archive, archive.open("tool/data", "w") as file:
        piece = os.urandom(1 << 20)
        for _ in range(HUNDRED >> 20):
            file.write(piece)
    path = "/desk/products/field-guide/new-version"
    token = cathy.page("/desk/").form("/desk/sign-out")["csrfmiddlewaretoken"]
    fields = {"csrfmiddlewaretoken": token, "version": "2.0.0", "changes": "", "requires": ""}
    said = "".join(
        f'--{BETWEEN}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()
    )
    said += f'--{BETWEEN}\r\nContent-Disposition: form-data; name="file"; filename="large.zip"\r\n\r\n'
    length = len(said) + large.stat().st_size + len(f"\r\n--{BETWEEN}--\r\n")
    environ = cathy._base_environ(
        PATH_INFO=path, REQUEST_METHOD="POST", CONTENT_TYPE=f"multipart/form-data; boundary={BETWEEN}",
        CONTENT_LENGTH=str(length),
        HTTP_HOST="127.0.0.1:8000", HTTP_ORIGIN="http://127.0.0.1:8000", HTTP_SEC_FETCH_SITE="same-origin",
    )  # fmt: skip
    environ["wsgi.input"] = Flowing(said.encode(), large, f"\r\n--{BETWEEN}--\r\n".encode())
    answered: list[str] = []
    handler = WSGIHandler()
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)  # the test's transaction lives in this connection
    tracemalloc.start()
    try:
        answer = handler(environ, lambda status, headers: answered.append(status))
        answer.close()
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
    assert answered == ["303 See Other"]
    assert Draft.objects.get().size == large.stat().st_size
    assert peak < 16 << 20, f"{peak >> 20} MiB at once"
    assert not list(settings.UPLOADS_ROOT.glob(".new-*"))


def test_a_file_beyond_all_measure_is_refused_unread(
    cathy: Colleague, edition: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    from troth.faces.desk import arriving

    monkeypatch.setattr(arriving, "MOST_BYTES", 1000)
    answer = uploads(cathy, "field-guide", "2.0.0", packed(one="1") + bytes(2_000))
    assert "larger than" in answer.content.decode()
    assert not list(settings.UPLOADS_ROOT.glob(".new-*"))
    monkeypatch.setattr(arriving, "REST", 0)
    assert "larger than" in uploads(cathy, "field-guide", "2.0.0", bytes(2_000)).content.decode()


words = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)
line = st.lists(words, min_size=1, max_size=4).map(" ".join)
block = st.one_of(
    st.fixed_dictionaries({"heading": line}),
    st.fixed_dictionaries({"text": line}),
    st.fixed_dictionaries({"list": st.lists(line, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"code": st.lists(st.one_of(line, st.just("```"), st.just("  x")), min_size=1, max_size=3)}),
)


@given(st.lists(block, max_size=6))
def test_a_description_is_typed_as_it_is_read(said: list[dict[str, Any]]) -> None:
    assert prose.blocks(prose.typed(said)) == said


@given(st.text(max_size=200))
def test_any_text_is_some_description(text: str) -> None:
    read = prose.blocks(text)
    assert prose.blocks(prose.typed(read)) == read


def test_the_sample_goods_descriptions_survive_being_typed(edition: Edition) -> None:
    told = shelf.preview("field-guide", "EUR")
    assert told is not None and prose.blocks(prose.typed(told.description)) == told.description
    assert sound.MOST_BYTES == 2 << 30
