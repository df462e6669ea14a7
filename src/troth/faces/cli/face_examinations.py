"""What `troth doctor` looks at of the shop's own face: texts of law, logo."""

from __future__ import annotations

from collections.abc import Iterator

from troth.config import Config
from troth.faces.cli.examinations import Seen
from troth.faces.storefront import drawing
from troth.law_texts import files, unfinished


def texts(config: Config) -> Iterator[Seen]:
    """Terms, imprint and the like: complete, or what is left to do. A shop in test mode may begin with drafts."""
    left = list(unfinished(config))
    for line in left:
        what, _, mend = line.rstrip(".").rpartition("; ")
        yield Seen("wrong" if config.live else "note", f"{what}.", f"{mend[:1].upper()}{mend[1:]}." if mend else "")
    if not left:
        yield Seen("ok", f"{len(files(config.home))} texts of law are complete.")


def logo(config: Config) -> Iterator[Seen]:
    """The pictures that [shop] names."""
    for line in drawing.unusable(config):
        yield Seen("wrong", line, "Mend the file or the setting; the web process does not start until then.")
