"""Skrill's two MD5 signatures. MD5 is Skrill's choice; what it does not cover is compared by us.

Both are plain concatenations, so a digit could wander from one field to the next: who verifies must also hold each
field to its shape (`status.read_status`).

>>> md5sig("4637827", "5585262", inner("Answer One"), "9.99", "EUR", "2")
'CF9DCA614656D19772ECAB978A56866D'
>>> msid("123456", "A205220", "F76538E261E8009140AF89E001341F17")
'730743ed4ef7ec631155f5e15d2f4fa0'
"""

from __future__ import annotations

import hashlib
import hmac


def inner(secret_word: str) -> str:
    """The form in which the secret word enters the signatures: upper-case MD5."""
    return _md5(secret_word).upper()


def md5sig(merchant_id: str, transaction_id: str, secret: str, mb_amount: str, mb_currency: str, status: str) -> str:
    """The signature of a status post, over the fields exactly as posted; `secret` is `inner` of the secret word."""
    return _md5(merchant_id + transaction_id + secret + mb_amount + mb_currency + status).upper()


def msid(merchant_id: str, transaction_id: str, secret: str) -> str:
    """What the secure return address carries. It holds neither state nor amount: only that the page was left."""
    return _md5(merchant_id + transaction_id + secret)


def mqi_password(password: str) -> str:
    """The form in which the query interface wants the password."""
    return _md5(password)


def same(one: str, other: str) -> bool:
    """Compare signatures in constant time, whatever characters the stranger sent."""
    return hmac.compare_digest(one.encode(), other.encode())


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
