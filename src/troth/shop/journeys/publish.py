"""Publish the ledger: its new entries, tiles and signed checkpoint become files that anybody may fetch."""

from __future__ import annotations

import logging

from troth.pledge.due import loop as due
from troth.pledge.ledger.tree import LedgerError
from troth.pledge.vault import published
from troth.pledge.vault.door import KeeperAway

log = logging.getLogger("troth.publish")


def publish(subject: str, claim: due.Claim) -> None:
    """The errand. What contradicts what was published before is not published, and logged in a sentence."""
    try:
        published.publish()
    except KeeperAway:
        again = due.Again("keeper-away", 10)
    except LedgerError as error:
        log.error("the ledger is not published: %s", error)
        again = due.Again("ledger", 60)
    else:
        return
    raise again
