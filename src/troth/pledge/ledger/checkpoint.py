"""Checkpoints (C2SP tlog-checkpoint v1.0.0): origin, size and root of a log at a moment, signed as a note.

The origin is also the name of the key that signs, "<shop host>/ledger", and never used for a second log. There are no
extension lines. Two checkpoints of one size with different roots are a fork: the proof that somebody was lied to.
"""

import re
from dataclasses import dataclass

from troth.pledge.ledger import notes
from troth.pledge.ledger.tree import HASH, LedgerError, Tree

_BODY = re.compile(r"([^\s+]+)\n(0|[1-9][0-9]{0,18})\n(\S{44})\n")


class Fork(LedgerError):
    """Two histories are told: what was signed before is not a beginning of what is there now."""


class Behind(LedgerError):
    """The log is shorter than a checkpoint says it was: entries were cut off, or an old copy was restored."""


@dataclass(frozen=True, order=True)
class Checkpoint:
    """`size` leaves of the log `origin` have this Merkle tree hash, 32 bytes."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{notes.encode(self.root)}\n"


def write(tree: Tree, *keys: notes.SignKey) -> str:
    """A signed checkpoint of the tree as it is. The first key's name is the origin; others add their lines."""
    return notes.sign(str(Checkpoint(keys[0].name, tree.size, tree.root(tree.size))), *keys)


def read(text: str, *keys: notes.VerifyKey) -> Checkpoint:
    """The checkpoint, signed by a key that bears its origin as name. BadNote for anything else."""
    body, signers = notes.read(text, *keys)
    found = _BODY.fullmatch(body)
    if not found:
        raise notes.BadNote("this is no checkpoint: it needs three lines, origin, size and root")
    checkpoint = Checkpoint(found[1], int(found[2]), notes.decode(found[3]))
    if len(checkpoint.root) != HASH:
        raise notes.BadNote("this is no checkpoint: its root is not 32 bytes long")
    if checkpoint.origin not in {key.name for key in signers}:
        raise notes.BadNote(f"no trusted key of {checkpoint.origin} has signed this checkpoint")
    return checkpoint


def compare(one: Checkpoint, other: Checkpoint) -> None:
    """Fork if these two cannot both be true of one log."""
    if (one.origin, one.size) == (other.origin, other.size) and one.root != other.root:
        raise Fork(f"two checkpoints of {one.origin} at {one.size} entries have different roots: the log was forked")


def must_extend(tree: Tree, earlier: Checkpoint) -> None:
    """Behind or Fork unless `earlier` is a beginning of the tree."""
    if earlier.size > tree.size:
        raise Behind(
            f"a checkpoint knows {earlier.size} entries and the log has {tree.size}: "
            "its end was cut off, or an old copy was restored"
        )
    if tree.root(earlier.size) != earlier.root:
        raise Fork(f"the log is not the one whose first {earlier.size} entries were signed: it was rewritten")


def sign_next(tree: Tree, last: str | None, *keys: notes.SignKey) -> str:
    """The next checkpoint to issue after `last`, or `last` itself if nothing came since. Never signs a second history.

    BadNote if `last` is not ours, Behind or Fork if the tree does not extend it.
    """
    if last is None:
        return write(tree, *keys)
    earlier = read(last, *(key.verify_key for key in keys))
    if earlier.origin != keys[0].name:
        raise notes.BadNote(f"the last checkpoint is of {earlier.origin}, not of {keys[0].name}")
    must_extend(tree, earlier)
    return last if earlier.size == tree.size else write(tree, *keys)
