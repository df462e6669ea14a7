"""Backups: first the main database with the shop's files, then the keyring by the keeper, sealed, in places apart.

In this order, so that a keyring is never older than the main database of the same backup. A backup is named by when
it was begun (20261122T131500Z); made anew after a crash it is the same backup.
"""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

from django.conf import settings

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.vault.door import KeeperAway, KeeperRefused, door

COMMAND = [sys.executable, "-P", "-m", "troth.shop.journeys.main_copy"]
NAME = "%Y%m%dT%H%M%SZ"
STAMP = re.compile(r"\d{8}T\d{6}Z")
GLANCE = 0.5  # seconds between looks at a copy under way
EXTEND = 20.0  # seconds between claims that it is still ours


def last_backup_ends(now: datetime) -> date | None:
    """From which day on no backup of the keyring that was made until `now` can be read; None where none are made.

    That is when the epoch of `now` has ended (pledge/copies/epochs.py: days since 1970 by their length) and its key
    is destroyed, both in UTC.
    """
    told = settings.TROTH.backup
    if not told.recipients:
        return None
    today = now.astimezone(UTC).date()
    begun = (today - date(1970, 1, 1)).days % told.epoch_days
    return today + timedelta(days=told.epoch_days - begun + told.keep_days)


def begin() -> str:
    """Make a backup due now. Its name; the due row ("backup", name) is gone when it is made."""
    name = clock.now().astimezone(UTC).strftime(NAME)
    due.add("backup", name)
    return name


def backups(subject: str, claim: due.Claim) -> None:
    """The periodic errand: a backup where the newest is `[backup] every` hours old; and epochs that are over end."""
    told = settings.TROTH.backup
    if not told.recipients:
        return
    _of_keyring("")
    last = newest()
    if told.every and (last is None or clock.now() - last >= timedelta(hours=told.every)):
        begin()


def newest() -> datetime | None:
    """When the newest backup of the main database was begun."""
    found = [STAMP.search(path.name) for path in settings.TROTH.main_copies.glob("main-*.age")]
    names = [match[0] for match in found if match]
    return datetime.strptime(max(names), NAME).replace(tzinfo=UTC) if names else None


def backup(name: str, claim: due.Claim) -> None:
    """The errand: one backup. Raises due.Again, whose code says what is missing."""
    if not settings.TROTH.backup.recipients:
        raise due.Again("no recipients", give_up=True)
    if not (settings.TROTH.main_copies / f"main-{name}.age").exists():
        _of_main(name, claim)
    if not _of_keyring(name):
        raise due.Again("keyring under way", GLANCE, waits=True)


def _of_main(name: str, claim: due.Claim) -> None:
    """In a process of its own, which holds no lock of the shop's and needs none of its memory."""
    running = subprocess.Popen([*COMMAND, name], stdin=subprocess.DEVNULL)  # noqa: S603 - our own command
    try:
        while True:
            try:
                code = running.wait(EXTEND)
                break
            except subprocess.TimeoutExpired:
                if not claim.still_mine():
                    raise due.Again("lease lost", 0) from None
    finally:
        if running.poll() is None:
            running.terminate()
            running.wait()
    if code:
        raise due.Again("main database not copied")


def _of_keyring(name: str) -> bool:
    try:
        return door().copy(name)
    except KeeperAway:
        again = due.Again("keeper-away", 2)
    except KeeperRefused as refused:
        again = due.Again(f"keeper-{refused.code}")
    raise again
