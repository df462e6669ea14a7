"""How mutants are planted: one attribute or one template changed for a while, in test mode only, and put back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.template import engines
from jinja2 import BaseLoader, Environment


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


class Edited(BaseLoader):
    """The loader it stands for, with one template changed. A loader of its own, because Jinja keeps compiled pages by
    loader: one that was being compiled when the mutant came cannot be taken for the changed one, nor the reverse."""

    def __init__(self, loader: BaseLoader, template: str, change: Callable[[str], str]) -> None:
        self._loader, self._template, self._change = loader, template, change

    def get_source(self, environment: Environment, template: str) -> Any:
        source, filename, fresh = self._loader.get_source(environment, template)
        return (self._change(source) if template.endswith(self._template) else source), filename, fresh


@contextmanager
def page_edited(template: str, change: Callable[[str], str]) -> Iterator[None]:
    """The source of one template is changed for a while, as a colleague would edit it."""
    _only_in_test_mode()
    environment: Environment = engines["jinja2"].env  # type: ignore[attr-defined]
    loader = environment.loader
    assert loader is not None
    environment.loader = Edited(loader, template, change)
    _made_anew()
    try:
        yield
    finally:
        environment.loader = loader
        _made_anew()


def _made_anew() -> None:
    """Pages that are kept in memory are out of date."""
    (settings.TROTH.home / "catalogue.stamp").touch()


def _only_in_test_mode() -> None:
    if settings.TROTH.live:
        raise NotHere
