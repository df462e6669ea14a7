"""The map names every package; that what it names exists is tested with the other documents."""

from pathlib import Path

from tests.shape.test_docs import CODE
from tests.shape.tree import ROOT, tracked


def packages() -> list[str]:
    """Every package of ours, as a path under src/troth; migrations go without saying."""
    base = Path("src/troth")
    folders = {path.parent for path in tracked() if path.name == "__init__.py" and path.is_relative_to(base)}
    return sorted(str(folder.relative_to(base)) for folder in folders - {base} if folder.name != "migrations")


def test_the_map_names_every_package():
    words = set(CODE.findall((ROOT / "docs/map.md").read_text("utf-8")))
    named = {word.removeprefix("src/troth/").rstrip("/") for word in words}
    assert [package for package in packages() if package not in named] == []


def test_packages_are_found():
    assert {"pledge/keeper", "shop/payments/providers/paypal"} <= set(packages())
    assert "pledge/vault/migrations" not in packages()
