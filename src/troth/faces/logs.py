"""What may stand in a log: an allow-list, so that nobody's name gets there by accident.

A line is one JSON object with: time, level, logger, event, view, status, where, exception, frames. The event is the
message of one of our own loggers, and only if it stands in the source exactly as it was logged: an f-string or a
message with arguments is left out, as is everything that libraries say. Of an exception its type and the places it
passed are written, never its text. No request bodies, query strings, addresses or cookies; there is no access log.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import PurePath
from types import TracebackType
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from troth.pledge.policy import cards, shutting

OURS = "troth"
MOST_FRAMES = 40
REFUSED = '{"level": "ERROR", "logger": "troth.log", "event": "a line looked as if it held a card number"}'


def configure(config: dict[str, Any] | None = None) -> None:
    """Make the allow-list the only way out: every handler that anybody installed before is taken off.

    `config` is what Django hands over (settings.LOGGING); nothing in it is used.
    """
    for logger in list(logging.root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            logger.handlers.clear()
            logger.propagate = True
    logging.root.handlers[:] = [Stderr()]
    logging.root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(logging.INFO)
    logging.captureWarnings(True)


def guard_crashes() -> None:
    """Report what nobody caught by the same allow-list; Python itself would print the exception's text.

    For a process of our own, called once at its start.
    """
    crashes = logging.getLogger(f"{OURS}.crash")

    def crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        crashes.critical("uncaught", exc_info=(kind, error, trace))

    sys.excepthook = crashed
    threading.excepthook = lambda args: crashed(args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback)
    sys.unraisablehook = lambda args: crashed(args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback)


class Stderr(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes a record's allowed fields to stderr, one line each."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(AllowList())

    def emit(self, record: logging.LogRecord) -> None:
        record.troth_constant = _is_constant(record)
        self.stream = sys.stderr
        super().emit(record)

    def format(self, record: logging.LogRecord) -> str:
        """The line, unless it holds what looks like a card number (P1)."""
        line = super().format(record)
        return REFUSED if cards.holds_card_number(line) else line

    def handleError(self, record: logging.LogRecord) -> None:
        """Python's own would print the message and its arguments."""
        try:
            sys.stderr.write('{"level": "ERROR", "logger": "troth.log", "event": "a line could not be written"}\n')
        except OSError:
            return


class AllowList(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
        }
        if _shut():
            return json.dumps(line)
        if getattr(record, "troth_constant", False):
            line["event"] = record.msg
        line["where"] = f"{_short(record.pathname)}:{record.lineno} {record.funcName}"
        line |= _of_request(record)
        if record.exc_info and record.exc_info[1] is not None:
            line |= described(record.exc_info[1])
        return json.dumps(line)


def described(error: BaseException) -> dict[str, Any]:
    """Type and places of an exception and of those behind it. Never its text: str(error) may hold anything."""
    kinds, frames = [], []
    for each in _chain(error):
        kinds.append(f"{type(each).__module__}.{type(each).__qualname__}")
        summary = traceback.StackSummary.extract(traceback.walk_tb(each.__traceback__), lookup_lines=False)
        frames += [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in summary]
    return {"exception": kinds, "frames": frames[-MOST_FRAMES:]}


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__


def _of_request(record: logging.LogRecord) -> dict[str, Any]:
    """The view's name and the status that Django attaches; the path is left out, since it may hold a key."""
    said: dict[str, Any] = {}
    match = getattr(getattr(record, "request", None), "resolver_match", None)
    if match is not None:
        said["view"] = match.view_name
    status = getattr(record, "status_code", None)
    if isinstance(status, int):
        said["status"] = status
    return said


def _shut() -> bool:
    """Whether a check found a log that says too much: then it says nothing but when and how grave."""
    try:
        return shutting.is_shut(shutting.LOGS)
    except (OSError, ImproperlyConfigured, AttributeError):
        return False  # before there are settings, no check has run


def _is_constant(record: logging.LogRecord) -> bool:
    """Whether the message is one of ours and a literal of the function that logged it."""
    ours = record.name == OURS or record.name.startswith(f"{OURS}.")
    if not ours or record.args or not isinstance(record.msg, str):
        return False
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename == record.pathname and frame.f_code.co_name == record.funcName:
            return any(record.msg is constant for constant in frame.f_code.co_consts)
        frame = frame.f_back  # type: ignore[assignment]
    return False


def _short(path: str) -> str:
    """A path without the machine's own part: troth/shop/…, django/core/…"""
    parts = PurePath(path).parts
    for root in ("site-packages", "src", "lib"):
        if root in parts:
            return "/".join(parts[len(parts) - parts[::-1].index(root) :])
    return "/".join(parts[-2:])


class AllowListReporter:
    """In place of Django's exception reporter, which shows settings, POST data and local variables."""

    html_template_path = text_template_path = None

    def __init__(
        self, request: Any, exc_type: type[BaseException], exc_value: BaseException, tb: Any, is_email: bool = False
    ) -> None:
        self.error = exc_value

    def get_traceback_data(self) -> dict[str, Any]:
        return described(self.error)

    def get_traceback_text(self) -> str:
        return json.dumps(self.get_traceback_data())

    def get_traceback_html(self) -> str:
        return "<!doctype html><title>Error</title><p>Something broke; the log says where."
