"""The archive of an export: written as it is sent, file by file, so that a large one stands nowhere whole."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from html import escape
from typing import Any

import msgspec
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from troth.pledge.keeper.messages import Entry
from troth.pledge.vault import published
from troth.shop.journeys import export, export_files, who_looked
from troth.shop.journeys.export import Gathered

STYLE = (
    "body{font:16px/1.55 Georgia,serif;max-width:60em;margin:2em auto;padding:0 1em;color:#1d2925}"
    "table{border-collapse:collapse;width:100%;font:14px/1.45 system-ui,sans-serif;margin:.5em 0 1.5em}"
    "th,td{text-align:left;vertical-align:top;padding:.25em .6em;border-bottom:1px solid #ddd;overflow-wrap:anywhere}"
    "th{width:14em;font-weight:600}h2{margin-top:2em}.why{color:#5b635d}"
)
DAY_ZERO = (1980, 1, 1, 0, 0, 0)


def pieces(gathered: Gathered) -> Iterator[bytes]:
    """The zip, in pieces to send."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _files(gathered):
            archive.writestr(zipfile.ZipInfo(name, DAY_ZERO), content, zipfile.ZIP_DEFLATED, 6)
            yield sink.taken()
    yield sink.taken()


def _files(gathered: Gathered) -> Iterator[tuple[str, bytes]]:
    with translation.override(settings.LANGUAGE_CODE):
        yield "index.html", _page(gathered).encode()
    yield "data.json", msgspec.json.format(msgspec.json.encode(gathered.data), indent=1)
    yield "schema.json", msgspec.json.format(msgspec.json.encode(export.schema()), indent=1)
    yield from export_files.opened(gathered.data)
    yield "ledger/README.txt", _how_to_verify().encode()
    told = [(entry.seq, entry.leaf, entry.event, entry.salt) for entry in gathered.entries]
    for (seq, leaf, event, salt), receipt in zip(told, published.receipts(told), strict=True):
        files = receipt.files() if receipt else {"leaf.json": leaf, "event.json": event, "salt.bin": salt}
        for name, content in files.items():
            yield f"ledger/{seq:08}/{name}", content


def _how_to_verify() -> str:
    site = settings.TROTH.web.public_url.rstrip("/")
    return (
        "One folder for each entry of the ledger about you: its leaf, the event and the salt that it commits to, and\n"
        "its proof. How to check them with tools that are not ours stands at\n"
        f"{site}/ledger/verify\n"
        "A folder without a proof is of the last seconds: its entry was not published yet.\n"
    )


def _page(gathered: Gathered) -> str:
    data = gathered.data
    parts = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{_t(_("What we hold about you"))}</title>',
        f"<style>{STYLE}</style></head><body><h1>{_t(_('What we hold about you'))}</h1>",
        f"<p>{_t(data['by']['shop'])}, {_t(data['made_at'])}. "
        f"{_t(_('data.json has the same for programs, ledger/ the proofs.'))}</p>",
    ]
    for table in data["tables"]:
        if table["rows"]:
            parts.append(_section(table))
    empty = [table for table in data["tables"] if not table["rows"]]
    parts.append(f"<h2>{_t(_('Where nothing of yours is'))}</h2><ul>")
    parts += [f"<li>{_t(table['table'])}: {_t(table['why'])}</li>" for table in empty]
    parts.append(f"</ul><h2>{_t(_('Who gets something of it'))}</h2>{_facts(data['recipients'])}")
    parts.append(f"<h2>{_t(_('What is not in here'))}</h2>{_facts(data['not_held_here'] | data['not_by_person'])}")
    parts.append(f"<h2>{_t(_('Who looked at your data'))}</h2><table>")
    parts += [_look(entry) for entry in gathered.entries]
    return "".join([*parts, "</table></body></html>"])


def _section(table: dict[str, Any]) -> str:
    why = str(table["why"])
    head = f"<h2>{_t(why[:1].upper() + why[1:])}</h2><p class=why>{_t(table['table'])}. "
    head += f"{_t(_('When you are forgotten:'))} "
    purposes = {name: ", ".join(one["opened_only_for"]) for name, one in table["sealed"].items()}
    sealed = "; ".join(f"{name}: {_('opened only for')} {told}" for name, told in purposes.items())
    head += f"{_t(table['when_forgotten'])}. {_t(_('Kept:'))} {_t(table['ends'])}. {_t(sealed)}</p>"
    return head + "".join(_facts(row) for row in table["rows"])


def _facts(row: dict[str, Any]) -> str:
    lines = "".join(f"<tr><th>{_t(name)}</th><td>{_value(value)}</td></tr>" for name, value in row.items())
    return f"<table>{lines}</table>"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "<br>".join(f"{_t(name)}: {_value(inner)}" for name, inner in value.items())
    return "" if value is None else _t(value)


def _look(entry: Entry) -> str:
    look = who_looked.in_words(entry)
    what = ", ".join(str(one) for one in look.what)
    cells = (look.at.isoformat(timespec="seconds"), look.did, what, look.purpose, look.role, look.job, look.seq)
    return f"<tr>{''.join(f'<td>{_t(cell)}</td>' for cell in cells)}</tr>"


def _t(text: object) -> str:
    return escape(str(text))


class _Sink(io.RawIOBase):
    """Where the zip is written, and taken away piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self._pieces.append(bytes(piece))
        self._at += len(self._pieces[-1])
        return len(self._pieces[-1])

    def tell(self) -> int:
        return self._at

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
