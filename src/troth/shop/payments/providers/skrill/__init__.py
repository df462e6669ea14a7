"""Skrill Quick Checkout (Moneybookers, in the days of the promises): Skrill's own page, prepared server to server.

Source: docs.paysafe.com, digital wallets: Quick Checkout, "MD5 signature", "Merchant Query Interface".
"""

from troth.shop.payments.providers.skrill.client import Skrill
from troth.shop.payments.providers.skrill.settings import SkrillSettings

__all__ = ["Skrill", "SkrillSettings"]
