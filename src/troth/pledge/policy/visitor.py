"""A visitor without eyes: reads pages and fills forms by their labels and autocomplete tokens, as people's tools do.

Used by checks that must try a promise from outside, and by the demo. Speaks HTTP only; knows nothing of the shop's
code, so that it sees what a customer sees.
"""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx
import msgspec


class Field(msgspec.Struct):
    name: str
    kind: str
    value: str
    token: str  # autocomplete
    options: list[str] = []
    checked: bool = False


class Form(msgspec.Struct):
    action: str
    method: str
    fields: list[Field]
    buttons: list[tuple[str, str, str]]  # name, value, text


class Page(msgspec.Struct):
    url: str
    status: int
    headers: dict[str, str]
    body: bytes
    redirects: list[str] = []

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def forms(self) -> list[Form]:
        return _Reader.read(self).forms

    @property
    def links(self) -> list[tuple[str, str]]:
        """(address, text) of every link."""
        return _Reader.read(self).links

    @property
    def resources(self) -> list[tuple[str, str]]:
        """(tag, address) of everything that a browser would fetch by itself."""
        return _Reader.read(self).resources


class Stuck(Exception):
    """The page does not offer what the visitor looks for. Says which page and what, never what was typed."""


class Visitor:
    """One browser's worth of cookies. Follows redirects itself and notes them."""

    def __init__(self, base: str, client: httpx.Client | None = None) -> None:
        self.base = base.rstrip("/")
        self.seen: list[Page] = []  # every page of the shop that this visitor was shown
        self.browser = ""  # how it names itself (User-Agent)
        self.comes_from = ""  # an address that a trusted proxy would tell the shop; "": none is told
        self._http = client or httpx.Client(trust_env=False, timeout=20, follow_redirects=False)

    def close(self) -> None:
        self._http.close()

    @property
    def loose_cookies(self) -> set[str]:
        """Names of the cookies held now that a page's scripts may read."""
        return {one.name for one in self._http.cookies.jar if not one.has_nonstandard_attr("HttpOnly")}

    def get(self, path: str, headers: dict[str, str] | None = None) -> Page:
        return self._follow("GET", urljoin(self.base + "/", path), None, headers or {})

    def post(self, path: str, data: dict[str, str]) -> Page:
        """Post without a page and its token, as programs do that are no browsers."""
        return self._follow("POST", urljoin(self.base + "/", path), data, {})

    def submit(self, path: str, values: dict[str, str], form: str = "") -> Page:
        """Open `path`, fill its form and send it."""
        return self.send(self.get(path), values, form)

    def send(self, page: Page, values: dict[str, str], form: str = "") -> Page:
        """Send the form whose action or button contains `form` (default: the one that has most of the values).

        `values` are given by field name or by autocomplete token. Stuck if there is no such form or field.
        """
        chosen = self._choose(page, values, form)
        data = {field.name: field.value for field in chosen.fields if field.name and _is_sent(field)}
        for key, value in values.items():
            data[_named(chosen, key, page)] = value
        for name, value, text in chosen.buttons:
            if name and (not form or form.lower() in f"{value} {text}".lower()):
                data[name] = value
                break
        target = urljoin(page.url, chosen.action or page.url)
        own = "{0.scheme}://{0.netloc}".format(urlsplit(page.url))
        return self._follow(chosen.method, target, data, {"Origin": own, "Sec-Fetch-Site": "same-origin"})

    def _choose(self, page: Page, values: dict[str, str], form: str) -> Form:
        forms = page.forms
        if form:
            wanted = form.lower()
            forms = [
                one
                for one in forms
                if wanted in one.action.lower() or any(wanted in f"{b[1]} {b[2]}".lower() for b in one.buttons)
            ]
        known = [({field.name for field in one.fields} | {field.token for field in one.fields}, one) for one in forms]
        known.sort(key=lambda pair: len(pair[0] & values.keys()))
        if not known:
            raise Stuck(f"{urlsplit(page.url).path} has no form {form}".strip())
        return known[-1][1]

    def _follow(self, method: str, url: str, data: dict[str, str] | None, headers: dict[str, str]) -> Page:
        passed: list[str] = []
        for _ in range(10):
            told = headers | self._proxys_word(url)
            if method.upper() == "GET":
                answer = self._http.request("GET", url, params=data or None, headers=told)
            else:
                answer = self._http.request("POST", url, data=data, headers=told)
            if answer.status_code not in (301, 302, 303, 307):
                page = Page(str(answer.url), answer.status_code, dict(answer.headers), answer.content, passed)
                if page.url.startswith(self.base + "/"):
                    self.seen.append(page)
                return page
            method, data, headers = "GET", None, {}
            url = urljoin(url, answer.headers["location"])
            passed.append(url)
        raise Stuck("redirected round and round")

    def _proxys_word(self, url: str) -> dict[str, str]:
        """The address, and the browser's name, go to the shop alone, never to a provider's page."""
        if not url.startswith(self.base + "/"):
            return {}
        told = {"X-Forwarded-For": self.comes_from, "User-Agent": self.browser}
        return {name: value for name, value in told.items() if value}


