"""Sessions, orders, downloads, mailed links and forms are their owner's, whatever others know or send."""

from __future__ import annotations

import pytest

from tests.attacks.visiting import MALLORY, OURS, form_token, look, rows, send
from tests.house import House
from tests.storefront.conftest import ORIGIN, Browser
from tests.storefront.page import read
from tests.storefront.test_buying import ALICE
from troth.shop.catalogue.models import Edition, Release
from troth.shop.delivery import links
from troth.shop.delivery.models import Grant
from troth.shop.journeys import reach
from troth.shop.orders.models import Order


class TestCookies:
    GARBAGE = [
        "", "x", "x" * 4000, "\\000" * 20, '"\\000\\000abcdefghijkl"', '"\\377\\376' + "a" * 40 + '"',
        "\x7f" * 40, "é" * 40, "{{7*7}}",
        "' OR 1=1 --", "../../web.key", "a" * 32 + "\r\nSet-Cookie: b=c", "=", ";;;", ",", "%00" * 20,
        "A" * 102, "null", "-1",
    ]  # fmt: skip
    NAMES = ("troth_session", "troth_basket", "troth_cap", "troth_order", "troth_csrf", "sessionid", "", "$Version")
    PAGES = (
        "/",
        "/basket",
        "/checkout",
        "/account",
        "/account?show=me",
        "/account/email",
        "/register",
        "/sign-in",
        "/orders/ord_" + "a" * 26,
    )

    @pytest.mark.parametrize("name", NAMES)
    def test_a_cookie_of_any_content_is_nobodys(self, house: House, paid: Order, name: str) -> None:
        before = rows()
        for value in self.GARBAGE:
            for path in (*self.PAGES, f"/orders/{paid.ref}"):
                answer = look(Browser(), path, HTTP_COOKIE=f"{name}={value}")
                assert answer.status_code < 500, (value, path)
                assert b"Alice" not in answer.content
                if path.startswith("/orders/"):
                    assert answer.status_code == 404
                if path.startswith("/account"):
                    assert answer.status_code in (303, 400)
            answer = send(Browser(), "/basket", {"action": "add", "edition": "1"}, HTTP_COOKIE=f"{name}={value}")
            assert answer.status_code < 500, value
        after = rows()
        for table in ("orders_basket", "orders_basketline", "accounts_session"):
            before.pop(table), after.pop(table)
        assert after == before

    def test_the_capability_of_another_opens_nothing(self, house: House, mallory: Browser) -> None:
        alice = Browser()
        alice.send("/register", MALLORY | {"name": "Alice", "email": "alice@b.example"}, 200)
        assert "alice@b.example" in alice.page("/account?show=me").text
        mallory.cookies["troth_cap"] = alice.cookies["troth_cap"].value
        answer = look(mallory, "/account?show=me")
        assert b"alice@b.example" not in answer.content
        assert answer.status_code == 303

    def test_who_signs_out_leaves_no_session_behind(self, house: House, mallory: Browser) -> None:
        kept = {name: morsel.value for name, morsel in mallory.cookies.items()}
        mallory.send("/account", {}, 303, form="/sign-out")
        again = Browser()
        again.cookies.load(kept)
        assert again.get("/account").status_code == 303

    def test_a_session_planted_before_the_sign_in_is_not_used(self, house: House) -> None:
        Browser().send("/register", MALLORY, 200)
        victim = Browser()
        victim.cookies["troth_session"] = "planted" * 5
        victim.send("/sign-in", MALLORY, 303)
        assert victim.cookies["troth_session"].value != "planted" * 5

    def test_cookies_are_closed_to_scripts_and_other_sites(
        self, house: House, mallory: Browser, edition: Edition
    ) -> None:
        mallory.post("/basket", {"action": "add", "edition": edition.pk}, **OURS)
        names = {"troth_session", "troth_cap", "troth_basket", "troth_csrf"}
        assert names <= mallory.cookies.keys()
        for name in names:
            assert mallory.cookies[name]["httponly"], name
            assert mallory.cookies[name]["samesite"] == "Lax", name


