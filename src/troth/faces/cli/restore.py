"""`troth restore`: a working shop from sealed copies of the main database and of the keyring, in an empty folder.

Who was erased stays erased: the journal of erasures is applied to the keyring before it is written anywhere. What
cannot be vouched for is told, needs an option that says so, and stands in the shop until its owner acknowledges it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from troth import config
from troth.config import Config
from troth.faces.cli.bring_back import ask, django_of, empty_again, place_database, root_of, unpack
from troth.faces.cli.places import places
from troth.pledge.copies.reading import STAMP, read_keyring
from troth.pledge.copies.sealing import SealingError, identities
from troth.pledge.kms import RootKeyError

UNVOUCHED = "unvouched.json"  # in the shop's folder: what P16 cannot vouch for until the owner acknowledged it
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("main", type=FILE, required=False)
@click.argument("keyring", type=FILE, required=False)
@click.option("--identity", type=FILE, help="The file with your age identity.")
@click.option("--journal", type=FILE, help="The journal of erasures; else the one that lies beside KEYRING.")
@click.option("--without-journal", is_flag=True, help="Go on though nobody can tell who was erased since.")
@click.option("--older-keyring", is_flag=True, help="Go on though the keyring is older than the main database.")
@click.option("--acknowledge", is_flag=True, help="You know what a restore could not vouch for; P16 is told again.")
def restore(
    main: Path | None, keyring: Path | None, identity: Path | None, journal: Path | None,
    without_journal: bool, older_keyring: bool, acknowledge: bool,
) -> None:  # fmt: skip
    """Bring a shop back into TROTH_HOME, which must be empty, from the sealed copies MAIN and KEYRING."""
    if acknowledge:
        _acknowledge(config.home())
        return
    if main is None or keyring is None or identity is None:
        raise click.UsageError("name the copy of the main database, that of the keyring, and --identity FILE")
    try:
        for line in bring_back(main, keyring, identity, journal, config.home(), without_journal, older_keyring):
            print(line)
    except (SealingError, RootKeyError) as error:
        raise click.ClickException(f"{error}.") from None


def bring_back(
    main: Path, keyring: Path, identity: Path, journal: Path | None, home: Path, without_journal: bool, older: bool
) -> list[str]:
    """What was done, a line for each. SealingError, RootKeyError or ClickException; then `home` is as it was."""
    owner = identities(identity)
    found = journal or _beside(keyring)
    if found is None and not without_journal:
        raise click.ClickException(
            f"there is no journal of erasures beside {keyring.name}: who was erased after {_made(keyring)} could be "
            "read again, and nobody can vouch that they cannot. Name it with --journal, or say --without-journal."
        )
    told, packed = unpack(main, owner, home)
    try:
        place_database(told, packed)
        db = read_keyring(keyring, owner, places(told))
        with django_of(home):
            lines = _join(told, db, found, keyring, older)
    except BaseException:
        empty_again(told)
        raise
    return [f"The shop of {main.name} lies in {home}.", *lines, f"troth --home {home} serve opens it."]


def _join(told: Config, db: Any, journal: Path | None, keyring: Path, older: bool) -> list[str]:
    """Make keyring and main database fit each other, erase who was erased, and write the keyring down."""
    from troth.pledge.keeper.keeper import Keeper
    from troth.pledge.keeper.messages import Note
    from troth.pledge.vault.models import Person, Seen
    from troth.shop.journeys import restored

    kept = _journal(told, journal)
    seen = Seen.objects.filter(pk=1).first() or Seen(pk=1)
    keeper = Keeper(db, root_of(told, db), journal=kept, origin=told.ledger_origin)
    _same_shop(told, keeper)
    size = keeper.room.leaves.size
    if size < seen.ledger_size and not older:
        raise click.ClickException(
            f"the keyring is older than the main database: its ledger has {size} entries and {seen.ledger_size} were "
            "seen. Take a later copy of the keyring, or say --older-keyring: that notes the cut in public."
        )
    event: dict[str, str | int] = {"type": "restored", "entries": size, "seen": seen.ledger_size}
    event["journal"] = "applied" if journal else "missing"
    ask(keeper, Note(f"restored:{os.urandom(8).hex()}", event))
    # A blank that is nobody's here may have become somebody's later: the keyring knows more than this database.
    blanks, _ = Person.objects.filter(taken_at__isnull=True).delete()
    strangers = _forget_strangers(db, set(Person.objects.values_list("ref", flat=True)))
    if size < seen.ledger_size:
        Seen.objects.filter(pk=1).delete()
    _write(db, told.keyring)
    lines = [f"The keyring has keys for {keeper.room.persons.count()} persons; {blanks} blanks are made anew."]
    lines += [f"{strangers} persons came after the copy of the main database; their keys are deleted."] * bool(
        strangers
    )
    again = restored.erase_again(_erased(kept))
    lines += [f"{again} persons were erased since; what the main database holds of them goes as well."] * bool(again)
    if journal is None:
        lines.append(_unvouched(told.home, keyring))
    else:
        lines.append(f"The journal of erasures was applied: {_last(kept)}.")
    return lines


def _same_shop(told: Config, keeper: Any) -> None:
    public = told.home / "keeper.pub"
    if public.exists() and public.read_text("ascii").strip() != keeper.room.keys.verify_key.hex():
        raise click.ClickException(
            "the two copies are of different shops: the keyring did not sign these people's keys."
        )


def _forget_strangers(db: Any, known: set[str]) -> int:
    """Delete what the keyring holds of persons that the main database lacks. How many of them had an account."""
    from troth.pledge.keeper.messages import ref_name

    tables = [name for name in ("person", "credential", "ticket", "about", "restricted") if _has(db, name)]
    refs = [raw for (raw,) in db.execute("SELECT ref FROM person") if ref_name(raw) not in known]
    accounts = sum(1 for raw in refs if db.one("SELECT 1 FROM credential WHERE ref = ?", raw))
    with db.batch():
        for raw in refs:
            for table in reversed(tables):
                db.execute(f"DELETE FROM {table} WHERE ref = ?", (raw,))  # noqa: S608 - our own tables
    return accounts


def _has(db: Any, table: str) -> bool:
    return bool(db.one("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", table))


def _write(db: Any, path: Path) -> None:
    """Out of memory onto the disk: nothing of who was erased was ever there."""
    db.execute("VACUUM")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    target = sqlite3.connect(path)
    try:
        db.backup(target)
    except sqlite3.Error:
        raise click.ClickException(f"{path} cannot be written; is the disk full?") from None
    finally:
        target.close()


def _journal(told: Config, journal: Path | None) -> Path:
    """The shop's journal, joined with the one that was named: what either has is erased."""
    kept = told.journal
    lines = kept.read_text("ascii").splitlines() if kept.exists() else []
    lines += [line for line in (journal.read_text("ascii").splitlines() if journal else []) if line not in set(lines)]
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.writelines(f"{line}\n" for line in lines)
    return kept


