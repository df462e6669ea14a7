"""A product as search engines read it: schema.org Product in JSON-LD, and Open Graph. Data in the page, no request.

JSON-LD in a <script type="application/ld+json"> is a data block (HTML standard, 4.12.1): browsers never run it, so
that the policy against inline scripts does not concern it.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse

from troth.faces.storefront.assets import asset
from troth.shop.catalogue.shelf import Detail
from troth.shop.money import Money


def described(product: Detail, picture: str) -> dict[str, Any]:
    """schema.org: name, words, picture and an offer for each edition. `picture`: its path, or "" """
    site = settings.TROTH.web.public_url.rstrip("/")
    address = site + reverse("product", args=[product.slug])
    shop = settings.TROTH.shop
    told: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": product.name,
        "description": product.tagline,
        "url": address,
        "sku": product.slug,
        "image": site + (picture or asset("mark.svg")),
        "brand": {"@type": "Brand", "name": shop.name},
        "offers": [
            {
                "@type": "Offer",
                "name": offer.name,
                "price": str(Money(offer.minor, shop.currency).decimal()),
                "priceCurrency": shop.currency,
                "availability": "https://schema.org/InStock",
                "url": address,
                "seller": {"@type": "Organization", "name": shop.legal_name or shop.name},
            }
            for offer in product.offers
        ],
    }
    if product.releases:
        told["releaseDate"] = product.releases[0].released_on.isoformat()
    return told
