"""What the public pages read: few queries, made once, and the same answers as Django's own would give."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from troth.pledge.prepared import Prepared
from troth.shop.catalogue import shelf
from troth.shop.catalogue.models import Edition, Picture, Price, Product

pytestmark = pytest.mark.django_db


def product(slug, position=0, prices=(), published=True, kind=Product.MODULE):
    made = Product.objects.create(
        slug=slug, kind=kind, name=slug.title(), tagline=f"about {slug}", position=position, published=published,
        description=[{"text": slug}],
    )  # fmt: skip
    for number, (currency, minor) in enumerate(prices):
        edition = Edition.objects.create(product=made, code=f"e{number}", name=f"Edition {number}", position=9 - number)
        Price.objects.create(edition=edition, currency=currency, minor=minor)
    return made


def picture(of, file, position):
    Picture.objects.create(product=of, file=file, alt=file, width=4, height=3, position=position)


def test_a_card_shows_the_lowest_price_in_our_currency_and_the_first_picture():
    lamp = product("lamp", 1, [("EUR", 900), ("EUR", 700), ("USD", 100)])
    picture(lamp, "second.svg", 2)
    picture(lamp, "first.svg", 1)
    product("unpriced", 2, [("USD", 500)])
    product("hidden", 0, [("EUR", 1)], published=False)
    shown = shelf.browse("EUR")
    assert shown.cards == [
        shelf.Card("lamp", "Lamp", "about lamp", "module", 700, 2, "first.svg", 4, 3),
        shelf.Card("unpriced", "Unpriced", "about unpriced", "module", None, 0),
    ]
    assert (shown.total, shown.page, shown.pages) == (2, 1, 1)


def test_pages_follow_each_other_in_order_and_cost_the_same():
    for number in range(30):
        product(f"p{number:02}", 30 - number, [("EUR", 100 + number)])
    with CaptureQueriesContext(connection) as first:
        cards = shelf.browse("EUR").cards
    with CaptureQueriesContext(connection) as second:
        rest = shelf.browse("EUR", page=2).cards
    assert [card.slug for card in cards + rest] == [f"p{number:02}" for number in reversed(range(30))]
    assert [card.minor for card in rest] == [105, 104, 103, 102, 101, 100]
    assert (len(first), len(second)) == (4, 4)


def test_a_detail_has_its_offers_in_order_and_its_bundles_in_four_queries(django_assert_max_num_queries):
    lamp = product("lamp", 1, [("EUR", 900), ("EUR", 700), ("USD", 100)])
    other = product("other", 2, [("EUR", 5)])
    product("set", 3, [("EUR", 1500)], kind=Product.BUNDLE).includes.add(lamp)
    with django_assert_max_num_queries(4):
        found = shelf.detail("lamp", "EUR")
    assert [offer.minor for offer in found.offers] == [700, 900]
    assert found.description == [{"text": "lamp"}]
    assert [mention.slug for mention in found.related] == ["set"]
    assert [mention.slug for mention in shelf.detail("set", "EUR").related] == ["lamp"]
    assert shelf.detail(other.slug, "EUR").related == []
    assert shelf.detail("lamp", "GBP").offers == []


@pytest.mark.parametrize("slug", ["none", "hidden", "lamp' OR '1'='1", "gap 0", "%s", ""])
def test_what_is_not_on_the_shelf_is_not_found(slug):
    product("lamp")
    product("hidden", published=False)
    assert shelf.detail(slug, "EUR") is None


def test_a_prepared_query_wants_all_its_values():
    by_slug = Prepared(lambda slug: Product.objects.filter(slug=slug).values_list("slug", "name"), gaps=1)
    product("lamp")
    assert by_slug("lamp") == [("lamp", "Lamp")]
    assert by_slug("lump") == []
    with pytest.raises(TypeError, match="takes 1 values, not 2"):
        by_slug("lamp", "lump")
