"""What the shop has to know of its Skrill account."""

from __future__ import annotations

import msgspec

from troth.shop.payments.providers.http import require_safe


class SkrillSettings(msgspec.Struct, frozen=True):
    """Settings of `[skrill]`. Raises ValueError in one clear sentence for what cannot work.

    `secret_word` signs status posts: with an empty one anybody could sign them. `mqi_password` is the one for the
    Merchant Query Interface, not the login's.
    """

    merchant_id: str
    pay_to_email: str
    secret_word: str
    mqi_password: str
    pay_url: str = "https://pay.skrill.com"
    query_url: str = "https://www.skrill.com/app/query.pl"
    refund_url: str = "https://www.skrill.com/app/refund.pl"

    def __post_init__(self) -> None:
        for name in ("pay_url", "query_url", "refund_url"):
            require_safe(getattr(self, name), f"skrill.{name}")
        for name in ("merchant_id", "pay_to_email", "secret_word", "mqi_password"):
            if not getattr(self, name).strip():
                raise ValueError(f"skrill.{name} must not be empty")

    def __repr__(self) -> str:
        return f"SkrillSettings(merchant_id={self.merchant_id!r})"  # the secrets must not reach a log
