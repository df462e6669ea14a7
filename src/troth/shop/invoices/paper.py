"""An invoice on paper: a PDF (PDF/A-2a), byte for byte the same each time from the same texts and renderer.

Typst sets it with the fonts it brings along and those of `[tax] fonts`, none of the machine's; the time in the file is
the invoice's. The JSON of the texts is all that goes in.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path

import msgspec
import typst
from django.conf import settings

from troth.pledge import returning
from troth.shop.invoices.models import Invoice, Print
from troth.shop.invoices.snapshot import Altered
from troth.shop.invoices.words import Said

FORMS = Path(__file__).parent / "forms"
FONT = "Libertinus Serif"


class Unprintable(Exception):
    """No font at hand has all letters of a text. The page shows it; `[tax] fonts` can bring one."""


@cache
def _fonts(folder: str) -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, font_paths=[folder] if folder else [])


@cache
def _families(folder: str) -> tuple[str, ...]:
    """Ours first, then the others that are at hand."""
    return (FONT, *sorted(set(_fonts(folder).families()) - {FONT}))


def renderer() -> str:
    """What makes the bytes, besides form and texts: another renderer may make others."""
    return _renderer(settings.TROTH.tax.fonts)


@cache
def _renderer(folder: str) -> str:
    more = set(_families(folder)) - set(_families(""))
    return f"typst {version('typst')}" + (f" + {len(more)} fonts" if more else "")


def pdf(said: Said, form: int) -> bytes:
    """The document. Unprintable where a letter has no font; OSError where the form is not there."""
    folder = settings.TROTH.tax.fonts
    told = msgspec.json.encode({**msgspec.structs.asdict(said), "fonts": _families(folder)}).decode()
    source = (FORMS / f"{form}.typ").read_bytes()
    issued = datetime.fromisoformat(said.issued).replace(tzinfo=UTC)
    compiler = typst.Compiler(source, font_paths=_fonts(folder), ignore_system_fonts=True, sys_inputs={"said": told})
    try:
        made = compiler.compile(format="pdf", timestamp=int(issued.timestamp()), pdf_standards=["a-2a"])
    except typst.TypstError:
        made = None  # its text would show what could not be set: a name
    if not isinstance(made, bytes):
        raise Unprintable
    return made


def noted(invoice: Invoice, document: bytes) -> str:
    """The hash of a document, written down with its renderer. Altered if that renderer once made other bytes."""
    found = hashlib.sha256(document).hexdigest()
    first = returning.insert(Print, [Print(invoice=invoice, renderer=renderer(), sha256=found)])
    if not first and Print.objects.get(invoice=invoice, renderer=renderer()).sha256 != found:
        raise Altered
    return found
