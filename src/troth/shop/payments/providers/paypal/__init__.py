"""PayPal: Orders v2 on PayPal's own page, captures, and webhooks verified here rather than by asking PayPal.

Source: PayPal's OpenAPI files (checkout_orders_v2, payments_payment_v2, notifications_webhooks_v1) and the pages
"REST APIs: authentication", "Idempotency" and "Webhooks: REST" of developer.paypal.com.
"""

from troth.shop.payments.providers.paypal.client import PayPal
from troth.shop.payments.providers.paypal.settings import PayPalSettings

__all__ = ["PayPal", "PayPalSettings"]
