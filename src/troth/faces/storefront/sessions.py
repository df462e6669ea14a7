"""Django's sessions in a table of our own, for keys of their own shape alone.

A cookie may hold anything, a quoted NUL too, which PostgreSQL does not take as text: what cannot be one of our keys is
looked up nowhere and counts as no session. The table has hashes of keys, and whose session it is.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from django.contrib.sessions.backends import db
from django.utils import timezone

from troth.pledge.prepared import Prepared, moment
from troth.shop.accounts.models import Session

KEY = re.compile(r"[a-z0-9]{32}")  # as SessionBase.get_new_session_key makes them

_found: Prepared[tuple[str, int | None]] = Prepared(
    lambda key, now: Session.objects.filter(pk=key, expire_date__gt=moment(now)).values_list(
        "session_data", "account__epoch"
    ),
    gaps=2,
)


class SessionStore(db.SessionStore):
    epoch_now: int | None = None  # of the account whose session it is, as it was loaded or begun

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def load(self) -> dict[str, Any]:
        """Each page of somebody who is signed in asks for it, and for the epoch of their account with it."""
        found = _found.first(stored(self.session_key), timezone.now()) if self.session_key else None
        if found is None:
            self._session_key = None
            return {}
        data, self.epoch_now = found
        return dict(self.decode(data))

    def exists(self, session_key: str) -> bool:
        return Session.objects.filter(pk=stored(session_key)).exists()

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row = super().create_model_instance(data)
        assert isinstance(row, Session)
        row.session_key, row.account_id = stored(row.session_key), data.get("person")
        return row

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            Session.objects.filter(pk=stored(key)).delete()

    def _validate_session_key(self, key: Any) -> bool:
        return isinstance(key, str) and KEY.fullmatch(key) is not None


def stored(key: str) -> str:
    """What the table has of a key: 160 bits of its SHA-256."""
    return hashlib.sha256(key.encode()).hexdigest()[:40]
