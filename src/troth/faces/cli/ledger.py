"""`troth ledger verify` and `troth ledger export`: read the whole ledger, and take it along."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from troth import config

if TYPE_CHECKING:
    from troth.pledge.ledger.checkpoint import Checkpoint
    from troth.pledge.ledger.notes import VerifyKey

PATIENCE = 60  # seconds without any progress until we say that nobody works
Progress = Callable[[int, int], None]


@click.group()
def ledger() -> None:
    """The ledger: every opening of a person's data, and what else the keeper noted."""


@ledger.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--from", "earlier", multiple=True, type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="A file with an earlier checkpoint (an order's letter has one); may be given again.")  # fmt: skip
@click.option("--key", help="The public key to trust; else that of the shop.")
def verify(folder: Path | None, earlier: tuple[Path, ...], key: str | None) -> None:
    """Read every entry against tree and checkpoints. FOLDER: an exported log; else this shop's, published and kept.

    Exit code 0: one history; 1: a contradiction, told in a sentence; 2: it could not be read.
    """
    from troth.pledge.ledger.tree import LedgerError

    trusted = _key(key)
    try:
        known = [_checkpoint(path, trusted) for path in earlier]
        found = _in_folder(folder or _published(), trusted, known)
    except LedgerError as error:
        found = [f"{error}."]
    if folder is None:
        found += [sentence for sentence in _in_keeper() if sentence not in found]
    for sentence in found:
        print(sentence)
    if not found:
        print("One history: entries, tree and checkpoints agree.")
    sys.exit(1 if found else 0)


@ledger.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def export(folder: Path) -> None:
    """Copy the published log to FOLDER, checking it on the way; done again it adds what is new."""
    from troth.pledge.ledger import checkpoint
    from troth.pledge.ledger.export import Folder
    from troth.pledge.ledger.export import export as write
    from troth.pledge.ledger.tree import LedgerError

    trusted, there = _key(None), _published()
    note = (there / "checkpoint").read_text("utf-8")
    try:
        size = checkpoint.read(note, trusted).size
        tiles = Folder(there, size)
        with _bar("Copying", size) as tell:

            def leaves(start: int, end: int) -> Iterator[tuple[int, bytes]]:
                tell(end, size)
                return tiles.leaves(start, end)

            files = write(folder, tiles, leaves, note, trusted)
    except LedgerError as error:
        raise click.ClickException(f"{error}.") from None
    print(f"{size} entries, {files} files written: {folder}")


def _key(text: str | None) -> VerifyKey:
    from troth.pledge.ledger.notes import VerifyKey
    from troth.pledge.ledger.tree import LedgerError

    try:
        return VerifyKey.read(text or (config.load().home / "ledger.pub").read_text("ascii").strip())
    except (OSError, LedgerError):
        raise click.ClickException("There is no key to trust: name it with --key, or start the shop once.") from None


def _published() -> Path:
    """Where this shop's log is published."""
    folder = config.load().home / "data" / "ledger"
    if not (folder / "checkpoint").exists():
        raise click.ClickException("Nothing is published yet: is the shop running? Start it with `troth serve`.")
    return folder


def _checkpoint(path: Path, trusted: VerifyKey) -> Checkpoint:
    """A checkpoint in a file, perhaps with other text around it, such as a whole letter."""
    from troth.pledge.ledger import checkpoint

    lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    starts = [at for at, line in enumerate(lines) if line == trusted.name]
    if not starts:
        raise click.UsageError(f"There is no checkpoint of {trusted.name} in {path}.")
    note = lines[starts[-1] : starts[-1] + 5]
    return checkpoint.read("\n".join(note) + "\n", trusted)


def _in_folder(folder: Path, trusted: VerifyKey, known: list[Checkpoint]) -> list[str]:
    from troth.pledge.ledger.audit import audit
    from troth.pledge.ledger.export import Folder, published

    signed = published(folder, trusted)
    if signed is None:
        raise click.ClickException(f"There is no checkpoint in {folder}.")
    files = Folder(folder, signed.size)
    with _bar("Reading", signed.size) as tell:
        return audit(files.entries(), files, [signed, *known], tell)


def _in_keeper() -> list[str]:
    """Have the running worker read the log as the keeper has it, and wait for what it found."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django

    django.setup()
    from troth.pledge.due import loop as due
    from troth.pledge.policy.models import Verdict
    from troth.shop.journeys import audit

    verdicts = Verdict.objects.filter(clause=audit.NAME).order_by("-pk")
    last = verdicts.values_list("pk", flat=True).first() or 0
    due.hasten("audit", "shop")
    moved, seen = time.monotonic(), ""
    with _bar("Asking the keeper", 1) as tell:
        while True:
            row = verdicts.filter(pk__gt=last).first()
            if row is not None:
                break
            told = _read(audit.progress_file())
            if told != seen:
                moved, seen = time.monotonic(), told
                done, _, of = told.partition(" ")
                tell(int(done or 0), int(of or 1))
            if time.monotonic() - moved > PATIENCE:
                print("The keeper's own copy was not read: is the shop running?", file=sys.stderr)
                sys.exit(2)
            time.sleep(0.2)
    return [finding["sentence"] for finding in row.findings if finding["state"] == "broken"]


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except FileNotFoundError:
        return ""


@contextmanager
def _bar(label: str, length: int) -> Iterator[Progress]:
    """A bar where a person looks; nothing where a program does."""
    with click.progressbar(length=max(1, length), label=label, file=sys.stderr) as bar:

        def tell(done: int, of: int) -> None:
            bar.length, bar.pos = max(1, of), done
            bar.update(0)

        yield tell