def _beside(keyring: Path) -> Path | None:
    path = keyring.parent / "erasures"
    return path if path.is_file() else None


def _made(keyring: Path) -> str:
    stamp = STAMP.search(keyring.name)
    if stamp is None:
        return "the copy was made"
    return f"{datetime.strptime(stamp[0], '%Y%m%dT%H%M%SZ').replace(tzinfo=UTC):%d %B %Y, %H:%M} UTC"


def _erased(journal: Path) -> dict[str, bool]:
    """Reference -> whether tax law keeps something of theirs, by the last line about each."""
    rows = [line.split() for line in journal.read_text("ascii").splitlines()]
    return {row[0]: "tax" in row[2] for row in rows if len(row) == 3}


def _last(journal: Path) -> str:
    rows = [line.split() for line in journal.read_text("ascii").splitlines()]
    dates = [row[1] for row in rows if len(row) == 3]
    return f"{len(dates)} lines, the last of {max(dates)}" if dates else "nobody was erased"


def _unvouched(home: Path, keyring: Path) -> str:
    said = f"It cannot be vouched for that who was erased after {_made(keyring)} stays erased: there was no journal"
    (home / UNVOUCHED).write_text(json.dumps({"sentence": said}), "utf-8")
    return f"{said}. P16 is unknown until you say `troth restore --acknowledge`."


def _acknowledge(home: Path) -> None:
    if not (home / UNVOUCHED).exists():
        raise click.ClickException("there is nothing to acknowledge.")
    (home / UNVOUCHED).unlink()
    print("Acknowledged. Tell whoever asked to be erased since then to ask again: docs/operate/backup.md.")
