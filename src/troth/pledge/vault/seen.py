"""What the main side remembers of the keeper, shown at each greeting: so that neither can be rolled back unnoticed."""

from __future__ import annotations

from troth.pledge.vault.door import door
from troth.pledge.vault.models import Seen

ONE = 1


def compare() -> bool:
    """Greet the keeper with the most that was seen, and remember what it has now. False: it is behind, and closed.

    A keeper that has just started opens nothing before this. KeeperAway.
    """
    seen, _ = Seen.objects.get_or_create(pk=ONE)
    if door().greet(seen.ledger_size, seen.erased).behind:
        return False
    now = door().attest()
    # Two workers may write; neither may take back what the other saw.
    Seen.objects.filter(pk=ONE, ledger_size__lt=now.ledger_size).update(ledger_size=now.ledger_size)
    Seen.objects.filter(pk=ONE, erased__lt=now.erased).update(erased=now.erased)
    return True
