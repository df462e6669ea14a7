"""People who work here, as tests play them: through the pages, with an app that shows codes."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.http import HttpResponse

from tests.house import House
from tests.storefront.conftest import ORIGIN, Browser
from tests.storefront.page import Page
from troth.pledge.keeper.keeper import NOW

PASSWORD = "a long walk by the river"


class Office:
    """The shop's desk. Codes are good once, so the keeper's clock goes half a minute on with each."""

    def __init__(self, house: House) -> None:
        self.house, self._ahead = house, timedelta()
        house.stock(40)
        self.owner = self.colleague("olga")
        self.owner.join(self.left_by_owner())

    def colleague(self, name: str) -> Colleague:
        """Somebody with an account of their own, and no invitation yet."""
        return Colleague(self, name)

    def hired(self, name: str, *roles: str, kind: str = "employee", days: int = 200) -> Colleague:
        """Invited, joined, attested, and sitting at the desk."""
        one = self.colleague(name)
        one.join(self.invited(*roles, kind=kind))
        self.attest(one, *roles, kind=kind, days=days)
        return one

    def left_by_owner(self) -> str:
        """What `troth staff invite --owner` does where the keyring lies."""
        secret = secrets.token_urlsafe(24)
        keyring = Path(self.house.keeper.db.one("PRAGMA database_list")[2])
        keyring.with_name("first-owner").write_text(hashlib.sha256(secret.encode()).hexdigest() + "\n")
        return f"/desk/join/{secret}"

    def invited(self, *roles: str, kind: str = "employee") -> str:
        self.owner.proves()
        answer = self.owner.posts("/desk/colleagues/invite", {"roles": list(roles), "kind": kind})
        found = re.search(r"http://[^<]*(/desk/join/[^<]+)<", answer.content.decode())
        assert found, answer.content.decode()
        return found[1]

    def attest(self, one: Colleague, *roles: str, kind: str = "employee", days: int = 200) -> HttpResponse:
        self.owner.proves()
        until = (self.now() + timedelta(days=days)).date().isoformat()
        return self.owner.posts(f"/desk/colleagues/{one.ref}", {"roles": list(roles), "kind": kind, "until": until})

    def put(self, one: Colleague, state: str) -> HttpResponse:
        self.owner.proves()
        return self.owner.posts(f"/desk/colleagues/{one.ref}/put", {"state": state})

    def now(self) -> datetime:
        return self.house.keeper.room.clock()

    def later(self, **passed: float) -> None:
        """Let the keeper's clock go on."""
        self._ahead += timedelta(**passed)
        ahead = self._ahead
        self.house.keeper.room.clock = lambda: NOW() + ahead


class Colleague(Browser):
    def __init__(self, office: Office, name: str) -> None:
        super().__init__()
        self.office, self.name, self.email = office, name, f"{name}@fernhill.example"
        self.secret, self.recovery = b"", list[str]()
        self.proved: datetime | None = None
        fields = {"name": name.title(), "email": self.email, "password": PASSWORD, "postcode": "10115"}
        answer = self.send("/register", fields)
        assert answer.status_code == 200, answer.content.decode()
        self.ref = self.session["person"]

    def join(self, link: str) -> None:
        """Take the invitation up, set an app up, sit down."""
        answer = self.joins(link)
        assert answer.status_code == 200, answer.content.decode()
        self.plant(answer)
        self.recovery = re.findall(r"<li><code>([a-z2-7-]+)</code>", self.types(self.code()).content.decode())
        assert len(self.recovery) == 10

    def joins(self, link: str) -> HttpResponse:
        return self.send(link, {"email": self.email, "password": PASSWORD, "handle": self.name})

    def plant(self, answer: HttpResponse) -> None:
        page = Page(answer.content.decode())
        assert page.faults == [], page.faults
        link = next(a["href"] for a in page.all("a") if a.get("href", "").startswith("otpauth:"))
        self.secret = base64.b32decode(dict(pair.split("=") for pair in urlsplit(link).query.split("&"))["secret"])

    def code(self) -> str:
        """What the app shows, half a minute after the last time."""
        self.office.later(seconds=30)
        return TOTP(self.secret, 6, SHA1(), 30).generate(int(self.office.now().timestamp())).decode()

    def types(self, code: str) -> HttpResponse:
        return self.send("/desk/second-factor", {"code": code})

    def signs_in(self, code: str = "") -> HttpResponse:
        self.send("/desk/sign-in", {"email": self.email, "password": PASSWORD}, 303)
        return self.types(code or self.code())

    def proves(self) -> None:
        """The second factor of just now, where that of before is over: ten codes may be tried in an hour."""
        if self.proved is None or self.office.now() - self.proved > timedelta(minutes=4):
            assert self.send("/desk/again", {"code": self.code()}).status_code == 303
            self.proved = self.office.now()

    def posts(self, path: str, fields: dict[str, object]) -> HttpResponse:
        """Send a form as a browser does, with the token of the page that one is on."""
        token = self.page("/desk/").form("/desk/sign-out")["csrfmiddlewaretoken"]
        more = {"csrfmiddlewaretoken": token, **fields}
        return self.post(path, more, HTTP_ORIGIN=ORIGIN, HTTP_SEC_FETCH_SITE="same-origin")

    def takes(self, order_ref: str, why: str = "question", hours: str = "8") -> str:
        """The id of a job on an order's customer."""
        answer = self.posts("/desk/take", {"order": order_ref, "why": why, "hours": hours})
        assert answer.status_code == 303, answer.content.decode()
        return answer["Location"].rpartition("/")[2]
