"""What the main side remembers of the keeper, shown at each greeting: so that neither can be rolled back unnoticed."""

from __future__ import annotations

from django.conf import settings

from troth.pledge.ledger import checkpoint
from troth.pledge.ledger.notes import VerifyKey
from troth.pledge.ledger.tree import LedgerError
from troth.pledge.vault.door import door
from troth.pledge.vault.models import Seen

ONE = 1


def verify_key() -> VerifyKey:
    """The key that signs the ledger's checkpoints, from the shop's folder. FileNotFoundError before the first start."""
    return VerifyKey.read((settings.TROTH.home / "ledger.pub").read_text("ascii").strip())


def compare() -> bool:
    """Greet the keeper with the most that was seen, and remember what it has now. False: it opens nothing, and
    `Seen.trouble` says why: leaves or erasures that were seen are gone, or another history is told.

    A keeper that has just started opens nothing before this. KeeperAway.
    """
    seen, _ = Seen.objects.get_or_create(pk=ONE)
    trouble = door().greet(seen.checkpoint, seen.erased).behind or _remember(seen)
    if trouble != seen.trouble:
        Seen.objects.filter(pk=ONE).update(trouble=trouble)
    return not trouble


def trouble() -> str:
    """Why the keeper opens nothing, as the worker last heard it; "" if all is well."""
    return Seen.objects.filter(pk=ONE).values_list("trouble", flat=True).first() or ""


def incidents() -> dict[str, int]:
    """What happened in the keeper that never should, and how often, as far as the owner has not acknowledged it."""
    return dict(Seen.objects.filter(pk=ONE).values_list("incidents", flat=True).first() or {})


def latest() -> str:
    """The newest checkpoint that the main side knows: printed in letters, so that customers keep it. "" at first."""
    return Seen.objects.filter(pk=ONE).values_list("checkpoint", flat=True).first() or ""


def _remember(seen: Seen) -> str:
    """Keep the keeper's checkpoint and count of erasures. What is wrong with them, if anything."""
    told, attested = door().checkpoint(), door().attest()
    if attested.incidents != seen.incidents:
        Seen.objects.filter(pk=ONE).update(incidents=attested.incidents)
    try:
        now = checkpoint.read(told.note, verify_key())
        if seen.checkpoint:
            checkpoint.compare(checkpoint.read(seen.checkpoint, verify_key()), now)
    except LedgerError as error:
        return str(error)
    # Two workers may write; neither may take back what the other saw.
    newer = Seen.objects.filter(pk=ONE, ledger_size__lt=now.size)
    newer.update(ledger_size=now.size, checkpoint=told.note)
    Seen.objects.filter(pk=ONE, erased__lt=attested.erased).update(erased=attested.erased)
    return ""
