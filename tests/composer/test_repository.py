"""The Composer repository by HTTP: who sees what, what is refused with which sentence, and what may be kept."""

import base64
import json
from datetime import date

import pytest
from django.conf import settings
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from tests.composer.conftest import product, released
from tests.house import SITE, House
from tests.licences.bought import bought, key_of
from troth.faces.api import composer, kept
from troth.shop.catalogue import shelf
from troth.shop.catalogue.models import Edition, Price, Product
from troth.shop.journeys import licence
from troth.shop.licences.keys import new_key
from troth.shop.licences.models import Licence
from troth.shop.orders.models import OrderLine

NOTES, DISPATCH = "fernhill/module-notes", "fernhill/module-dispatch"


def get(path: str, *keys: str, user: str = "licence", **more: str):
    if keys:
        login = base64.b64encode(f"{user}:{','.join(keys)}".encode()).decode()
        more["HTTP_AUTHORIZATION"] = f"Basic {login}"
    return Client().get(f"/composer/{path}", **more)


def told(path: str, *keys: str, status: int = 200) -> dict:
    answer = get(path, *keys)
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/json"
    return json.loads(answer.content)


def versions(package: str, *keys: str) -> list[str]:
    return [one["version"] for one in told(f"p2/{package}.json", *keys)["packages"][package]]


def ends(day: str | None, product: str = "notes") -> None:
    Licence.objects.filter(line__edition__product=product).update(updates_until=day and date.fromisoformat(day))


PATHS = ("packages.json", f"p2/{NOTES}.json", f"providers/{NOTES}.json", f"dist/{NOTES}/1.0.0.zip")


@pytest.mark.parametrize("path", PATHS)
def test_without_a_key_nothing_is_listed(house: House, notes: Edition, path: str) -> None:
    for answer in (get(path), get(path, HTTP_AUTHORIZATION="Basic !"), get(path, HTTP_AUTHORIZATION="Bearer x")):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")
        assert "fernhill" not in answer.content.decode()


@pytest.mark.parametrize("path", PATHS)
def test_unknown_keys_get_the_same_refusal(house: House, notes: Edition, path: str) -> None:
    answers = [get(path, key) for key in (new_key(), "x", new_key())]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1


def test_a_licence_lists_what_it_covers_and_nothing_else(house: House, notes: Edition, clock_: Edition) -> None:
    key = key_of(bought(house, notes))
    index = told("packages.json", key)
    assert index["available-packages"] == [NOTES]
    assert index["packages"] == []
    assert "warnings" not in index
    assert versions(NOTES, key) == ["1.2.0", "1.1.0", "1.0.0"]
    assert told(f"p2/{NOTES}~dev.json", key)["packages"] == {NOTES: []}
    one = told(f"p2/{NOTES}.json", key)["packages"][NOTES][0]
    assert one["dist"]["url"] == f"{SITE}/composer/dist/{NOTES}/1.2.0.zip"
    assert (one["name"], one["type"], one["time"]) == (NOTES, "library", "2026-09-28T00:00:00+00:00")


def test_the_key_may_be_user_or_password(house: House, notes: Edition) -> None:
    key = key_of(bought(house, notes))
    login = base64.b64encode(f"{key}:".encode()).decode()
    assert get("packages.json", HTTP_AUTHORIZATION=f"Basic {login}").status_code == 200
    assert get("packages.json", key, user=key).status_code == 200
    assert get("packages.json", key.lower().replace("-", "")).status_code == 200


def test_several_keys_in_one_login(house: House, notes: Edition, clock_: Edition) -> None:
    keys = [key_of(bought(house, notes)), key_of(bought(house, clock_))]
    assert told("packages.json", *keys)["available-packages"] == [DISPATCH, NOTES]
    licence.rotate(Licence.objects.get(line__edition=notes).id)
    index = told("packages.json", *keys)
    assert index["available-packages"] == [DISPATCH]
    assert "was replaced" in index["warnings"][0]["message"]
    assert told(f"p2/{NOTES}.json", *keys, status=403)["warning"].startswith("Your licence does not cover Notes")


def test_the_longer_of_two_licences_counts(house: House, notes: Edition) -> None:
    first = key_of(bought(house, notes))
    ends("2026-02-01")
    assert versions(NOTES, first) == ["1.0.0"]
    second = key_of(bought(house, notes))
    assert versions(NOTES, first, second) == versions(NOTES, second, first) == ["1.2.0", "1.1.0", "1.0.0"]
    assert versions(NOTES, first) == ["1.0.0"]


