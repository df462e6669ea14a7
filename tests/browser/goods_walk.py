"""What an owner does with goods: a new version with an archive, released; a new product, priced, published; coupons,
numbers, reports."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser import steps

if TYPE_CHECKING:
    from tests.browser.test_desk import Colleague


def walk(owner: Colleague, folder: Path) -> None:
    releases(owner, packed(folder / "chime-clock.zip"))
    coupons(owner)
    numbers(owner)
    reports(owner)


def packed(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("chime-clock/README.md", "# Chime Clock\n" * 40)
        archive.writestr("chime-clock/src/Clock.php", "<?php // strikes the hour\n" * 200)
    return path


def sure(owner: Colleague) -> None:
    """The second factor once more, where it is asked for."""
    if "/desk/again" in owner.page.url:
        owner.types("Go on")


def releases(owner: Colleague, archive: Path) -> None:
    page, shop = owner.page, owner.demo.shop
    page.goto(f"{shop}/desk/products")
    owner.look("desk-products")
    steps.follow(page, "link", "Add a product")
    page.get_by_label("Name", exact=True).fill("Chime Clock")
    page.get_by_label("Address").fill("chime-clock")
    page.get_by_label("Price", exact=True).fill("39.00")
    steps.follow(page, "button", "Add it")
    page.get_by_label("Tagline").fill("Strikes the hour in the admin panel")
    page.get_by_label("Summary").fill("A small clock for long evenings.")
    page.get_by_label("Description").fill("# Why\n\nBecause time flies.\n\n- strikes the hour\n- rests at night")
    page.get_by_label("Works with").fill("PHP 8.2 and later")
    owner.look("desk-product-texts")
    steps.follow(page, "button", "Save, and see the page")
    owner.look("desk-product-preview")
    page.goto(f"{shop}/desk/products/chime-clock/edition")
    owner.look("desk-product-edition")
    page.goto(f"{shop}/desk/products/chime-clock/new-version")
    page.get_by_label("Version").fill("1.0.0")
    page.get_by_label("What is new").fill("The first one\nStrikes twelve at noon")
    page.get_by_label("Archive").set_input_files(archive)
    owner.look("desk-release-new")
    steps.follow(page, "button", "Upload and look into it")
    assert page.get_by_text("chime-clock/src/Clock.php").is_visible(), page.inner_text("main")
    owner.look("desk-release")
    steps.follow(page, "link", "Release it")
    sure(owner)
    steps.follow(page, "button", "Release 1.0.0")
    steps.follow(page, "link", "Publish")
    sure(owner)
    steps.follow(page, "button", "Publish")
    owner.look("desk-product")
    page.goto(f"{shop}/p/chime-clock")
    assert page.get_by_text("Strikes twelve at noon").is_visible()


def coupons(owner: Colleague) -> None:
    page, shop = owner.page, owner.demo.shop
    page.goto(f"{shop}/desk/coupons/new")
    sure(owner)
    page.get_by_label("Code").fill("twelve")
    page.get_by_label("Percent off").fill("12")
    owner.look("desk-coupon-new")
    steps.follow(page, "button", "Make it")
    steps.follow(page, "link", "All coupons")
    owner.look("desk-coupons")


def numbers(owner: Colleague) -> None:
    page, shop = owner.page, owner.demo.shop
    page.goto(f"{shop}/desk/policy")
    page.get_by_label("Another value of answer_days").fill("2")
    page.get_by_role("button", name="See what another answer_days would do").click()
    page.get_by_text("answer_days = 2").wait_for()
    owner.look("desk-policy")


def reports(owner: Colleague) -> None:
    page, shop = owner.page, owner.demo.shop
    for name in ("sales", "tax", "products", "refunds", "support"):
        page.goto(f"{shop}/desk/reports/{name}")
        owner.look(f"desk-report-{name}")
    page.goto(f"{shop}/desk/openings")
    owner.look("desk-openings")
