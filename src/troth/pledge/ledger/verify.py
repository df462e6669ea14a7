"""Checking a receipt offline, with nothing but the log's public key. docs/verify.md does the same without this code."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from troth.pledge.ledger import checkpoint, notes
from troth.pledge.ledger.paths import NotProven, check_inclusion
from troth.pledge.ledger.proof import Proof, Receipt
from troth.pledge.ledger.tree import leaf_hash

SALT_LENGTH = 32


@dataclass(frozen=True)
class Proven:
    """What a receipt shows: this entry stands at `index` in the signed log. `event`: what it says, in clear."""

    event: dict[str, Any]
    index: int
    checkpoint: checkpoint.Checkpoint


def verify(receipt: Receipt, *keys: notes.VerifyKey) -> Proven:
    """Check everything: key, signature, place in the tree, and that the event is the one the entry commits to.

    `keys` come from elsewhere than the receipt (the shop's page, an order's mail). LedgerError says what is wrong.
    """
    if receipt.key not in {str(key) for key in keys}:
        raise NotProven("the receipt names another key than the ones you trust")
    proof = Proof.read(receipt.proof)
    signed = checkpoint.read(proof.checkpoint, *keys)
    check_inclusion(leaf_hash(receipt.leaf), proof.index, signed.size, proof.path, signed.root)
    return Proven(_event(receipt), proof.index, signed)


def _event(receipt: Receipt) -> dict[str, Any]:
    leaf = _read(receipt.leaf, "leaf")
    if receipt.event is None and receipt.salt is None:
        if leaf.get("type") == "person":
            raise NotProven("this entry is about a person: without its event and salt it says nothing")
        return leaf
    if receipt.event is None or receipt.salt is None or len(receipt.salt) != SALT_LENGTH:
        raise NotProven("an event needs its salt of 32 bytes")
    commitment = notes.encode(hashlib.sha256(receipt.salt + receipt.event).digest())
    if leaf.get("type") != "person" or leaf.get("c") != commitment:
        raise NotProven("this event is not the one that the entry commits to")
    return _read(receipt.event, "event")


def _read(text: bytes, what: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:  # of JSON or of UTF-8
        found = None
    if not isinstance(found, dict):
        raise NotProven(f"the {what} is no JSON object")
    return found
