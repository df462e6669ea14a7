"""Texts of law: what an owner wrote, as it counts now and as it counted for each order."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest
from click.testing import CliRunner
from django.conf import settings
from hypothesis import example, given
from hypothesis import settings as patient
from hypothesis import strategies as st

from tests.house import House
from tests.storefront.conftest import Browser, basket, browser  # noqa: F401 - fixtures
from troth import config, law_texts
from troth.config import ConfigError
from troth.faces.cli.texts import texts as command
from troth.shop.catalogue.models import Edition
from troth.shop.orders.models import Order
from troth.shop.texts import drafts, standing
from troth.shop.texts.markdown import html
from troth.shop.texts.models import Publication

BILL = {
    "name": "Alice Example", "email": "alice@b.example", "street": "1 Vine", "billing_postcode": "10115",
    "city": "Wells", "country": "DE", "provider": "paypal",
}  # fmt: skip


def written(name: str, text: str) -> None:
    """The owner saves a file, and starts the shop again."""
    folder = settings.TROTH.home / "texts"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.md").write_text(text, "utf-8")
    restart()


def restart() -> None:
    standing.texts.cache_clear()
    standing.announce.cache_clear()


@pytest.fixture(autouse=True)
def own_texts() -> Iterator[None]:
    restart()
    yield
    for path in (settings.TROTH.home / "texts").glob("*.md"):
        path.unlink()
    restart()


def ordered(shopper: Browser) -> Order:
    shopper.send("/checkout", BILL, 303)
    return Order.objects.latest("made_at")


def test_an_order_keeps_the_terms_that_it_was_made_under(house: House, basket: Browser, edition: Edition) -> None:  # noqa: F811
    written("terms", "# Our terms\n\n**You** pay once.\n")
    first = standing.terms_version()
    assert f"version {first}" in basket.page("/checkout").text
    order = ordered(basket)
    assert order.terms_version == first
    written("terms", "# Our terms\n\nYou pay twice.\n")
    assert standing.terms_version() != first
    shown = basket.get(f"/orders/{order.ref}").content.decode()
    assert f'<a href="/terms/{first}">terms</a>, version {first}' in shown
    page = basket.page(f"/terms/{first}")
    assert "pay once." in page.text and "an earlier version" in page.text
    now = Browser().page("/terms")
    assert "You pay twice." in now.text and "an earlier" not in now.text
    assert any(link["href"] == f"/terms/{first}" for link in now.all("a"))


def test_the_letter_names_the_versions(house: House, basket: Browser, edition: Edition) -> None:  # noqa: F811
    written("terms", "# Our terms\n\nYou pay once.\n")
    order = ordered(basket)
    house.sandbox.paypal.approve(order.payments.get().provider_ref)
    house.messages()
    house.works()
    (letter,) = house.mails
    for part in (letter.text, letter.html):
        assert f"terms, version {order.terms_version}, and our privacy policy, version {order.policy_version}" in part
        assert f"/terms/{order.terms_version}" in part


def test_the_same_text_is_published_once_and_an_old_one_can_come_back(house: House) -> None:
    for text in ("# T\n\none\n", "# T\r\n\r\none  \r\n\r\n", "# T\n\ntwo\n", "# T\n\none\n"):
        written("terms", text)
        assert Browser().get("/terms").status_code == 200
        assert standing.publish() == []
    rows = list(Publication.objects.filter(name="terms").values_list("number", "version"))
    assert [number for number, _ in rows] == [4, 3, 2, 1]  # the first is the draft that the shop began with
    assert rows[0][1] == rows[2][1] != rows[1][1]


def test_every_text_of_the_folder_has_its_page_and_its_link(house: House, browser: Browser) -> None:  # noqa: F811
    written("licence-agency", "# Agency licence\n\nA [link](/contact), | a |\n")
    written("imprint", "# Who we are\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n# Second\n")
    page = browser.page("/imprint")
    links = {link["href"] for link in page.all("a")}
    assert {"/terms", "/imprint", "/texts/licence-agency"} <= links
    assert len(page.all("table")) == 1 and "Second" in page.text
    assert "A link" in browser.page("/texts/licence-agency").text
    for nowhere in ("/withdrawal", "/texts/nothing", "/terms/0123456789ab", "/texts/terms2/ffff"):
        assert browser.get(nowhere).status_code == 404


def test_what_cannot_be_a_text_is_told_in_a_sentence(tmp_path: Path) -> None:
    home = config.load().home
    (home / "texts").mkdir(exist_ok=True)
    wrong = {
        "terms.md": (b"no title\n", "must begin with its title"),
        "imprint.md": (b"# \xff\n", "must be UTF-8"),
        "Über.md": (b"# U\n", "must have a name of small letters"),
        "long.md": (b"# Long\n" + b"x" * law_texts.LONGEST, "is longer than"),
    }
    for name, (body, _why) in wrong.items():
        (home / "texts" / name).write_bytes(body)
    with pytest.raises(ConfigError) as told:
        law_texts.refuse_unfinished(config.load())
    assert sorted(told.value.lines) == sorted(law_texts.unfinished(config.load()))
    for name, (_body, why) in wrong.items():
        (line,) = [line for line in told.value.lines if f"/{name} " in line]
        assert why in line


def test_a_live_shop_does_not_start_with_drafts() -> None:
    settings_now = config.load()
    live = msgspec.structs.replace(settings_now, shop=msgspec.structs.replace(settings_now.shop, mode="live"))
    law_texts.refuse_unfinished(settings_now)  # a test shop does
    with pytest.raises(ConfigError) as told:
        law_texts.refuse_unfinished(live)
    assert [line.split(" is ")[0].rsplit("/")[-1] for line in told.value.lines] == ["terms.md", "imprint.md"]
    made = drafts.write(live.home, live.shop)
    assert drafts.write(live.home, live.shop) == []
    with pytest.raises(ConfigError) as told:
        law_texts.refuse_unfinished(live)
    assert len(told.value.lines) == len(made) == 4
    assert all("is still a draft: it says [[Replace me" in line for line in told.value.lines)
    for path in made:
        path.write_text(law_texts.PLACE.sub("our words", path.read_text()))
    law_texts.refuse_unfinished(live)


def test_the_command_writes_drafts_and_says_what_is_left() -> None:
    done = CliRunner().invoke(command, ["--write"])
    assert done.exit_code == 1
    assert "draft    imprint: Imprint" in done.output and "still a draft" in done.output
    assert "Fernhill Extensions Ltd" in (settings.TROTH.home / "texts/terms.md").read_text()


class Seen(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, made: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.schemes: set[str] = set()
        self.feed(made)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.schemes |= {urlsplit(value or "").scheme for name, value in attrs if name == "href"}


TAGS = {
    *("p", "a", "em", "strong", "code", "pre", "ul", "ol", "li", "h2", "h3", "h4", "h5", "h6", "blockquote", "hr"),
    *("br", "div", "table", "thead", "tbody", "tr", "th", "td"),
}
WORDS = ["<", ">", "[x](", "![x](", ")", "javascript:", "data:", "https://e.example/", "|", "-", "# ", "`", "**", "_",
         "\n", "\n\n", " ", "on", "=x", "script", "style", '"', "'", "&", "\\", ":--:", 
         "|a|b|\n|:-|-:|\n|1|2|\n"]  # fmt: skip


@patient(deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=40).map("".join))
@example("<script>alert(1)</script>")
@example("<img src=x onerror=x>")
@example("[x](javascript:alert(1)) ![x](https://pixel.example/1.gif)")
@example("[x](data:text/html,<script>)")
@example("|a|b|\n|:-|-:|\n|1|2|\n")
def test_no_markdown_makes_a_page_run_fetch_or_style(text: str) -> None:
    seen = Seen(html(text))
    assert seen.tags <= TAGS
    assert seen.attributes <= {"href", "title", "class", "start", "tabindex"}
    assert seen.schemes <= {"", "https", "http", "mailto"}


def test_markdown_still_says_something() -> None:
    made = html("# A\n\n**b** [c](https://d.example)\n\n|e|f|\n|-|-:|\n|g|1|\n")
    assert Seen(made).tags >= {"h2", "strong", "a", "table"}
    assert '<td class="sum">1</td>' in made and '<div class="table-wrap" tabindex="0">' in made
