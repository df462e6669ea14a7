"""How often letters go to a mailbox that somebody else may have typed: so often an hour, and then no more.

Registering, asking and changing an address each have a letter sent to whatever mailbox stands in the form, each time
about another person, so that counting by person stops nothing. Only the worker, which opened the address to write to
it, can tell that they are one mailbox. It counts in memory alone, under a hash whose key is random and of this process:
nothing of it is kept, each worker counts for itself, and a worker that starts begins anew.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import unicodedata
from datetime import datetime, timedelta

from troth.pledge import clock

AN_HOUR = 5  # letters to one mailbox: nobody's is filled by others
HOUR = timedelta(hours=1)
CODE = "often"  # of a letter that was not sent for it
_key = secrets.token_bytes(32)
_lock = threading.Lock()
_sent: dict[bytes, dict[str, datetime]] = {}


def enough(mailbox: str, letter: str) -> bool:
    """Whether this mailbox had AN_HOUR other letters within the hour; else this one is counted. A letter that is tried
    again counts once. `letter`: its id."""
    since = clock.now() - HOUR
    with _lock:
        for name in [name for name, sent in _sent.items() if max(sent.values()) <= since]:
            del _sent[name]
        name = _named(mailbox)
        lately = {one: at for one, at in _sent.get(name, {}).items() if at > since}
        if letter not in lately and len(lately) >= AN_HOUR:
            return True
        _sent[name] = lately | {letter: clock.now()}
        return False


def forget() -> None:
    """Begin anew, as each test does."""
    with _lock:
        _sent.clear()


def _named(mailbox: str) -> bytes:
    """As the keeper reads mailboxes: in NFKC, whatever their case."""
    read = unicodedata.normalize("NFKC", mailbox).strip().casefold()
    return hashlib.blake2b(read.encode(), key=_key, digest_size=16).digest()
