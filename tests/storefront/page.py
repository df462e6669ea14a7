"""Reads a page as browsers and screen readers do, and says what is wrong with it."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "path", "circle", "rect", "source"}


class Page(HTMLParser):
    """A parsed page: its elements, forms with their fields, the text, and the faults found on the way."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.forms: list[dict[str, str]] = []
        self.actions: list[str] = []
        self.words: list[str] = []
        self.faults: list[str] = []
        self._open: list[str] = []
        self._label_depth = 0
        self.in_label: set[int] = set()
        self.feed(html)
        self.close()
        self._look()

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if len(given) != len(attrs):
            self.faults.append(f"<{tag}> has an attribute twice")
        if tag == "label":
            self._label_depth += 1
        if tag == "form":
            self.forms.append({})
            self.actions.append(given.get("action", ""))
        if self._label_depth and tag in ("input", "select", "textarea"):
            self.in_label.add(len(self.elements))
        self._field(tag, given)
        self.elements.append((tag, given))
        if tag not in VOID:
            self._open.append(tag)

    def _field(self, tag: str, given: dict[str, str]) -> None:
        name = given.get("name")
        if not self.forms or not name or tag not in ("input", "select"):
            return
        ticked = given.get("type") not in ("radio", "checkbox") or "checked" in given
        self.forms[-1].setdefault(name, given.get("value", "") if ticked else "")
        if ticked:
            self.forms[-1][name] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "label":
            self._label_depth -= 1
        if tag in VOID:
            return
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> closes what is not open")

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [given for name, given in self.elements if name == tag]

    def form(self, action: str) -> dict[str, str]:
        """The fields of the form with this action, as a browser would send them untouched."""
        return dict(self.forms[self.actions.index(action)])

    def _look(self) -> None:
        if self._open:
            self.faults.append(f"left open: {self._open}")
        if len(self.all("h1")) != 1:
            self.faults.append(f"{len(self.all('h1'))} h1")
        ids = Counter(given["id"] for _, given in self.elements if "id" in given)
        self.faults += [f"id {name} stands {count} times" for name, count in ids.items() if count > 1]
        for tag in ("main", "header", "footer", "title"):
            if len(self.all(tag)) != 1:
                self.faults.append(f"{len(self.all(tag))} {tag}")
        labelled = {given.get("for") for given in self.all("label")}
        for number, (tag, given) in enumerate(self.elements):
            self._one(number, tag, given, set(ids), labelled)

    def _one(self, number: int, tag: str, given: dict[str, str], ids: set[str], labelled: set[str | None]) -> None:
        if "style" in given or any(name.startswith("on") for name in given):
            self.faults.append(f"<{tag}> carries style or script")
        data = tag == "script" and given.get("type") == "application/ld+json"  # browsers run none of it
        of_passkeys = tag == "script" and given.get("src", "").startswith("/static/passkeys.")
        if tag in ("script", "style", "iframe", "object") and not of_passkeys and not data:
            self.faults.append(f"<{tag}> on the page")
        said = tag == "link" and given.get("rel") == "canonical"  # whose address must be whole, and is not fetched
        for name in ("src", "href", "action") if not said else ():
            if given.get(name, "/").split(":")[0] in ("http", "https") or given.get(name, "/").startswith("//"):
                self.faults.append(f"<{tag} {name}> leads elsewhere")
        for name in ("aria-describedby", "aria-labelledby"):
            self.faults += [f"{name} names {one}" for one in given.get(name, "").split() if one not in ids]
        asked = tag in ("input", "select") and given.get("type") != "hidden"
        if asked and given.get("id") not in labelled and number not in self.in_label:
            self.faults.append(f"{given.get('name')} has no label")
        if tag == "img" and "alt" not in given:
            self.faults.append("img without alt")
        if tag == "a" and given.get("href", "").startswith("#") and given["href"][1:] not in ids:
            self.faults.append(f"link to {given['href']}")


def read(response: object) -> Page:
    return Page(response.content.decode())  # type: ignore[attr-defined]
