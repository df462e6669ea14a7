"""Customers whose every value carries one random stem, so that few needles find all of it, wherever it was put."""

from __future__ import annotations

import re
import secrets
import string
from contextlib import suppress
from urllib.parse import urlsplit

import httpx

from tests.marker.shop import Watched
from tests.processes.running import until
from troth.pledge.policy.visitor import Page, Visitor
from troth.sandbox.mailbox import Mail

PATIENCE = 60.0  # seconds for a letter; the machine may be busy
CARD = "4111 1111 1111 1111"


def stem() -> str:
    return "q" + "".join(secrets.choice(string.ascii_lowercase) for _ in range(8))


class Customer:
    def __init__(self, shop: Watched, mark: str, kind: str = "member") -> None:
        self.shop, self.mark = shop, mark
        self.email, self.password = f"{mark}.{kind}@marker.invalid", f"{mark} over the lantern 7"
        self.name = f"{mark} {kind}"
        # What browsers tell of themselves carries the mark too.
        self.headers = {"User-Agent": f"{mark}/1.0", "Accept-Language": mark}
        self._open: list[Visitor] = []
        self.browser = self.another_browser()

    def __enter__(self) -> Customer:
        return self

    def __exit__(self, *_: object) -> None:
        for browser in self._open:
            browser.close()

    def another_browser(self) -> Visitor:
        http = httpx.Client(trust_env=False, timeout=60, headers=self.headers)
        self._open.append(Visitor(self.shop.url, http))
        return self._open[-1]

    def registers(self) -> Page:
        typed = {"name": self.name, "email": self.email, "password": self.password, "postcode": f"{self.mark}9"}
        return self.browser.submit("/register", typed)

    def signs_in(self, browser: Visitor | None = None, password: str = "") -> Page:
        typed = {"email": self.email, "password": password or self.password}
        return (browser or self.browser).submit("/sign-in", typed)

    def sees_themselves(self) -> bool:
        page = self.browser.get("/account?show=me")
        return page.status == 200 and self.name in page.text and self.email in page.text

    def confirms(self) -> None:
        page = self.browser.submit(self.link("/confirm/"), {})
        assert "confirmed" in page.text, page.text

    def orders(self, provider: str, *, guest: bool = False) -> Page:
        """Basket and checkout; the provider's page."""
        self.browser.submit("/p/field-guide", {}, form="basket")
        who = {"name": self.name, "email": self.email} if guest else {}
        bill = {
            "billing_name": f"{self.mark} bill", "street": f"{self.mark} Street 1", "city": f"{self.mark} City",
            "billing_postcode": f"{self.mark}9", "country": "CH", "company": f"{self.mark} Ltd",
            "vat_number": f"CH{self.mark}",
        }  # fmt: skip
        page = self.browser.send(self.browser.get("/checkout"), {**who, **bill, "provider": provider}, form="checkout")
        assert urlsplit(page.url).netloc != urlsplit(self.shop.url).netloc, page.text
        return page

    def pays(self, page: Page, button: str) -> str:
        """Press a button of the provider's page; the order's reference."""
        back = self.browser.send(page, {}, form=button)
        path = urlsplit(back.url).path
        assert path.startswith("/orders/"), (path, back.text)
        return path.split("/")[2]

    def letters(self, word: str, to: str = "") -> list[Mail]:
        return [mail for mail in self.shop.sandbox.mailbox.sent if (to or self.email) in mail.to and word in mail.text]

    def link(self, word: str, to: str = "") -> str:
        """The path of the latest letter's link that holds `word`."""
        mail = until(lambda: self.letters(word, to), PATIENCE)[-1]
        found = re.search(rf"{re.escape(self.shop.url)}(\S*{re.escape(word)}\S*)", mail.text)
        assert found is not None
        return found[1]

    def reads_the_bill(self) -> None:
        """The invoice by the letter's link, as a page and as a PDF."""
        path = self.link("/invoice/")
        page, paper = (
            httpx.get(self.shop.url + one, headers=self.headers, trust_env=False, timeout=30)
            for one in (path, path.replace("?", ".pdf?"))
        )
        assert (page.status_code, paper.status_code, paper.content[:5]) == (200, 200, b"%PDF-")
        assert all(
            word in page.text for word in (f"{self.mark} bill", f"{self.mark} Street 1", f"CH{self.mark}".upper())
        )

    def downloads(self) -> None:
        answer = httpx.get(self.shop.url + self.link("/download/"), headers=self.headers, trust_env=False)
        assert answer.status_code == 200
        assert answer.content.startswith(b"PK")

    def changes_address(self) -> None:
        """Both mailboxes get a letter; both links are followed, the new one's is confirmed."""
        former, self.email = self.email, f"{self.mark}.new@marker.invalid"
        self.browser.submit("/account/email", {"email": self.email, "password": self.password})
        self.browser.get(self.link("/recover", former))
        self.confirms()
        assert urlsplit(self.signs_in().url).path == "/account"

    def changes_password(self) -> None:
        """Another browser that was signed in is not any more."""
        other = self.another_browser()
        self.signs_in(other)
        old, self.password = self.password, f"{self.mark} over the lantern 8"
        self.browser.submit("/account/password", {"old": old, "password": self.password})
        assert urlsplit(other.get("/account?show=me").url).path == "/sign-in"

    def forgets_password(self) -> None:
        self.browser.submit("/account", {}, form="sign-out")
        assert self.signs_in(password=f"{self.mark}-wrong").status == 400
        self.browser.submit("/recover", {"email": self.email})
        self.sets_password(f"{self.mark} over the lantern 9")

    def sets_password(self, password: str) -> None:
        """By the link of the latest letter that leads to it."""
        self.password = password
        page = self.browser.submit(self.link("/recover/"), {"password": password})
        assert urlsplit(page.url).path == "/account", page.text

    def mistypes(self) -> list[int]:
        """Forms that are refused, with the mark in them; the answers' statuses."""
        mark, browser = self.mark, self.another_browser()
        own = {"name": self.name, "email": self.email, "password": self.password, "postcode": f"{mark}9"}
        tried = [
            browser.submit("/register", own | {"name": f"{mark} {CARD}"}),
            browser.submit("/register", own | {"name": f"<b>{mark}</b>"}),
            browser.submit("/register", own | {"email": f"{mark} at marker"}),
            browser.submit("/register", own | {"postcode": f"{mark}" * 30}),
            browser.submit("/register", own | {"password": mark[:7]}),
            browser.submit("/recover", {"email": f"{mark}"}),
            browser.submit("/sign-in", {"email": f"{mark}@nowhere.invalid", "password": f"{mark}-wrong"}),
            self.browser.submit(
                "/account/password", {"old": f"{mark}-wrong", "password": f"{mark} over the lantern 0"}
            ),
            self.browser.submit("/account/email", {"email": f"{mark} at", "password": self.password}),
        ]
        browser.submit("/p/field-guide", {}, form="basket")
        bill = {"street": f"{mark} Street", "city": f"{mark} City", "billing_postcode": f"{mark}9", "country": "DE"}
        wrong = {**own, **bill, "provider": "paypal", "billing_name": f"{mark} {CARD}"}
        return [page.status for page in [*tried, browser.send(browser.get("/checkout"), wrong, form="checkout")]]

    def wanders(self) -> list[int]:
        """Addresses, headers, cookies and bodies with the mark in them that lead nowhere."""
        mark, url = self.mark, self.shop.url
        with httpx.Client(trust_env=False, timeout=60, base_url=url, headers=self.headers) as http:
            answers = [
                http.get(path)
                for path in (
                    f"/{mark}", f"/orders/{mark}", f"/orders/ord_{'a' * 26}/key/{mark}", f"/p/{mark}", f"/media/{mark}",
                    f"/download/{mark}/1?s={mark}", f"/return/paypal?token={mark}",
                    f"/return/skrill?transaction_id={mark}",
                    f"/confirm/{mark}/{mark}", f"/recover/{mark}/{mark}", f"/?q={mark}", f"/account?{mark}={mark}",
                )
            ]  # fmt: skip
            answers += [
                http.post("/hooks/paypal", json={"id": mark, "payer": self.email}),
                http.post("/hooks/skrill", data={"pay_from_email": self.email, "transaction_id": mark}),
                http.post("/register", data={"email": self.email}, headers={"Origin": f"https://{mark}.example"}),
                http.post("/register", content=self.email, headers={"Content-Type": f"text/{mark}"}),
                http.get("/account", headers={"Cookie": f"troth_session={mark}{mark}{mark}{mark}; troth_cap={mark}"}),
                http.get("/basket", headers={"Cookie": f"troth_basket={mark * 6}", "Referer": f"{url}/{self.email}"}),
                http.request(mark.upper(), "/"),
                http.get("/", headers={"Host": f"{mark}.example"}),
                http.get("/", headers={"X-Forwarded-For": mark, "X-Request-Id": self.email}),
            ]
            with suppress(httpx.HTTPError):  # an upload that is cut off
                http.post("/register", files={"name": (f"{mark}.txt", f"{mark} {CARD}" * 40_000)})
        return [answer.status_code for answer in answers]
