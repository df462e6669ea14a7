"""Strict reading of what comes from outside: one meaning or none.

Two parsers that disagree about a doubled key are how a signed message gets a second meaning, so doubled keys,
broken UTF-8 and NaN are refused.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn
from urllib.parse import parse_qsl

from troth.shop.money import Money

LARGEST_MESSAGE = 256 * 1024  # bytes; the largest real webhook seen has about 10 kB
_CODE = re.compile(r"[A-Za-z0-9_.:/-]{1,127}")


def json_object(body: bytes) -> dict[str, object]:
    """Read a JSON object. Raises ValueError for anything else, doubled keys and NaN included."""
    try:
        read = json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(read, dict):
        raise ValueError("not an object")
    return read


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("doubled key")
    return read


def _no_constant(_: str) -> NoReturn:
    raise ValueError("not a JSON number")


def form(body: bytes) -> dict[str, str]:
    """Read an url-encoded form. Raises ValueError for doubled fields and what is no form.

    Its charset is not told, and Skrill passes on what buyers and banks typed: where it is not UTF-8 it is read as
    Latin-1, which has a character for each byte. What counts is ASCII, and the same in both.
    """
    body = body.strip().removesuffix(b"&")
    try:
        return _form(body, "utf-8")
    except UnicodeDecodeError:
        return _form(body, "latin-1")


def _form(body: bytes, charset: str) -> dict[str, str]:
    text = body.decode(charset)
    pairs = parse_qsl(
        text, keep_blank_values=True, strict_parsing=True, encoding=charset, errors="strict", max_num_fields=100
    )
    return {name: str(value) for name, value in _once([(name, value) for name, value in pairs]).items()}


def at(tree: object, *path: str | int) -> object:
    """Walk into parsed JSON; None where the way ends."""
    for step in path:
        if isinstance(step, str) and isinstance(tree, dict):
            tree = tree.get(step)
        elif isinstance(step, int) and isinstance(tree, list) and step < len(tree):
            tree = tree[step]
        else:
            return None
    return tree


def code(value: object) -> str:
    """The value if it is a short code or id, else "": free text, which may hold a person, never passes."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else ""


def money(value: object, currency: object) -> Money | None:
    """An amount as providers write it, or None where it is none that the shop takes."""
    if not isinstance(value, str) or not isinstance(currency, str):
        return None
    try:
        return Money.parse(value, currency.upper())
    except ValueError:
        return None
