"""Secrets are planted wherever something may be logged; none comes out, and what helps to mend a fault does."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import warnings

import pytest
from django.test import Client, RequestFactory, override_settings
from django.urls import path

from tests.shape.tree import ROOT
from troth.faces import logs

SECRET = "needle-alice@b.example-4111"


def explode(request: object, key: str = "") -> None:
    password = SECRET
    try:
        raise KeyError(password)
    except KeyError as error:
        raise ValueError(f"cannot take {SECRET}") from error


urlpatterns = [path("explode/<str:key>", explode, name="explode")]
handler500 = "troth.faces.storefront.views.errors.broken"


@pytest.fixture
def stderr(capsys: pytest.CaptureFixture[str]):
    """The lines that the shop's own handler wrote."""
    before = logging.root.handlers[:]
    logs.configure()

    def read() -> list[dict]:
        return [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]

    yield read
    logging.root.handlers[:] = before
    logging.captureWarnings(False)


def test_our_own_constant_messages_are_told(stderr) -> None:
    logging.getLogger("troth.settle").warning("a payment does not match its order")
    (line,) = stderr()
    assert line["event"] == "a payment does not match its order"
    assert (line["level"], line["logger"]) == ("WARNING", "troth.settle")
    assert "test_logs.py" in line["where"]


def test_whatever_else_is_said_is_left_out(stderr) -> None:
    ours, theirs = logging.getLogger("troth.buy"), logging.getLogger("httpx")
    ours.error("paid by %s", SECRET)
    ours.error(f"paid by {SECRET}")
    ours.error("paid by " + SECRET)
    ours.error(SECRET)
    ours.error({"email": SECRET})
    ours.error("extra", extra={"email": SECRET})
    theirs.error("HTTP Request: POST %s", SECRET)
    theirs.error("a constant of theirs")
    logs.Stderr().handle(logging.LogRecord("troth.buy", logging.ERROR, __file__, 1, "%d", (SECRET,), None))
    lines = stderr()
    assert len(lines) == 9
    assert SECRET not in json.dumps(lines)
    assert [line.get("event") for line in lines if "event" in line] == ["extra"]


def test_an_exception_shows_types_and_places_only(stderr) -> None:
    try:
        explode(None)
    except ValueError:
        logging.getLogger("troth.buy").exception("it broke")
    (line,) = stderr()
    assert line["exception"] == ["builtins.ValueError", "builtins.KeyError"]
    assert any("test_logs.py" in frame and frame.endswith("explode") for frame in line["frames"])
    assert SECRET not in json.dumps(line)
    assert str(ROOT) not in json.dumps(line)


@override_settings(ROOT_URLCONF=__name__)
def test_a_broken_view_names_itself_and_nothing_that_was_typed(stderr, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.faces.storefront.views.errors.page", lambda *given, status: _plain(status))
    answer = Client(raise_request_exception=False).post(
        f"/explode/{SECRET}?q={SECRET}", {"password": SECRET}, HTTP_COOKIE=SECRET
    )
    assert answer.status_code == 500
    lines = stderr()
    assert [line["view"] for line in lines if line["logger"] == "django.request"] == ["explode"]
    assert lines[-1]["exception"][0] == "builtins.ValueError"
    assert SECRET not in json.dumps(lines)


def _plain(status: int):
    from django.http import HttpResponse

    return HttpResponse(b"broken", status=status)


def test_warnings_of_libraries_lose_their_text(stderr) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn(SECRET, stacklevel=1)
    (line,) = stderr()
    assert line["logger"] == "py.warnings"
    assert SECRET not in json.dumps(line)


def test_what_libraries_install_is_taken_off() -> None:
    leaky = logging.StreamHandler()
    logger = logging.getLogger("some.library")
    logger.addHandler(leaky)
    before = logging.root.handlers[:]
    try:
        logs.configure()
        assert leaky not in logger.handlers
        assert [type(handler) for handler in logging.root.handlers] == [logs.Stderr]
    finally:
        logging.root.handlers[:] = before


def test_the_exception_report_is_an_allow_list_too() -> None:
    request = RequestFactory().post("/x", {"password": SECRET}, HTTP_COOKIE=SECRET)
    try:
        explode(request)
    except ValueError as error:
        report = logs.AllowListReporter(request, type(error), error, error.__traceback__)
    told = report.get_traceback_text() + report.get_traceback_html() + json.dumps(report.get_traceback_data())
    assert SECRET not in told
    assert "builtins.ValueError" in told


CRASH = """
import threading
from troth.faces import logs
logs.configure()
logs.guard_crashes()
def fall(): raise ValueError({secret!r})
thread = threading.Thread(target=fall); thread.start(); thread.join()
class Falls:
    def __del__(self): raise ValueError({secret!r})
Falls()
fall()
"""


def test_crashes_of_a_process_are_told_without_their_text() -> None:
    told = subprocess.run(
        [sys.executable, "-c", CRASH.format(secret=SECRET)], capture_output=True, text=True, cwd=ROOT / "src"
    )
    lines = [json.loads(line) for line in told.stderr.splitlines()]
    assert told.returncode == 1
    assert [line["logger"] for line in lines] == ["troth.crash"] * 3
    assert all(line["exception"] == ["builtins.ValueError"] for line in lines)
    assert SECRET not in told.stderr
