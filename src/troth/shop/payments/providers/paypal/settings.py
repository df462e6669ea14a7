"""What the shop has to know of its PayPal account."""

from __future__ import annotations

import msgspec

from troth.shop.payments.providers.http import require_safe


class PayPalSettings(msgspec.Struct, frozen=True):
    """Settings of `[paypal]`. Raises ValueError in one clear sentence for what cannot work.

    `base_url` is https://api-m.paypal.com or https://api-m.sandbox.paypal.com; `cert_url_prefix` is where PayPal keeps
    the certificates it signs webhooks with. `ca_file` (PEM), where given, replaces the public roots for those
    certificates: this is how a look-alike is used, and whether it may be is for the configuration to say.
    """

    base_url: str
    client_id: str
    client_secret: str
    webhook_id: str
    cert_url_prefix: str = "https://api.paypal.com/v1/notifications/certs/"
    ca_file: str | None = None

    def __post_init__(self) -> None:
        require_safe(self.base_url, "paypal.base_url")
        require_safe(self.cert_url_prefix, "paypal.cert_url_prefix")
        for name in ("client_id", "client_secret", "webhook_id"):
            if not getattr(self, name).strip():
                raise ValueError(f"paypal.{name} must not be empty")

    def __repr__(self) -> str:
        return f"PayPalSettings(base_url={self.base_url!r})"  # the secret must not reach a log
