"""Whether anybody's address, of a mailbox or of a machine, stands in clear: in a live shop too, where no marker
customer is played. Told by shape (addresses.py); the owner's own addresses are theirs to publish."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from django.conf import settings

from troth.config import Config
from troth.pledge.policy import addresses
from troth.pledge.policy.clause import Finding, broken, holds
from troth.pledge.policy.probe import Probe
from troth.shop.clauses import mutations
from troth.shop.invoices.models import Invoice
from troth.shop.invoices.snapshot import Seller
from troth.shop.payments.models import ProviderEvent

# Where the owner's own words stand, which may name whom they like. The begin of a place -> why.
OWNERS = {
    "catalogue_": "what is sold, described by its maker",
    "texts_": "texts of law, with the shop's own address",
    "mailings_mailing.": "letters to many, written by the owner",
    "policy_version.": "the published policy",
    "payments_payment.payee": "the shop's own account at the provider, as it was then",
}
SNAPSHOTS = "invoices_invoice.snapshot"  # has the shop's own mailbox, as it was then
TEXTS = frozenset((".log", ".txt", ".json", ".csv", ".eml", ".html", ".tmp", ".env", ""))
LARGEST = 64 << 20  # bytes of a file that are read


class _Sold(msgspec.Struct):
    seller: Seller


def no_address_stands_in_clear(probe: Probe) -> Iterator[Finding]:
    read = probe.columns().addresses
    owners = set[str]().union(*(_in_file(path) for path in _settings(probe.config)))
    for place, found in read.items():
        if _is_owners(place):
            owners |= found
    for place, found in sorted(read.items()):
        strange = set() if _is_owners(place) else found - owners
        if strange and place == SNAPSHOTS:
            strange -= _sellers()
        if strange:
            yield broken(f"{place} holds what looks like the address of a mailbox or a machine")
    files = [path for path in probe.written() if _is_read(path, probe.config)]
    for path in files:
        if _in_file(path) - owners:
            yield broken(f"{path.relative_to(probe.config.home)} holds what looks like the address of one")
    yield holds(f"no address but the owner's own stands in any column, or in {len(files)} files that are texts")


def _settings(config: Config) -> list[Path]:
    """Where the shop's own addresses stand; in test mode what `troth sandbox` tells it as well: its account."""
    return [config.home / "troth.toml"] + ([] if config.live else [config.home / "run" / "sandbox.env"])


def _is_owners(place: str) -> bool:
    return place.startswith(tuple(OWNERS))


def _is_read(path: Path, config: Config) -> bool:
    """Texts of the program's own: not what the owner put there, nor what answers customers."""
    owners = path.relative_to(config.home).parts[0] in ("files", "media", "texts", "templates", "answers")
    lists = {config.home / name for name in (config.fraud.countries, config.fraud.anonymisers) if name}
    return not owners and path not in lists and path.suffix in TEXTS


def _in_file(path: Path) -> set[str]:
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST)
    except OSError:
        return set()  # gone meanwhile, or kept from this process
    return set(addresses.found(text)) if addresses.is_text(text) else set()


def _sellers() -> set[str]:
    snapshots = Invoice.objects.values_list("snapshot", flat=True).iterator(chunk_size=500)
    return {msgspec.json.decode(one, type=_Sold).seller.email.lower() for one in snapshots}


@contextmanager
def noted_with_a_message() -> Iterator[None]:
    """Mutant: who wrote is kept beside a provider's message, to be found again."""
    with mutations.replaced(settings, "TROTH", settings.TROTH):  # refuses outside test mode
        kept = {"note": "asked by ada.finch@mail.example"}
        row = ProviderEvent.objects.create(
            provider="skrill", event_id=secrets.token_hex(8), kind="test", verified=True, kept=kept
        )
        try:
            yield
        finally:
            row.delete()


@contextmanager
def left_in_a_file() -> Iterator[None]:
    """Mutant: a colleague looks for who knocks so often."""
    path = settings.TROTH.home / "run" / "knocks.txt"
    with mutations.replaced(settings, "TROTH", settings.TROTH):  # refuses outside test mode
        path.write_text("203.0.113.9 42\n")
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