def test_a_bundle_covers_what_it_holds(house: House, notes: Edition, clock_: Edition) -> None:
    bundle = Product.objects.create(
        slug="both", kind=Product.BUNDLE, name="Both", tagline="t", summary="s", published=True
    )
    bundle.includes.set(Product.objects.filter(slug__in=("notes", "dispatch")))
    edition = Edition.objects.create(product=bundle, code="single", name="Single site")
    edition.prices.create(currency="EUR", minor=6900)
    assert told("packages.json", key_of(bought(house, edition)))["available-packages"] == [DISPATCH, NOTES]


def test_versions_stay_at_the_last_one_before_the_updates_ended(house: House, notes: Edition) -> None:
    key = key_of(bought(house, notes))
    ends("2026-05-01")  # a release of the last day belongs to it
    assert versions(NOTES, key) == ["1.1.0", "1.0.0"]
    (warning,) = told("packages.json", key)["warnings"]
    assert "ended on 2026-05-01; 1.2.0 came later" in warning["message"]
    assert f"{SITE}/p/notes" in warning["message"]
    assert "Last-Modified" not in get("packages.json", key).headers  # Composer prints nothing of what is unchanged
    assert get(f"dist/{NOTES}/1.1.0.zip", key).status_code == 200
    refused = told(f"dist/{NOTES}/1.2.0.zip", key, status=403)["warning"]
    assert "ended on 2026-05-01" in refused and "Renew here" in refused and f"{SITE}/p/notes" in refused
    ends("2026-04-30")
    assert versions(NOTES, key) == ["1.0.0"]
    Price.objects.update(renewal_minor=1900)  # from now on it leads to where the licence is renewed
    refused = told(f"dist/{NOTES}/1.2.0.zip", key, status=403)["warning"]
    path = refused.rpartition(f"Renew here: {SITE}")[2]
    assert path.startswith("/renew/lic_")
    page = Client().get(path)
    assert page.status_code == 200
    assert "€19.00" in page.content.decode()
    assert key not in page.content.decode()
    ends(None)
    assert versions(NOTES, key) == ["1.2.0", "1.1.0", "1.0.0"]


@pytest.mark.parametrize("path", PATHS)
def test_what_ended_is_refused_with_the_reason_at_once(house: House, notes: Edition, path: str) -> None:
    key = key_of(bought(house, notes))
    assert get(path, key).status_code == 200
    for ended, word in (("refunded", "paid back"), ("disputed", "dispute")):
        OrderLine.objects.update(ended=ended)
        assert word in told(path, key, status=403)["warning"]
    OrderLine.objects.update(ended="")
    assert get(path, key).status_code == 200
    licence.rotate(Licence.objects.get().id)
    assert "was replaced" in told(path, key, status=403)["warning"]
    licence.revoke(Licence.objects.get().id)


def test_a_package_not_bought_is_refused_with_its_address(house: House, notes: Edition, clock_: Edition) -> None:
    key = key_of(bought(house, notes))
    for path in (f"p2/{DISPATCH}.json", f"dist/{DISPATCH}/2.0.0.zip"):
        warning = told(path, key, status=403)["warning"]
        assert warning == f"Your licence does not cover Dispatch; you find it here: {SITE}/p/dispatch"


OUTSIDE = ("symfony/console", "evil/module-notes", "fernhill/unheard-of", "fernhillx/module-notes")


@pytest.mark.parametrize("name", OUTSIDE)
def test_other_names_are_not_here(house: House, notes: Edition, name: str) -> None:
    key = key_of(bought(house, notes))
    assert told(f"p2/{name}.json", key, status=404) == {}
    assert told(f"dist/{name}/1.0.0.zip", key, status=404) == {}


def test_a_catalogue_with_a_foreign_name_does_not_serve_it(house: House) -> None:
    stolen = product("console", ("9.9.9", "2026-01-01"), package="symfony/console")
    key = key_of(bought(house, stolen))
    assert told("packages.json", key)["available-packages"] == []
    assert told("p2/symfony/console.json", key, status=404) == {}
    assert told("dist/symfony/console/9.9.9.zip", key, status=404) == {}
    assert told("packages.json", key)["available-package-patterns"] == ["fernhill/*"]


