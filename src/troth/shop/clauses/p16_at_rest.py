"""P16: it is protected offline as well: encrypted in the database, in files, in backups, with the keys apart."""

from __future__ import annotations

import json
import math
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import msgspec
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from troth import config
from troth.pledge.keeper import seals
from troth.pledge.policy.clause import Check, Clause, Finding, Mutant, State, broken, gap, holds, unknown
from troth.pledge.policy.probe import Probe, sealed_columns
from troth.pledge.vault.classes import Personal
from troth.shop.clauses import addresses_in_clear, forgotten, keyring, marker, mutations, separation

HEAD = bytes([seals.FORMAT])
HEAD_SIZE = seals.HEAD.size
HIGH = bytes(range(128, 256))
LEAST = HEAD_SIZE + 32 + 16  # head, encapsulated key, tag


def sealed_columns_hold_seals(probe: Probe) -> Iterator[Finding]:
    rows = 0
    for model, field in sealed_columns():
        raw = model._default_manager.filter(**{f"{field.name}__isnull": False}).values_list(field.name, flat=True)
        for value in raw.iterator(chunk_size=500):
            rows += 1
            if lies_open(bytes(value), field.personal):
                yield broken(f"{model._meta.db_table}.{field.column} holds something that is not sealed")
                break
    yield holds(f"{rows} sealed values in {len(list(sealed_columns()))} columns, all of them ciphertext")


def lies_open(value: bytes, record: type[Personal]) -> bool:
    """Whether a sealed column holds something else: what reads as the record it is for, or has the look of a text.

    Half of a ciphertext's bytes are above 127, hardly one of a text's: of 10^10 ciphertexts one strays as far.
    """
    body = value[HEAD_SIZE:]
    high = len(body) - len(body.translate(None, HIGH))
    return (
        not value.startswith(HEAD)
        or len(value) < LEAST
        or high < len(body) / 2 - 6.4 * math.sqrt(len(body)) / 2
        or _reads_as(body, record)
    )


def _reads_as(body: bytes, record: type[Personal]) -> bool:
    try:
        msgspec.msgpack.decode(body, type=record)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return True


def the_marker_customer_stands_nowhere(probe: Probe) -> Iterator[Finding]:
    left, traces = probe.marker(), marker.traces(probe)
    if left is None or traces is None:
        yield gap("no marker customer beside real providers; this is tried beside look-alikes and before each release")
        return
    if left.loose_cookies:
        yield broken(f"cookies that scripts of a page may read: {', '.join(sorted(left.loose_cookies))}")
    for hit in traces.of_person:
        yield broken(f"something about the marker customer stands in clear in {hit}")
    yield holds(f"{traces.searched}: nothing about the marker customer in any spelling, nor a plain hash")


def the_forgotten_stay_forgotten(probe: Probe) -> Iterator[Finding]:
    """Seal something to each of some erased persons, as if it had been theirs, and try to have it opened."""
    erased = forgotten.some(play=not probe.config.live)
    for purpose, how in forgotten.tries(erased):
        if how == "opened":
            yield broken(f"somebody who was forgotten can still be opened for {purpose!r}")
        elif how != "gone":
            yield unknown(f"whether the forgotten stay forgotten cannot be told now ({how})")
    if erased:
        yield holds(f"{len(erased)} of the forgotten tried for every purpose of the worker: nothing opens")
    else:
        yield holds("nobody was forgotten so far")


def keys_lie_apart(probe: Probe) -> Iterator[Finding]:
    root = probe.config.root_key
    if config.root_inside(probe.config):
        yield broken("the root key lies in the shop's folder: a copy of the folder opens everything")
    if separation.may_ask(root) and root.exists() and stat.S_IMODE(root.stat().st_mode) & 0o077:
        yield broken("the root key may be read by other users")
    yield holds("the root key lies outside the shop's folder")


def roles_are_kept_apart(probe: Probe) -> Iterator[Finding]:
    for role, how in separation.found(probe.config).items():
        if how == "none":
            yield gap(f"kept by our code, not by the operating system: one user runs everything ({role})")
        else:
            yield holds(f"the operating system refuses the keeper's files to the {role} process ({how})")


def a_restore_is_vouched_for(probe: Probe) -> Iterator[Finding]:
    told = probe.config.home / "unvouched.json"  # written by `troth restore`, removed by its owner's acknowledgement
    if told.exists():
        yield unknown(json.loads(told.read_text("utf-8"))["sentence"])
    yield holds("nothing was brought back from copies without the journal of erasures")


