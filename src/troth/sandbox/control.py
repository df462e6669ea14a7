"""The controls over HTTP, for tests and a demo that run the sandbox as a process of its own.

`POST /_control/<name>` with a JSON object of arguments, `GET /_control/books` and `/_control/posts` to read. JSON is
demanded as the content type, so that no web page can press these buttons from a visitor's browser.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from troth.sandbox.server import Answer, Request, Route, json_answer

if TYPE_CHECKING:
    from troth.sandbox import Sandbox
    from troth.sandbox.courier import Courier


def routes(sandbox: Sandbox) -> list[Route]:
    buttons = _buttons(sandbox)

    def press(request: Request, name: str) -> Answer:
        if request.headers.get("content-type") != "application/json":
            return json_answer(415, {"error": "send application/json"})
        if name not in buttons:
            return json_answer(404, {"error": "no such control"})
        try:
            return json_answer(200, {"result": buttons[name](**json.loads(request.body or b"{}"))})
        except KeyError:
            return json_answer(404, {"error": "no such order, session, capture or post"})
        except (TypeError, ValueError, IndexError):
            return json_answer(400, {"error": "these arguments do not fit"})

    return [
        ("POST", r"/_control/([a-z/-]+)", press),
        ("GET", r"/_control/books", lambda _: json_answer(200, books(sandbox))),
        ("GET", r"/_control/posts", lambda _: json_answer(200, posts(sandbox))),
    ]


def books(sandbox: Sandbox) -> dict[str, Any]:
    """What the providers have in their books: orders with captures, sessions with their state."""
    read: dict[str, Any] = msgspec.to_builtins(
        {"paypal": list(sandbox.paypal.orders.values()), "skrill": list(sandbox.skrill.sessions.values())}
    )
    return read


def posts(sandbox: Sandbox) -> dict[str, Any]:
    """Every message to the shop, with the answers it got; bodies in base64."""
    return {name: [_shown(post) for post in courier.posts] for name, courier in _couriers(sandbox).items()}


def _shown(post: Any) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(post)
    return told | {"body": base64.b64encode(post.body).decode()}


def _couriers(sandbox: Sandbox) -> dict[str, Courier]:
    return {"paypal": sandbox.paypal.courier, "skrill": sandbox.skrill.courier}


def _buttons(sandbox: Sandbox) -> dict[str, Callable[..., Any]]:
    couriers = _couriers(sandbox)

    def webhook_url(url: str) -> None:
        sandbox.paypal.merchant.webhook_url = str(url)

    def drop(provider: str, on: bool = True) -> None:
        couriers[provider].dropping = bool(on)

    def resend(provider: str, number: int, times: int = 1, at_once: int = 1) -> list[int]:
        courier = couriers[provider]
        return courier.burst(courier.posts[number], times, at_once)

    def becomes(sid: str, status: str) -> None:
        sandbox.skrill.becomes(sid, status)

    return {
        "reset": sandbox.reset,
        "fault": sandbox.faults.add,
        "drop": drop,
        "resend": resend,
        "wait": sandbox.wait,
        "paypal/approve": sandbox.paypal.approve,
        "paypal/cancel": sandbox.paypal.cancel,
        "paypal/next-capture": sandbox.paypal.next_capture,
        "paypal/finish-pending": sandbox.paypal.finish_pending,
        "paypal/take-back": sandbox.paypal.money.take_back,
        "paypal/next-refund": sandbox.paypal.money.next_refund,
        "paypal/finish-refund": sandbox.paypal.money.finish_refund,
        "paypal/dispute": sandbox.paypal.money.dispute,
        "paypal/escalate": sandbox.paypal.money.escalate,
        "paypal/resolve": sandbox.paypal.money.resolve,
        "paypal/expire": sandbox.paypal.expire,
        "paypal/kill-tokens": sandbox.paypal.kill_tokens,
        "paypal/webhook-url": webhook_url,
        "skrill/pay": sandbox.skrill.pay,
        "skrill/becomes": becomes,
        "skrill/refuse-next": sandbox.skrill.refuse_next,
        "skrill/next-refund": sandbox.skrill.money.next_refund,
        "skrill/finish-refund": sandbox.skrill.money.finish,
        "skrill/give-back": sandbox.skrill.money.give_back,
        "mail/fails": sandbox.mailbox.fails,
        "mail/clear": sandbox.mailbox.clear,
        "mail/down": sandbox.mailbox.down,
        "mail/up": sandbox.mailbox.up,
    }