@hypothesis(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40))
def test_no_name_breaks_it(house: House, notes: Edition, name: str) -> None:
    key = licence.of(bought_once(house, notes))[0].key
    for path in (f"p2/{name}.json", f"dist/{name}/1.0.0.zip", f"p2/fernhill/{name}.json"):
        assert get(path.replace("?", "%3F").replace("#", "%23"), key).status_code in (404, 403)


_once: dict[int, object] = {}


def bought_once(house: House, edition: Edition):
    if id(house) not in _once:
        _once.clear()
        _once[id(house)] = bought(house, edition)
    return _once[id(house)]


def test_an_archive_comes_whole_with_its_sum(house: House, notes: Edition) -> None:
    key = key_of(bought(house, notes))
    answer = get(f"dist/{NOTES}/1.1.0.zip", key)
    body = b"".join(answer.streaming_content)
    assert body == (settings.FILES_ROOT / "notes-1.1.0.zip").read_bytes()
    assert answer.headers["Content-Length"] == str(len(body))
    assert get(f"dist/{NOTES}/7.0.0.zip", key).status_code == 404


def test_composer_may_keep_a_list_and_ask_whether_it_changed(house: House, notes: Edition, clock_: Edition) -> None:
    first, second = key_of(bought(house, notes)), key_of(bought(house, clock_))
    answer = get("packages.json", first)
    etag, changed = answer.headers["ETag"], answer.headers["Last-Modified"]
    assert "no-cache" in answer.headers["Cache-Control"] and "private" in answer.headers["Cache-Control"]
    assert get("packages.json", first, HTTP_IF_NONE_MATCH=etag).status_code == 304
    assert get("packages.json", first, HTTP_IF_MODIFIED_SINCE=changed).status_code == 304
    assert get("packages.json", first, second, HTTP_IF_MODIFIED_SINCE=changed).status_code == 200
    assert get("packages.json", HTTP_IF_NONE_MATCH=etag).status_code == 401
    listed = get(f"p2/{NOTES}.json", first).headers
    released(Product.objects.get(slug="notes"), "1.3.0", "2026-10-01", 0)
    shelf.changed()
    again = get(f"p2/{NOTES}.json", first, HTTP_IF_MODIFIED_SINCE=listed["Last-Modified"])
    assert again.status_code == 200
    assert "1.3.0" in again.content.decode()
    OrderLine.objects.filter(edition=notes).update(ended="refunded")
    assert get("packages.json", first, HTTP_IF_NONE_MATCH=etag).status_code == 403


def test_what_is_kept_is_not_made_again(house: House, notes: Edition, monkeypatch: pytest.MonkeyPatch) -> None:
    key, client = key_of(bought(house, notes)), Client()
    login = base64.b64encode(f"licence:{key}".encode()).decode()

    def ask() -> int:
        return client.get("/composer/packages.json", HTTP_AUTHORIZATION=f"Basic {login}").status_code

    assert ask() == 200
    monkeypatch.setattr(composer.install, "index", lambda given: 1 / 0)
    assert ask() == 200
    client.handler._middleware_chain = None  # another process
    client.handler.load_middleware()
    with pytest.raises(ZeroDivisionError):
        ask()


def test_the_store_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST", 5)
    store = kept.KeptLists(lambda request: None)
    for number in range(20):
        store._keep(number, composer.kept({"n": number}))
    assert len(store.answers) == 5
    store._keep("large", composer.kept({"n": "x" * kept.LONGEST}))
    assert "large" not in store.answers


def test_who_guesses_keys_is_asked_to_wait(house: House, notes: Edition) -> None:
    key = key_of(bought(house, notes))
    assert {get("packages.json", new_key(), REMOTE_ADDR="198.51.100.7").status_code for _ in range(30)} == {401}
    waits = get("packages.json", key, REMOTE_ADDR="198.51.100.7")
    assert (waits.status_code, "Retry-After" in waits.headers) == (429, True)
    assert get("packages.json", key, REMOTE_ADDR="198.51.100.8").status_code == 200


def test_a_shop_without_a_vendor_has_no_repository(house: House, notes: Edition) -> None:
    import msgspec

    key = key_of(bought(house, notes))
    settings.TROTH = msgspec.structs.replace(settings.TROTH, composer=type(settings.TROTH.composer)())
    assert {get(path, key).status_code for path in PATHS} == {404}
    assert licence.of(Licence.objects.get().line.order)[0].packages == ()