def _not_sealed(keys: object, place: object, value: bytes) -> bytes:
    return seals.HEAD.pack(seals.FORMAT, 1, 1) + value


def _key_in_the_folder() -> AbstractContextManager[None]:
    keeper = msgspec.structs.replace(settings.TROTH.keeper, root_key_file=str(settings.TROTH.home / "root.key"))
    return mutations.replaced(settings, "TROTH", msgspec.structs.replace(settings.TROTH, keeper=keeper))


@contextmanager
def _restored_unseen() -> Iterator[None]:
    """Somebody brought a copy back, and the journal of erasures was not at hand."""
    told = settings.TROTH.home / "unvouched.json"
    with mutations.replaced(settings, "TROTH", settings.TROTH):  # refuses outside test mode
        told.write_text(json.dumps({"sentence": "a copy was brought back without the journal"}))
        try:
            yield
        finally:
            told.unlink(missing_ok=True)


def _plain() -> AbstractContextManager[None]:
    from troth.pledge.vault import fields

    return mutations.replaced(fields, "seal_bytes", _not_sealed)


CLAUSE = Clause(
    id="P16",
    title=_("Encrypted at rest"),
    words=_("What you told us is protected offline as well: it lies encrypted, and the keys lie elsewhere."),
    stricter="",
    choices=((_("Be forgotten"), "/erase"),),
    enforced=(
        _("It is sealed as you type it; the web process holds no key that opens it."),
        _("Only the keeper opens it, for a purpose, and notes that first; it refuses where it cannot note."),
        _("Who is forgotten has their keys deleted; a keyring from an older backup has that done again."),
    ),
    checks=(
        Check("a marker customer stands nowhere in clear", "forensic", the_marker_customer_stands_nowhere),
        Check("no address stands in clear", "forensic", addresses_in_clear.no_address_stands_in_clear),
        Check("sealed columns hold ciphertext", "forensic", sealed_columns_hold_seals),
        Check("the forgotten stay forgotten", "synthetic", the_forgotten_stay_forgotten),
        Check("no incident is open", "runtime", keyring.nothing_happened_that_never_should),
        Check("the keyring continues what was seen of it", "runtime", keyring.it_continues),
        Check("what was brought back is vouched for", "static", a_restore_is_vouched_for),
        Check("keys lie apart from the data", "static", keys_lie_apart),
        Check("the processes are kept apart", "runtime", roles_are_kept_apart),
    ),
    by_people=_(
        "That nobody copies a root key kept in a file, the owner's age identity, or the key files of epochs of backups."
    ),
    mutants=(
        Mutant("sealing writes plaintext", _plain, turns=(sealed_columns_hold_seals,)),
        Mutant(
            "who asked is noted beside a provider's message",
            addresses_in_clear.noted_with_a_message,
            turns=(addresses_in_clear.no_address_stands_in_clear,),
        ),
        Mutant(
            "a file says from where somebody knocked",
            addresses_in_clear.left_in_a_file,
            turns=(addresses_in_clear.no_address_stands_in_clear,),
        ),
        Mutant(
            "an address in a session",
            lambda: marker.noted_beside("contact"),
            in_demo=False,
            turns=(the_marker_customer_stands_nowhere,),
        ),
        Mutant(
            "a plain hash of an address in a session",
            lambda: marker.noted_beside("hash"),
            in_demo=False,
            turns=(the_marker_customer_stands_nowhere,),
        ),
        Mutant(
            "a page's scripts may read the session's cookie",
            lambda: mutations.replaced(settings, "SESSION_COOKIE_HTTPONLY", False),
            in_demo=False,
            turns=(the_marker_customer_stands_nowhere,),
        ),
        Mutant(
            "forgetting deletes no keys",
            forgotten.kept_all_the_same,
            in_demo=False,
            turns=(the_forgotten_stay_forgotten,),
        ),
        Mutant("the root key beside the data", _key_in_the_folder, turns=(keys_lie_apart,)),
        Mutant(
            "a forged value is opened",
            keyring.forged,
            in_demo=False,
            turns=(keyring.nothing_happened_that_never_should,),
        ),
        Mutant("an older keyring put back", keyring.behind, in_demo=False, turns=(keyring.it_continues,)),
        Mutant(
            "a copy brought back without the journal",
            _restored_unseen,
            turns=(a_restore_is_vouched_for,),
            becomes=State.UNKNOWN,
        ),
        Mutant(
            "nobody noted how the processes are kept apart",
            separation.forgotten,
            in_demo=False,
            turns=(roles_are_kept_apart,),
            becomes=State.UNKNOWN,
        ),
    ),
)
