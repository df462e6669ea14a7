"""Templates of the owner: `templates/storefront/….html` and `templates/letters/…` in the shop's folder win over ours.

They are as much code as ours are: escaped by themselves, not shut in. `{% extends "shipped/storefront/base.html" %}`
takes our own. What can be known beforehand is one sentence before the shop starts: what cannot be read, a template or
a filter that there is not, a name that the page is not given. What shows only with data (an attribute that is not
there) is noted, and the page is made from our own template instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, TemplateError, TemplateNotFound, TemplateSyntaxError, meta

FOLDER = "templates"
OURS = Path(__file__).parent / "jinja2"
GIVEN = frozenset({"request", "csrf_input", "csrf_token"})  # to every page, by Django
# What a template can come to with data that nobody tried it with.
FAULTS = (TemplateError, TypeError, ValueError, AttributeError, LookupError, ArithmeticError)


def files(home: Path) -> list[Path]:
    """The owner's templates."""
    return sorted(path for path in (home / FOLDER).rglob("*") if path.is_file())


@cache
def any_of(home: Path) -> bool:
    """Whether there are any. Asked once a process."""
    return bool(files(home))


def unusable(home: Path, pages: Environment, letters: Environment, our_letters: Path) -> Iterator[str]:
    """One sentence for each fault of the owner's templates, of pages and of letters."""
    for path in files(home):
        parts = path.relative_to(home / FOLDER).parts
        of_letters = parts[0] == "letters"
        name = "/".join(parts[1:] if of_letters else parts)
        found = _faults(name, letters, our_letters) if of_letters else _faults(name, pages, OURS)
        yield from (f"{path} {why}" for why in found)


def _faults(name: str, environment: Environment, ours: Path) -> Iterator[str]:
    assert environment.loader is not None
    try:
        source, _file, _fresh = environment.loader.get_source(environment, name)
        environment.compile(source, name)
        tree = environment.parse(source, name)
    except TemplateError as error:
        line = f", line {error.lineno}" if isinstance(error, TemplateSyntaxError) else ""
        yield f"cannot be used{line}: {error.message}; mend it, or take the file away."
        return
    except UnicodeDecodeError:
        yield "cannot be used: it must be UTF-8 text."
        return
    for other in meta.find_referenced_templates(tree):
        if other is not None:
            try:
                environment.loader.get_source(environment, other)
            except TemplateNotFound:
                yield f"takes {other}, which there is not; mend the name."
    known = _names(name, environment, ours)
    for wrong in sorted(meta.find_undeclared_variables(tree) - known):
        yield f"uses {wrong}, which this page is not given; mend the name, or say {{% set {wrong} = … %}} first."


def _names(name: str, environment: Environment, ours: Path) -> set[str]:
    """What a template may use: what ours of the same name does, or any of ours where ours has none of this name."""
    mine = FileSystemLoader(ours)
    same = [name] if name in mine.list_templates() else mine.list_templates()
    found = set(environment.globals) | GIVEN
    for one in same:
        found |= meta.find_undeclared_variables(environment.parse(mine.get_source(environment, one)[0]))
    return found