def _is_sent(field: Field) -> bool:
    return field.kind not in ("checkbox", "radio", "submit", "button", "file") or field.checked


def _named(form: Form, key: str, page: Page) -> str:
    for field in form.fields:
        if key == field.name:
            return field.name
    for field in form.fields:
        if key in field.token.split():
            return field.name
    raise Stuck(f"{urlsplit(page.url).path} has no field {key}")


class _Reader(HTMLParser):
    """Collects forms, links and what a browser fetches by itself."""

    FETCHED = {
        "script": "src", "img": "src", "iframe": "src", "frame": "src", "embed": "src", "object": "data",
        "source": "src", "video": "src", "audio": "src", "link": "href", "image": "href", "use": "href",
    }  # fmt: skip
    PASSIVE_LINKS = {"canonical", "alternate", "next", "prev", "help", "license", "author", "privacy-policy"}

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.resources: list[tuple[str, str]] = []
        self._form: Form | None = None
        self._link: str | None = None
        self._button: tuple[str, str] | None = None
        self._words: list[str] = []
        self._style = False

    @classmethod
    def read(cls, page: Page) -> _Reader:
        reader = cls()
        reader.feed(page.text)
        return reader

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attributes}
        self._fetched(tag, of)
        if tag == "form":
            self._form = Form(of.get("action", ""), of.get("method", "get"), [], [])
            self.forms.append(self._form)
        elif tag in ("input", "textarea", "select") and self._form is not None:
            self._field(tag, of)
        elif tag == "option" and self._form is not None and self._form.fields:
            field = self._form.fields[-1]
            field.options.append(of.get("value", ""))
            if "selected" in of or len(field.options) == 1:  # the first stands where none was chosen
                field.value = of.get("value", "")
        elif tag == "button" and self._form is not None:
            self._button, self._words = (of.get("name", ""), of.get("value", "")), []
        elif tag == "a" and "href" in of:
            self._link, self._words = of["href"], []
        elif tag == "style":
            self._style = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "button" and self._button is not None and self._form is not None:
            self._form.buttons.append((*self._button, " ".join("".join(self._words).split())))
            self._button = None
        elif tag == "a" and self._link is not None:
            self.links.append((self._link, " ".join("".join(self._words).split())))
            self._link = None
        elif tag == "style":
            self._style = False

    def handle_data(self, data: str) -> None:
        self._words.append(data)
        if self._style:
            self.resources += [("style", part) for part in _urls(data)]

    def _field(self, tag: str, of: dict[str, str]) -> None:
        kind = of.get("type", "text") if tag == "input" else tag
        if kind == "submit" and self._form is not None:
            self._form.buttons.append((of.get("name", ""), of.get("value", ""), of.get("value", "")))
        elif self._form is not None:
            value = of.get("value", "on" if kind in ("checkbox", "radio") else "")
            self._form.fields.append(
                Field(of.get("name", ""), kind, value, of.get("autocomplete", ""), [], "checked" in of)
            )

    def _fetched(self, tag: str, of: dict[str, str]) -> None:
        self.resources += [("style", part) for part in _urls(of.get("style", ""))]
        for candidate in of.get("srcset", "").split(","):
            if candidate.strip():
                self.resources.append((tag, candidate.split()[0]))
        name = self.FETCHED.get(tag)
        if name and of.get(name) and not (tag == "link" and set(of.get("rel", "").split()) & self.PASSIVE_LINKS):
            self.resources.append((tag, of[name]))


def _urls(css: str) -> list[str]:
    """Addresses in a style: url(…) and @import."""
    found = []
    for part in css.replace("@import", "url(").split("url(")[1:]:
        address = part.split(")")[0].split(";")[0].strip().strip("\"'")
        if address:
            found.append(address)
    return found
