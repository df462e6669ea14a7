"""Versions of the policy: what is said now, what was said before, and what is different, word by word."""

from __future__ import annotations

import difflib
import hashlib
from typing import Any

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils import translation

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.keeper import policy
from troth.pledge.policy.models import Version
from troth.pledge.vault import outbox
from troth.shop.clauses import CLAUSES

Text = dict[str, Any]


def text() -> Text:
    """What is published: each clause in words, the numbers in them, and what may be opened for what."""
    with translation.override(settings.LANGUAGE_CODE):
        clauses = [
            {"id": one.id, "title": str(one.title), "words": str(one.words), "stricter": str(one.stricter)}
            for one in CLAUSES
        ]
    purposes: dict[str, list[str]] = {}
    for klass, purpose in sorted(policy.OPENS):
        purposes.setdefault(klass, []).append(purpose)
    return {"clauses": clauses, "numbers": msgspec.to_builtins(settings.TROTH.policy), "purposes": purposes}


def digest(said: Text) -> str:
    """SHA-256 of the text as canonical JSON."""
    return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()


def look() -> None:
    """Where what is said differs from the newest version, make a new one and have everybody told. Safe to repeat.

    The first version of a shop counts at once: there is nobody yet who read another.
    """
    said, now = text(), clock.now()
    newest = Version.objects.order_by("-made_at").first()
    if newest is not None and newest.digest == digest(said):
        return
    name = f"{now:%Y-%m-%d}-{digest(said)[:8]}"
    day = {"told_at": now, "takes_effect_at": now} if newest is None else {}
    with transaction.atomic():
        Version.objects.bulk_create(
            [Version(name=name, text=said, digest=digest(said), made_at=now, **day)], ignore_conflicts=True
        )
        outbox.note(f"policy-{name}", {"type": "policy", "version": name, "sha256": digest(said)})
        if newest is not None:
            due.add("policy-tell", name)


def kept() -> list[Version]:
    """All versions, the newest first."""
    return list(Version.objects.order_by("-made_at"))


def coming() -> Version | None:
    """The newest version, if it is not in force yet."""
    newest = Version.objects.order_by("-made_at").first()
    in_force = newest and newest.takes_effect_at and newest.takes_effect_at <= clock.now()
    return None if in_force else newest


def find(name: str) -> Version | None:
    return Version.objects.filter(pk=name).first()


def before(version: Version) -> Version | None:
    return Version.objects.filter(made_at__lt=version.made_at).order_by("-made_at").first()


class Change(msgspec.Struct, frozen=True):
    """`about`: a clause, a number or a class; `parts`: ("same" | "gone" | "new", words) in the order of reading."""

    about: str
    parts: list[tuple[str, str]]


def difference(old: Version | None, new: Version) -> list[Change]:
    """What is said differently, word by word."""
    was, now = _lines(old.text if old else {}), _lines(new.text)
    return [
        Change(about, _words(was.get(about, ""), now.get(about, "")))
        for about in dict.fromkeys([*now, *was])
        if was.get(about, "") != now.get(about, "")
    ]


def _lines(said: Text) -> dict[str, str]:
    lines = {one["id"]: f"{one['title']}. {one['words']} {one['stricter']}".strip() for one in said.get("clauses", ())}
    lines |= {name.replace("_", " "): str(number) for name, number in said.get("numbers", {}).items()}
    return lines | {klass: ", ".join(purposes) for klass, purposes in said.get("purposes", {}).items()}


def _words(old: str, new: str) -> list[tuple[str, str]]:
    was, now = old.split(), new.split()
    parts: list[tuple[str, str]] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(("same", " ".join(was[a:b])))
        else:
            parts += [(name, " ".join(some)) for name, some in (("gone", was[a:b]), ("new", now[c:d])) if some]
    return parts