class TestReferences:
    """A reference identifies and never authorises."""

    def test_an_orders_reference_shows_nothing_to_others(self, house: House, paid: Order, mallory: Browser) -> None:
        unknown = "/orders/ord_" + "a" * 26
        before = rows()
        for browser in (mallory, Browser()):
            assert browser.page(f"/orders/{paid.ref}", 404).text == browser.page(unknown, 404).text
            fields = {"provider": "skrill", "csrfmiddlewaretoken": form_token(browser)}
            assert send(browser, f"/orders/{paid.ref}/pay", fields).status_code == 404
            for key in ("", "0" * 40, reach.order_key(paid)[:-1], reach.order_key(paid).upper() + "0"):
                assert look(browser, f"/orders/{paid.ref}/key/{key}").status_code == 404
        assert rows() == before

    def test_one_orders_key_opens_no_other(self, house: House, paid: Order, basket: Browser, edition: Edition) -> None:
        basket.post("/basket", {"action": "add", "edition": edition.pk}, **OURS)
        basket.send("/checkout", ALICE | {"email": "other@b.example"}, 303)
        other = Order.objects.exclude(pk=paid.pk).get()
        stranger = Browser()
        assert look(stranger, f"/orders/{other.ref}/key/{reach.order_key(paid)}").status_code == 404
        opened = look(stranger, f"/orders/{paid.ref}/key/{reach.order_key(paid)}")
        assert opened.status_code == 303
        value = opened.cookies["troth_order"].value
        assert look(Browser(), f"/orders/{other.ref}", HTTP_COOKIE=f"troth_order={value}").status_code == 404
        assert look(Browser(), f"/orders/{paid.ref}", HTTP_COOKIE=f"troth_order={value}").status_code == 200

    def test_a_return_page_leads_a_stranger_to_nothing(self, house: House, paid: Order, mallory: Browser) -> None:
        payment = paid.payments.get()
        answer = look(mallory, f"/return/{payment.provider}?token={payment.provider_ref}")
        if answer.status_code == 303:
            assert look(mallory, answer["Location"]).status_code == 404
        else:
            assert answer.status_code == 404
        for query in (
            f"transaction_id={payment.id}&msid=x",
            f"transaction_id={paid.ref}",
            "token[]=x",
            "token=" + "A" * 5000,
        ):
            for provider in ("paypal", "skrill"):
                assert look(mallory, f"/return/{provider}?{query}").status_code in (303, 404)

    def test_a_signature_is_good_for_its_own_download(
        self, house: House, paid: Order, basket: Browser, edition: Edition
    ) -> None:
        (link,) = links.of(paid)
        grant, release = Grant.objects.get(), Release.objects.get()
        other = Release.objects.create(
            product=release.product,
            version="2.0.0",
            released_on="2026-11-02",
            file=release.file,
            size=22,
            sha256="a" * 64,
        )
        signature = link.url.partition("?s=")[2]
        later = f"{int(signature.partition('.')[0], 16) + 86400:x}.{signature.partition('.')[2]}"
        for path in (
            f"/download/{grant.id}/{other.pk}?s={signature}", f"/download/gra_{'a' * 26}/{release.pk}?s={signature}",
            f"/download/{grant.id}/{release.pk}?s={later}", f"/download/{grant.id}/{release.pk}",
            f"/download/{grant.id}/{release.pk}?s={signature[:-1]}",
            f"/download/{grant.id}/{release.pk}?s={signature.upper()}Z",
        ):  # fmt: skip
            assert look(Browser(), path).status_code == 403, path
        Order.objects.update(state=Order.REFUNDED)
        assert look(Browser(), link.url).status_code == 403

    def test_goods_and_secrets_are_not_served_by_path(self, paid: Order) -> None:
        name = Release.objects.get().file
        goods = (f"/media/{name}", f"/media/../files/{name}", f"/static/../../files/{name}", f"/files/{name}")
        secrets = ("/media/../web.key", "/media/%2e%2e/web.key", "/media/x.svg/../../web.key", "/troth.toml")
        for path in (*goods, *secrets, "/.git/config", "/media//etc/passwd", "/static/troth.css"):
            assert look(Browser(), path).status_code == 404, path


