"""The texts of law as they lie in the shop's folder: `texts/<name>.md`, Markdown that begins with its title.

A text that holds a place like [[Replace me: the register]] is a draft: the owner has not finished it. A live shop does
not start with a draft of what it must have.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from troth.config import Config, ConfigError

REQUIRED = ("terms", "imprint")  # nobody sells for real without
USUAL = ("terms", "withdrawal", "imprint", "licence")  # in this order at the foot of each page, then all others
LONGEST = 200_000  # bytes
PLACE = re.compile(r"\[\[(.{1,200}?)\]\]", re.DOTALL)
_TITLE = re.compile(r"\A# +(\S[^\n]{0,119})\n")


class Text(msgspec.Struct, frozen=True):
    """One text. `version` is of what it says: twelve hexadecimal digits of its SHA-256."""

    name: str
    title: str
    body: str  # Markdown, below the title
    version: str

    @property
    def draft(self) -> bool:
        return PLACE.search(self.title + self.body) is not None

    @property
    def whole(self) -> str:
        return f"# {self.title}\n{self.body}"


def text_of(name: str, written: str) -> Text:
    """A text from its Markdown. ValueError, with what to do, where it has no title."""
    tidy = "\n".join(line.rstrip() for line in written.lstrip("\ufeff").splitlines()).strip() + "\n"
    found = _TITLE.match(tidy)
    if found is None:
        raise ValueError('must begin with its title: a line such as "# Terms"')
    return Text(name, found[1].strip(), tidy[found.end() :], hashlib.sha256(tidy.encode()).hexdigest()[:12])


def files(home: Path) -> list[Path]:
    """The texts that there are, the usual ones first."""
    return sorted((home / "texts").glob("*.md"), key=lambda path: place(path.stem))


def place(name: str) -> tuple[int, str]:
    """Where a text stands among the others."""
    return (USUAL.index(name) if name in USUAL else len(USUAL), name)


def read(path: Path) -> Text:
    """One file. ConfigError with a sentence that names it."""
    try:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", path.stem):
            raise ValueError("must have a name of small letters, digits and hyphens: it becomes part of an address")
        if path.stat().st_size > LONGEST:
            raise ValueError(f"is longer than {LONGEST} bytes; say it in fewer words, or in two texts")
        return text_of(path.stem, path.read_text("utf-8"))
    except ValueError as error:  # what is no UTF-8 is one, too
        why = "must be UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)
        raise ConfigError([f"{path} {why}."]) from None
    except OSError as error:
        raise ConfigError([f"{path} cannot be read: {error.strerror}; mend its permissions."]) from None


def unfinished(config: Config) -> Iterator[str]:
    """One sentence for each text that cannot be read, is required and missing, or is still a draft."""
    found = set()
    for path in files(config.home):
        found.add(path.stem)
        try:
            text = read(path)
        except ConfigError as error:
            yield from error.lines
            continue
        if place := PLACE.search(text.title + "\n" + text.body):
            yield f"{path} is still a draft: it says [[{' '.join(place[1].split())}]]; put your own words there."
    for name in REQUIRED:
        if name not in found:
            path = config.home / "texts" / f"{name}.md"
            yield f"{path} is missing: nobody sells for real without; `troth texts --write` makes a draft of it."


def refuse_unfinished(config: Config) -> None:
    """ConfigError where a text cannot be read; in a live shop also where one is missing or still a draft."""
    wrong = []
    for path in files(config.home):
        try:
            read(path)
        except ConfigError as error:
            wrong += error.lines
    if config.live:
        wrong = list(unfinished(config))
    if wrong:
        raise ConfigError(wrong)
