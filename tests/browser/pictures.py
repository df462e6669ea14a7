"""Pictures of the pages that people ask about first: in docs/screens where TROTH_SCREENS=1, else nobody keeps them."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page

LOOKS = ("light", "dark")
WIDTHS = {"wide": 1280, "narrow": 390}
TALLEST = 2400  # of a picture; below it there is nothing to be seen that was not above
ONE_SCREEN = {"shelf": 1060, "product": 1060, "privacy": 1060, "mailbox": 900}  # where wide: as they open
ONE_SCREEN |= {"quince-shelf": 1060, "quince-product": 1060, "account-privacy": 1500}
KEPT = (
    "shelf", "product", "basket", "checkout", "checkout-errors", "checkout-known", "pay-paypal", "pay-skrill",
    "order-open", "order-paid", "register", "sign-in", "account", "account-privacy", "privacy", "error", "mailbox",
    "letter",
)  # fmt: skip
SCREENS = Path(__file__).parents[2] / "docs/screens"


def folder(otherwise: Path) -> Path:
    kept = SCREENS if os.environ.get("TROTH_SCREENS") == "1" else otherwise
    kept.mkdir(parents=True, exist_ok=True)
    return kept


def take(page: Page, where: Path, name: str) -> list[Path]:
    """One in each width and look."""
    made = []
    for width, pixels in WIDTHS.items():
        page.set_viewport_size({"width": pixels, "height": 900})
        height = int(page.evaluate("document.documentElement.scrollHeight"))
        height = min(height, ONE_SCREEN.get(name, TALLEST) if width == "wide" else TALLEST)
        page.set_viewport_size({"width": pixels, "height": max(height, 700)})
        for look in LOOKS:
            page.emulate_media(color_scheme=look)
            made.append(where / f"{name}-{width}-{look}.png")
            page.screenshot(path=made[-1])
    page.set_viewport_size({"width": 1280, "height": 900})
    return made
