"""Django's databases with a guard before every write: no card number passes, whoever wrote the statement (P1).

Forms refuse a card number with a sentence, and tickets mask it; this is what stands behind them, for what somebody
forgets there. It sees each statement with its values after all of Django, raw SQL too, and refuses by CardNumber.
Sealed values are ciphertext by then; `vault.fields.seal` asks before it seals.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from troth.pledge.policy import cards

_READS = ("SELECT", "PRAGMA", "SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT", "SHOW")


def guard(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Mapping[str, Any]) -> Any:
    """A wrapper of Django's for `execute`: passes the statement on if nothing in it looks like a card number."""
    if not str(sql).lstrip("( \n").upper().startswith(_READS):
        cards.refuse(str(sql))
        for value in _values(params):
            cards.refuse(value)
    return execute(sql, params, many, context)


def _values(given: Any) -> Iterator[Any]:
    """Every value of a statement: in rows of many, in the arrays of PostgreSQL's bulk inserts, in JSON."""
    if isinstance(given, Mapping):
        yield from _values(list(given.values()))
    elif isinstance(given, list | tuple):
        for each in given:
            yield from _values(each)
    elif (inside := getattr(given, "obj", None)) is not None:  # JSON as psycopg wraps it
        yield json.dumps(inside, ensure_ascii=False, default=str)
    else:
        yield given
