"""Which passwords are good enough: long, not among the common ones, not the person's own name or address."""

from __future__ import annotations

from functools import cache
from typing import NoReturn

from django.contrib.auth.password_validation import CommonPasswordValidator, UserAttributeSimilarityValidator
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.utils.translation import gettext_lazy as _

from troth.shop.refusal import Refused

SHORTEST, LONGEST = 10, 200


class _Typed:
    """A throw-away object in place of a user: Django's validator reads what was typed, and asks for a field's name."""

    def __init__(self, name: str, email: str) -> None:
        self.name, self.email = name, email
        self._meta = self

    def get_field(self, name: str) -> NoReturn:
        raise FieldDoesNotExist(name)


def check(password: str, name: str, email: str) -> None:
    """Refused, with one sentence for the field "password", unless the password is good. "" for what is not known."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Refused(
            _("Choose a password of {shortest} to {longest} characters.").format(shortest=SHORTEST, longest=LONGEST),
            "password",
        )
    typed = _Typed(name, email)
    if not _passes(UserAttributeSimilarityValidator(("name", "email")), password, typed):
        raise Refused(_("Choose a password that is less like your name or your e-mail address."), "password")
    if not _passes(_common(), password, typed):
        raise Refused(_("Choose another password: many people use this one, so it is tried first."), "password")


@cache
def _common() -> CommonPasswordValidator:
    return CommonPasswordValidator()


def _passes(
    validator: CommonPasswordValidator | UserAttributeSimilarityValidator, password: str, typed: _Typed
) -> bool:
    try:
        validator.validate(password, typed)  # type: ignore[arg-type]
    except ValidationError:
        return False
    return True
