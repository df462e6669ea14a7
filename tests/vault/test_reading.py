"""A sealed value shows nothing wherever it gets to, and refuses to be carried away."""

from __future__ import annotations

import copy
import io
import json
import logging
import pickle
import pprint
import sys
import traceback
from collections.abc import Callable, Iterator

import msgspec
import pytest
from django.apps import apps
from django.conf import settings
from django.core import serializers
from django.core.exceptions import FieldError, ValidationError
from django.core.management import CommandError, call_command
from django.core.serializers.json import DjangoJSONEncoder
from django.forms import modelform_factory
from django.forms.models import model_to_dict
from django.template import engines
from django.test import RequestFactory
from django.utils.encoding import force_str
from django.views.debug import ExceptionReporter

from tests.vault.conftest import ALICE, PLAIN
from troth.faces import logs
from troth.pledge.vault.fields import Ciphertext, Sealed, seal
from troth.shop.accounts.models import Contact

REFUSALS: dict[str, Callable[[Sealed], object]] = {
    "str": str,
    "format": format,
    "f-string": lambda sealed: f"{sealed}",
    "f-string, padded": lambda sealed: f"{sealed:>20}",
    "str.format": lambda sealed: "{}".format(sealed),  # noqa: UP032 - the very spelling is tried
    "%s": lambda sealed: "%s" % sealed,  # noqa: UP031
    "force_str": force_str,
    "json": json.dumps,
    "json, default=str": lambda sealed: json.dumps({"a": sealed}, default=str),
    "Django's JSON": lambda sealed: json.dumps({"a": sealed}, cls=DjangoJSONEncoder),
    "msgspec JSON": msgspec.json.encode,
    "msgspec MessagePack": msgspec.msgpack.encode,
    "pickle": pickle.dumps,
    "pickle, oldest protocol": lambda sealed: pickle.dumps(sealed, 0),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "bytes": bytes,
    "iteration": list,
    "length": len,
    "joining": lambda sealed: "".join([sealed]),
    "adding": lambda sealed: "to " + sealed,
    "attribute": lambda sealed: setattr(sealed, "note", PLAIN),
}


@pytest.mark.parametrize("way", REFUSALS)
def test_a_sealed_value_refuses_to_become_text_or_bytes(alice: Contact, way: str) -> None:
    with pytest.raises((TypeError, AttributeError)) as refused:
        REFUSALS[way](alice.contact)
    assert str(alice.contact.ciphertext) not in str(refused.value)


def test_it_shows_its_class_and_never_raises_in_doing_so(alice: Contact) -> None:
    sealed = alice.contact
    assert repr(sealed) == "<sealed contact>"
    assert f"{sealed!r} %r" % sealed == "<sealed contact> <sealed contact>"
    assert "<sealed contact>" in pprint.pformat({"a": [sealed]})
    assert repr(Contact.objects.values("contact").get()) == "{'contact': <sealed>}"
    assert str(Contact.objects.values_list("contact", flat=True).get()) == "<sealed>"
    assert "Heronsgate" not in repr(alice) + str(alice) + repr(Contact.objects.all())


def test_equality_is_identity_never_content(alice: Contact) -> None:
    one, other = alice.contact, Contact.objects.get().contact
    assert one.ciphertext == other.ciphertext
    assert one != other
    assert one not in ("", None, [], {})  # what Django asks of each value
    assert len({one, other}) == 2


def test_the_log_shows_nothing_of_it(alice: Contact, capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("troth.tests")
    logs.configure()
    log.error("seen %s", alice.contact)
    log.error("seen %r", ALICE)
    log.error(f"seen {ALICE!r} {PLAIN}")
    log.error(alice.contact)
    log.error("seen %(who)s", {"who": PLAIN})
    logging.getLogger("elsewhere").error("seen %s", PLAIN)
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 6
    assert "eronsgate" not in said
    assert "sealed" not in said


def test_the_clear_struct_shows_its_class_only() -> None:
    for text in (repr(ALICE), str(ALICE), f"{ALICE}", format(ALICE), pprint.pformat([ALICE])):
        assert "<contact>" in text
        assert "eronsgate" not in text


def test_a_row_with_a_sealed_column_is_not_pickled(alice: Contact) -> None:
    for what in (alice, Contact.objects.all(), list(Contact.objects.values("contact")), Ciphertext(b"x")):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError, match="does not leave its row"):
                pickle.dumps(what, protocol)
    with pytest.raises(TypeError):
        copy.deepcopy(alice)


def test_full_clean_and_refresh_work_on_a_loaded_row(alice: Contact) -> None:
    alice.full_clean()
    sealed = alice.contact
    alice.refresh_from_db()
    assert isinstance(alice.contact, Sealed)
    assert alice.contact.ciphertext == sealed.ciphertext
    alice.refresh_from_db(fields=["contact"])
    assert alice.contact.ciphertext == sealed.ciphertext


