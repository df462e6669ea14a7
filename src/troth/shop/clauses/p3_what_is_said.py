"""P3: what is collected, and what is done with it, is what the policy says, nothing else."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.utils.translation import gettext_lazy as _

from troth.pledge.policy import shutting
from troth.pledge.policy.clause import Check, Clause, Finding, Mutant, broken, holds, unknown
from troth.pledge.policy.probe import Probe
from troth.pledge.rights.holding import undeclared
from troth.shop import holdings, ways_in, ways_out
from troth.shop.clauses import mutations, pages, served_its_time

DJANGOS_OWN = {"django_migrations", "django_content_type", "sqlite_sequence"}  # names of steps and tables
PERSONAL = {"name", "street-address", "postal-code", "tel", "bday"}  # tokens of what says who somebody is
GENERAL = "P3"  # speaks of everything that is typed: stands for any other
WRITTEN_ONCE = "somebody@undeclared.invalid"
NOT_FILLED_IN = ("hidden", "submit", "button")
# A field of a form by its name, or written out: <input … name="q" …>
IN_TEMPLATE = re.compile(r"""(?:\bform\["|<(?:input|select|textarea)\b[^>{]*?\bname=")([A-Za-z0-9_-]+)\"""")


def tables_are_what_is_declared(probe: Probe) -> Iterator[Finding]:
    models = list(apps.get_models(include_auto_created=True))
    yield from (broken(sentence) for sentence in undeclared(holdings.HOLDINGS, apps.get_models()))
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor)) - DJANGOS_OWN
        for model in models:
            known = {field.column for field in model._meta.local_concrete_fields}
            if model._meta.db_table in there:
                described = connection.introspection.get_table_description(cursor, model._meta.db_table)
                for column in sorted({one.name for one in described} - known):
                    yield broken(f"{model._meta.db_table}.{column} is in the database and nowhere declared")
    for table in sorted(there - {model._meta.db_table for model in models}):
        yield broken(f"the table {table} is in the database and nowhere declared")
    yield holds(f"{len(holdings.HOLDINGS)} tables with all their columns are declared, and the database has no others")


def ways_out_are_what_is_declared(probe: Probe) -> Iterator[Finding]:
    yield from (broken(sentence) for sentence in ways_out.undeclared())
    home = probe.config.home
    for path in sorted(path for path in home.iterdir() if path.is_dir() and path.name not in ways_out.FILES):
        yield broken(f"the shop's folder has a folder that nobody declared: {path.name}")
    yield holds(
        f"{len(ways_out.MODULES)} modules that reach outside and {len(ways_out.LETTERS)} letters name a promise"
    )


def the_log_says_no_more(probe: Probe) -> Iterator[Finding]:
    """Logs an error as careless code does, with an address in its message, and reads what the log would say."""
    record = logging.LogRecord("troth.check", logging.ERROR, __file__, 1, f"no {WRITTEN_ONCE}", (), None)
    record.exc_info = (ValueError, ValueError(WRITTEN_ONCE), None)
    handlers = [handler for handler in logging.root.handlers if type(handler).__module__.startswith("troth.")]
    if not handlers:
        yield unknown("this process has no log of the shop's own")
    for handler in handlers:
        line = handler.format(record)
        if WRITTEN_ONCE in line:
            yield broken("an address in a message gets into the log")
        elif more := set(json.loads(line)) - ways_out.LOG:
            yield broken(f"the log has fields that nobody declared: {', '.join(sorted(more))}")
    yield holds("of an error with an address in it, the log has the type and the places alone")


def the_notice_stands_where_data_are_given(probe: Probe) -> Iterator[Finding]:
    """On every page that anybody was shown, also for the second time: beside each field its own promise is named."""
    seen = 0
    for path, page in pages.shown(probe):
        asked = [field for form in page.forms for field in form.fields if set(field.token.split()) & PERSONAL]
        seen += bool(asked)
        named = {href.removeprefix("/privacy#") for href, _ in page.links if href.startswith("/privacy#P")}
        wanted = {ways_in.FIELDS[field.name][0] for field in asked if field.name in ways_in.FIELDS}
        if asked and not named:
            yield broken(f"{path} asks who somebody is, without a word about what becomes of it")
        elif GENERAL not in named and wanted - named:
            missing = ", ".join(sorted(wanted - named))
            yield broken(f"{path} asks who somebody is, without naming what it is asked for: {missing}")
    yield (
        holds(f"{seen} pages that ask who somebody is name the promises about it")
        if seen
        else unknown("no page was seen that asks who somebody is")
    )


def nobody_is_asked_for_more(probe: Probe) -> Iterator[Finding]:
    """Looks at every form that a page shows, and reads every template for the forms of the pages that nobody opened."""
    asked = set()
    for path, page in pages.every(probe):
        for field in (field for form in page.forms for field in form.fields if field.kind not in NOT_FILLED_IN):
            asked.add(field.name)
            if field.name not in ways_in.CARRIED and ways_in.unasked(field.name, pages.token(field.token)):
                yield broken(f"{path} asks people for something that nobody declared: {field.name}")
    for name, source in pages.sources():
        if name.startswith("storefront/"):
            for field in sorted(set(IN_TEMPLATE.findall(source)) - ways_in.CARRIED):
                asked.add(field)
                if ways_in.unasked(field):
                    yield broken(f"{name} asks people for something that nobody declared: {field}")
                elif ways_in.out_of_place(name.removeprefix("storefront/"), field):
                    yield broken(f"{name} asks people for something that it is not declared to ask for: {field}")
    yield holds(f"{len(asked)} kinds of fields are asked for, all declared with their promise")


@contextmanager
def _kept_aside() -> Iterator[None]:
    """A colleague keeps notes about customers in a table of their own."""
    with mutations.replaced(settings, "TROTH", settings.TROTH):  # refuses outside test mode
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE customer_notes (email text, note text)")
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("DROP TABLE customer_notes")


def _new_letter() -> AbstractContextManager[None]:
    letters = ways_out.letters
    return mutations.replaced(ways_out, "letters", lambda: [*letters(), "birthday"])


def _talkative() -> AbstractContextManager[None]:
    handler = next(one for one in logging.root.handlers if type(one).__module__.startswith("troth."))
    return mutations.replaced(handler, "format", lambda record: json.dumps({"event": record.getMessage()}))


def _with_telephone(source: str) -> str:
    return source.replace(
        "</form>", '<label>Telephone <input type="tel" name="phone" autocomplete="tel"></label></form>', 1
    )


def _with_birthday(source: str) -> str:
    """A field of a name that stands on another page, too."""
    return source.replace("<button", '<label>Your birthday? <input name="text"></label><button', 1)


def _without_notice(source: str) -> str:
    return re.sub(r"\{\{ why\(.*?\) \}\}", "", source)


def _shorter_for_regulars(source: str) -> str:
    return source.replace('{{ why(["P6"]) }}', '{% if not form.earlier %}{{ why(["P6"]) }}{% endif %}')


CLAUSE = Clause(
    id="P3",
    title=_("What is said is what is done"),
    words=_(
        "We collect what this page says, and do with it what this page says, and nothing else. Where you type "
        "something, we say what becomes of it."
    ),
    stricter=_("A program that would keep or tell more than is declared does not start."),
    enforced=(
        _("Every table and field says what it holds about you, why, how long, and what forgetting does to it."),
        _("Every way out names its promise: recipients, letters, fields of the log, modules that can reach outside."),
        _("Every field that a page asks you to fill in is declared with the promise it serves."),
        _("What is not declared stops the start, in our own program and in any app that is put in."),
    ),
    checks=(
        Check("the database has the declared tables and columns alone", "static", tables_are_what_is_declared),
        Check("every way out is declared", "static", ways_out_are_what_is_declared),
        Check("the log says no more than it may", "runtime", the_log_says_no_more, shuts=shutting.LOGS),
        Check("what has served its time ends", "runtime", served_its_time.ends_on_its_date),
        Check("the notice stands where data are given", "runtime", the_notice_stands_where_data_are_given),
        Check("nobody is asked for more than is declared", "static", nobody_is_asked_for_more),
    ),
    mutants=(
        Mutant("a letter that nobody declared", _new_letter, turns=(ways_out_are_what_is_declared,)),
        Mutant("a table beside the declared ones", _kept_aside, in_demo=False, turns=(tables_are_what_is_declared,)),
        Mutant("a log that says what was said", _talkative, in_demo=False, turns=(the_log_says_no_more,)),
        Mutant(
            "data are kept a little longer",
            served_its_time.kept_a_little_longer,
            in_demo=False,
            turns=(served_its_time.ends_on_its_date,),
        ),
        Mutant(
            "registering without the notice",
            lambda: mutations.page_edited("register.html", _without_notice),
            turns=(the_notice_stands_where_data_are_given,),
        ),
        Mutant(
            "who bought before is not told again",
            lambda: mutations.page_edited("checkout.html", _shorter_for_regulars),
            in_demo=False,
            turns=(the_notice_stands_where_data_are_given,),
        ),
        Mutant(
            "who confirms an address is asked for a birthday",
            lambda: mutations.page_edited("confirm.html", _with_birthday),
            in_demo=False,
            turns=(nobody_is_asked_for_more,),
        ),
        Mutant(
            "the contact form asks for a telephone number",
            lambda: mutations.page_edited("contact.html", _with_telephone),
            turns=(nobody_is_asked_for_more,),
        ),
    ),
    choices=((_("See everything that is held of you"), "/account/privacy"),),
)
