"""A no that a person can do something about."""

from __future__ import annotations


class Refused(Exception):
    """`sentence` says in one clear sentence what to do; `field` names the form's field, if it is about one.

    The sentence is the shop's own (translated text) and never repeats what was typed.
    """

    def __init__(self, sentence: object, field: str = "") -> None:
        super().__init__(field)
        self.sentence, self.field = sentence, field