def test_full_clean_on_a_new_row_names_no_value(alice: Contact) -> None:
    row = Contact(person=alice.person, state="far too long a state")
    seal(row, "contact", ALICE)
    with pytest.raises(ValidationError, match="at most 8 characters") as refused:
        row.full_clean()
    assert set(refused.value.message_dict) == {"state"}
    assert "eronsgate" not in str(refused.value)


@pytest.mark.parametrize(
    "asked",
    [
        {"contact": PLAIN},
        {"contact": b"x"},
        {"contact__exact": PLAIN},
        {"contact__in": [PLAIN]},
        {"contact__contains": PLAIN},
        {"contact__startswith": PLAIN},
        {"contact__gt": b""},
        {"contact__regex": "."},
    ],
    ids=str,
)
def test_ciphertext_is_not_searched(alice: Contact, asked: dict[str, object]) -> None:
    for query in (Contact.objects.filter, Contact.objects.exclude, Contact.objects.get):
        with pytest.raises((FieldError, TypeError)):
            list(query(**asked))  # type: ignore[arg-type]
    assert Contact.objects.filter(contact__isnull=False).count() == 1


def test_deferred_and_only_give_a_sealed_value(alice: Contact) -> None:
    for row in (Contact.objects.defer("contact").get(), Contact.objects.only("pk").get()):
        assert "contact" not in row.__dict__
        assert repr(row.contact) == "<sealed contact>"


def test_dumpdata_and_serializers_refuse(alice: Contact) -> None:
    for name in ("json", "jsonl", "xml", "python"):
        with pytest.raises(TypeError, match="backup"):
            serializers.serialize(name, Contact.objects.all())
    out = io.StringIO()
    with pytest.raises((CommandError, TypeError)):
        call_command("dumpdata", "accounts.Contact", stdout=out)
    assert "con_" not in out.getvalue()


def test_forms_made_from_the_model_leave_the_column_out(alice: Contact) -> None:
    assert "contact" not in modelform_factory(Contact, fields="__all__").base_fields
    assert "contact" not in model_to_dict(alice)
    with pytest.raises(FieldError):
        modelform_factory(Contact, fields=["contact"])


def test_templates_do_not_print_it(alice: Contact) -> None:
    environment = engines["jinja2"].env  # type: ignore[attr-defined]
    for source in ("{{ row.contact }}", "{{ row.contact ~ '' }}", "{{ row.contact|e }}", "{{ row.contact|string }}"):
        with pytest.raises(TypeError):
            environment.from_string(source).render(row=alice)


def test_neither_djangos_accounts_nor_its_admin_are_here() -> None:
    labels = {app.label for app in apps.get_app_configs()}
    assert labels.isdisjoint({"auth", "admin", "contenttypes", "messages"})
    for command in ("createsuperuser", "changepassword"):
        with pytest.raises(CommandError, match="Unknown command"):
            call_command(command)


@pytest.fixture
def raised(alice: Contact) -> Iterator[tuple[type[BaseException], BaseException, object]]:
    """An exception whose argument is sealed, out of a frame in which somebody typed."""

    def view(password: str, posted: dict[str, str]) -> None:
        typed = ALICE
        raise ValueError(alice.contact) from KeyError(typed.name, posted["email"], password)

    try:
        view(PLAIN, {"email": ALICE.email})
    except ValueError as error:
        yield type(error), error, error.__traceback__


def test_the_exception_report_shows_neither_arguments_nor_locals(raised: tuple) -> None:
    request = RequestFactory().post("/checkout?who=Heronsgate", {"name": PLAIN}, HTTP_COOKIE="a=Heronsgate")
    report = settings.DEFAULT_EXCEPTION_REPORTER
    assert report == "troth.faces.logs.AllowListReporter"
    ours = logs.AllowListReporter(request, *raised)
    for text in (ours.get_traceback_text(), ours.get_traceback_html(), json.dumps(ours.get_traceback_data())):
        assert "eronsgate" not in text
    assert "ValueError" in ours.get_traceback_text()


def test_djangos_own_report_would_show_them(raised: tuple) -> None:
    """Why it is replaced: it fails on a sealed argument, and shows what was typed where there is none."""
    with pytest.raises(TypeError):
        ExceptionReporter(None, *raised).get_traceback_text()
    try:
        raise ValueError(PLAIN)
    except ValueError:
        assert PLAIN in ExceptionReporter(None, *sys.exc_info()).get_traceback_text()


def test_pythons_traceback_holds_no_ciphertext(raised: tuple) -> None:
    (last,) = traceback.format_exception_only(raised[1])
    assert last == "ValueError: <exception str() failed>\n"


def test_a_crash_is_told_by_type_and_place(raised: tuple, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    logging.getLogger("django.request").error("Internal Server Error: %s", "/p/Heronsgate", exc_info=raised)
    logging.getLogger("troth.x").error(PLAIN + "!", exc_info=raised)
    said = capsys.readouterr().err
    assert "ValueError" in said
    assert "eronsgate" not in said
