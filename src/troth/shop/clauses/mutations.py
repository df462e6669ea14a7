"""How mutants are planted: one attribute or one template changed for a while, in test mode only, and put back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.template import engines


class NotHere(Exception):
    """Mutants are for test mode."""


@contextmanager
def replaced(owner: Any, name: str, other: Any) -> Iterator[None]:
    """`owner.name` is `other` for a while."""
    _only_in_test_mode()
    before = getattr(owner, name)
    setattr(owner, name, other)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextmanager
def added(table: dict[Any, Any], key: Any, value: Any) -> Iterator[None]:
    """A table has one row too many for a while."""
    _only_in_test_mode()
    table[key] = value
    try:
        yield
    finally:
        del table[key]


@contextmanager
def page_edited(template: str, change: Callable[[str], str]) -> Iterator[None]:
    """The source of one template is changed for a while, as a colleague would edit it."""
    _only_in_test_mode()
    environment: Any = engines["jinja2"].env  # type: ignore[attr-defined]
    loader, get_source = environment.loader, environment.loader.get_source

    def edited(env: Any, name: str) -> Any:
        source, filename, fresh = get_source(env, name)
        return (change(source) if name.endswith(template) else source), filename, fresh

    loader.get_source = edited
    _recompile(environment)
    try:
        yield
    finally:
        loader.get_source = get_source
        _recompile(environment)


def _recompile(environment: Any) -> None:
    environment.cache.clear()
    stamp = settings.TROTH.home / "catalogue.stamp"  # pages that are kept in memory are made anew
    stamp.touch()


def _only_in_test_mode() -> None:
    if settings.TROTH.live:
        raise NotHere