class TestMailedLinks:
    def letter(self, house: House, word: str) -> str:
        house.works()
        text = next(mail.text for mail in reversed(house.mails) if word in mail.text)
        return next(part for part in text.split() if word in part).removeprefix(ORIGIN)

    def test_a_confirmation_counts_once_and_by_its_button(self, house: House, mallory: Browser) -> None:
        link = self.letter(house, "/confirm/")
        for _ in range(3):  # mail programs look at links
            assert "confirmed" not in Browser().page(link).text
        assert "is confirmed" in read(Browser().send(link, {}, 200)).text
        assert "This link is over" in read(Browser().send(link, {}, 200)).text
        ticket, secret = link.split("/")[2:]
        for guess in (
            f"/confirm/{ticket}/{secret[:-1]}",
            f"/confirm/{secret}/{ticket}",
            f"/confirm/{ticket}/{'A' * 32}",
        ):
            assert "This link is over" in read(Browser().send(guess, {}, 200)).text

    def test_a_recovery_counts_once_and_ends_sessions(self, house: House, mallory: Browser) -> None:
        Browser().send("/recover", {"email": MALLORY["email"]}, 200)
        link = self.letter(house, "/recover/")
        ticket, secret = link.split("/")[2:]
        for guess in (
            f"/recover/{ticket}/{'A' * 32}",
            f"/recover/{ticket}/{secret[::-1]}",
            f"/recover/{'A' * 22}/{secret}",
        ):
            assert Browser().send(guess, {"password": "a password of ours"}, 400)
        assert mallory.get("/account").status_code == 200
        Browser().send(link, {"password": "copper kettle moon"}, 303)
        assert mallory.get("/account").status_code == 303
        page = read(Browser().send(link, {"password": "another one again"}, 400))
        assert "This link is over or was used" in page.text
        Browser().send("/sign-in", MALLORY | {"password": "another one again"}, 400)
        Browser().send("/sign-in", MALLORY | {"password": "copper kettle moon"}, 303)

    def test_known_and_unknown_mailboxes_look_the_same(self, house: House, mallory: Browser) -> None:
        known = Browser().send("/recover", {"email": MALLORY["email"]}, 200)
        unknown = Browser().send("/recover", {"email": "nobody@b.example"}, 200)
        assert read(known).text == read(unknown).text
        for email in (MALLORY["email"], "nobody@b.example"):
            page = Browser().send("/sign-in", {"email": email, "password": "wrong and wrong"}, 400)
            assert "E-mail and password do not fit together" in read(page).text
        house.stock(4)
        again = Browser().send("/register", MALLORY, 200)
        fresh = Browser().send("/register", MALLORY | {"email": "fresh@b.example"}, 200)
        assert read(again).text == read(fresh).text


class TestOrigins:
    """Every form is refused without its token, and from elsewhere."""

    ELSEWHERE = [
        {"HTTP_ORIGIN": "https://evil.example"}, {"HTTP_ORIGIN": "null"}, {"HTTP_ORIGIN": ""},
        {"HTTP_ORIGIN": f"{ORIGIN}.evil.example"},
        {"HTTP_ORIGIN": f"{ORIGIN}0"}, {"HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_SEC_FETCH_SITE": "same-site"}, {"HTTP_SEC_FETCH_SITE": "none"},
        {"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_ORIGIN": ORIGIN},
        {"HTTP_REFERER": "https://evil.example/"}, {"HTTP_REFERER": f"{ORIGIN}@evil.example/"},
    ]  # fmt: skip

    def everything(self, paid: Order) -> dict[str, dict[str, str]]:
        return {
            "/register": MALLORY | {"email": "new@b.example"}, "/sign-in": MALLORY,
            "/recover": {"email": MALLORY["email"]}, "/checkout": ALICE,
            "/sign-out": {}, "/account/email": {"email": "new@b.example", "password": MALLORY["password"]},
            "/account/password": {"old": MALLORY["password"], "password": "copper kettle moon"},
            f"/orders/{paid.ref}/pay": {"provider": "paypal"},
            "/basket": {"action": "change", "edition": "1", "quantity": "9"},
            f"/confirm/{'A' * 22}/{'B' * 32}": {},
            f"/recover/{'A' * 22}/{'B' * 32}": {"password": "copper kettle moon"},
        }  # fmt: skip

    def test_without_aform_token(self, house: House, paid: Order, mallory: Browser) -> None:
        before = rows()
        for path, fields in self.everything(paid).items():
            for token in (
                {},
                {"csrfmiddlewaretoken": ""},
                {"csrfmiddlewaretoken": "A" * 64},
                {"csrfmiddlewaretoken": "x\0"},
            ):
                answer = send(mallory, path, fields | token)
                assert answer.status_code == 403, (path, token)
        assert rows() == before

    @pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
    def test_from_elsewhere_even_with_aform_token(
        self, house: House, paid: Order, mallory: Browser, headers: dict[str, str]
    ) -> None:
        before, token = rows(), form_token(mallory)
        mallory.raise_request_exception = False
        forms = self.everything(paid) | {"/basket": {"action": "add", "edition": "1"}}
        for path, fields in forms.items():
            answer = mallory.post(path, fields | {"csrfmiddlewaretoken": token}, **headers)
            assert answer.status_code == 403, path
        assert rows() == before
