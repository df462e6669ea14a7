"""P4: registering takes name, e-mail, password and postcode. Exactly these."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager
from hashlib import sha256

import msgspec
from django.utils.translation import gettext_lazy as _

from troth.pledge.keeper import passwords
from troth.pledge.policy.clause import Check, Clause, Finding, Mutant, broken, gap, holds
from troth.pledge.policy.probe import Probe, sealed_columns
from troth.shop.clauses import mutations, pages

ASKED = {"name", "email", "new-password", "postal-code"}
CHOICES = {"mailings", "waiver"}  # about letters, and about being delivered at once
BILL = {"street-address", "address-level2", "country", "organization", "vat_number", "provider", "earlier"}
LEAST_WORK = 19_456 * 2  # KiB times passes, as OWASP's password storage cheat sheet has it
KEPT = {"contact": {"name", "email"}, "locality": {"postcode"}}


def the_form_asks_for_exactly_these(probe: Probe) -> Iterator[Finding]:
    page = probe.page("/register")
    asked = pages.inputs(page, "/register") - CHOICES
    for more in sorted(asked - ASKED):
        yield broken(f"/register asks for more than it may: {more}")
    for less in sorted(ASKED - asked):
        yield broken(f"/register does not ask for what the promise names: {less}")
    if asked == ASKED:
        yield holds("the form on /register asks for name, e-mail, password and postcode")


def so_does_the_checkout(probe: Probe) -> Iterator[Finding]:
    """Registering while buying: the same fields, beside the bill and the choice of a provider."""
    left = probe.marker()
    if left is None:
        yield gap("no marker customer beside real providers; the checkout's fields are tried in test mode")
        return
    asked = pages.inputs(left.guest_checkout, "/checkout")
    for more in sorted(asked - ASKED - CHOICES - BILL):
        yield broken(f"/checkout asks for more than it may: {more}")
    yield holds("the checkout asks for the same, for the billing address and how to pay")


def the_classes_hold_exactly_these(probe: Probe) -> Iterator[Finding]:
    for _model, field in sealed_columns():
        known = KEPT.get(field.personal.klass)
        if known is not None and set(field.personal.__struct_fields__) != known:
            yield broken(f"the class {field.personal.klass} has other fields than promised")
    yield holds("what is sealed of a registration has these fields and no others")


def the_password_is_hashed_as_promised(probe: Probe) -> Iterator[Finding]:
    """In the function that the keeper hashes by: PHC's string says how (RFC 9106; memory in KiB, passes)."""
    said = re.match(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=\d+\$", passwords.hash_password(secrets.token_urlsafe()))
    if said is None or int(said[1]) * int(said[2]) < LEAST_WORK:
        yield broken("passwords are kept by a hash that is weaker than was promised")
    yield holds("passwords are kept as Argon2id hashes, each of which costs 19 MiB of memory twice")


def _with_phone(source: str) -> str:
    label = '<label for="phone">Phone</label><input id="phone" name="phone" autocomplete="tel"></form>'
    return source.replace("</form>", label, 1)


def _with_birthday() -> AbstractContextManager[None]:
    field = next(field for _, field in sealed_columns() if field.personal.klass == "locality")
    wider = msgspec.defstruct("Locality", [("postcode", str), ("birthday", str)], namespace={"klass": "locality"})
    return mutations.replaced(field, "personal", wider)


CLAUSE = Clause(
    id="P4",
    title=_("Registering"),
    words=_("To register, you give your name, your e-mail address, a password and your postcode."),
    stricter=_("Exactly these: the text of 2010 said “for example”. The postcode only prefills your bill."),
    enforced=(
        _("The form has these fields and the sealed records have no others."),
        _("The password is known to the keeper only, and there as an Argon2id hash."),
    ),
    checks=(
        Check("the form asks for exactly these", "runtime", the_form_asks_for_exactly_these),
        Check("the checkout asks for no more", "synthetic", so_does_the_checkout),
        Check("the sealed classes hold exactly these", "static", the_classes_hold_exactly_these),
        Check("the password is hashed as promised", "static", the_password_is_hashed_as_promised),
    ),
    mutants=(
        Mutant(
            "a telephone number is asked for",
            lambda: mutations.page_edited("register.html", _with_phone),
            turns=(the_form_asks_for_exactly_these,),
        ),
        Mutant(
            "the checkout asks for one",
            lambda: mutations.page_edited("checkout.html", _with_phone),
            turns=(so_does_the_checkout,),
        ),
        Mutant(
            "the sealed postcode has a birthday beside it",
            _with_birthday,
            in_demo=False,
            turns=(the_classes_hold_exactly_these,),
        ),
        Mutant(
            "signing in shall be faster",
            lambda: mutations.replaced(
                passwords, "hash_password", lambda password: sha256(password.encode()).hexdigest()
            ),
            in_demo=False,
            turns=(the_password_is_hashed_as_promised,),
        ),
    ),
    choices=((_("See what you gave"), "/account"), (_("Buy without an account"), "/")),
)
