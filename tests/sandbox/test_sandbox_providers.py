"""The look-alikes refuse what the real ones refuse, and say what the real ones say."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator

import httpx
import pytest

from troth.sandbox import Addresses, Sandbox
from troth.sandbox.courier import is_local
from troth.sandbox.server import Answer, Faults, Server


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Sandbox, Addresses]]:
    sandbox = Sandbox(mode="test")
    yield sandbox, sandbox.start()
    sandbox.stop()


@pytest.fixture
def sandbox(world) -> Iterator[Sandbox]:
    yield world[0]
    world[0].paypal.merchant.webhook_url = ""
    world[0].reset()


@pytest.fixture
def told(sandbox, world) -> Addresses:
    return world[1]


@pytest.fixture
def http(told) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=told.base, trust_env=False) as client:
        yield client


@pytest.fixture
def door() -> Iterator[tuple[str, list, list]]:
    """Where the shop would be: its address, what arrives, and the answers to give (then 200)."""
    arrived, answers = [], []

    def take(request) -> Answer:
        arrived.append(request)
        return Answer(answers.pop(0) if answers else 200)

    server = Server(0, [("POST", "/hook", take)], Faults())
    server.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", arrived, answers
    server.stop()


@pytest.fixture
def call(http, told):
    pair = base64.b64encode(f"{told.paypal['client_id']}:{told.paypal['client_secret']}".encode()).decode()
    form = {"grant_type": "client_credentials"}
    answer = http.post("/paypal/v1/oauth2/token", data=form, headers={"Authorization": f"Basic {pair}"})
    token = answer.json()["access_token"]

    def post(path, body, request_id="r-1", **headers):
        usual = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if request_id:
            usual["PayPal-Request-Id"] = request_id
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return http.post(f"/paypal{path}", content=content, headers=usual | headers)

    return post


ORDERS = "/v2/checkout/orders"


def eur(value, **more):
    return {"currency_code": "EUR", "value": value} | more


def order(amount=None, unit=None, **more):
    units = [{"amount": amount or eur("10.00")} | (unit or {})]
    context = {"return_url": "https://shop.example/back?a=1", "cancel_url": "https://shop.example/cancel"}
    source = {"paypal": {"experience_context": context}}
    return {"intent": "CAPTURE", "purchase_units": units, "payment_source": source} | more


def item(**more):
    return {"name": "Guide", "quantity": "1", "unit_amount": eur("10.00")} | more


@pytest.mark.parametrize("mode", ["live", "", "TEST", "demo"])
def test_it_starts_in_test_mode_only(mode):
    with pytest.raises(ValueError, match="test"):
        Sandbox(mode=mode)


@pytest.mark.parametrize(
    ("status", "issue", "body"),
    [
        (400, "MALFORMED_REQUEST_JSON", b"{"),
        (400, "MALFORMED_REQUEST_JSON", b"[]"),
        (400, "MALFORMED_REQUEST_JSON", order(unit={"amount": eur("1.00", breakdown=[])}, purchase_units=[3])),
        (400, "MISSING_REQUIRED_PARAMETER", {}),
        (400, "MISSING_REQUIRED_PARAMETER", order(purchase_units=[])),
        (400, "MISSING_REQUIRED_PARAMETER", order(purchase_units=[{}])),
        (400, "INVALID_PARAMETER_VALUE", order(intent="GIVE")),
        (400, "INVALID_PARAMETER_SYNTAX", order(eur("1,00"))),
        (400, "INVALID_STRING_LENGTH", order(eur("0" * 33))),
        (400, "INVALID_STRING_LENGTH", order(unit={"custom_id": "c" * 128})),
        (400, "INVALID_STRING_LENGTH", order(unit={"invoice_id": ""})),
        (422, "CANNOT_BE_ZERO_OR_NEGATIVE", order(eur("0.00"))),
        (422, "CANNOT_BE_ZERO_OR_NEGATIVE", order(eur("-1.00"))),
        (422, "INVALID_CURRENCY_CODE", order({"currency_code": "XBT", "value": "1.00"})),
        (422, "DECIMAL_PRECISION", order(eur("1.005"))),
        (422, "DECIMAL_PRECISION", order({"currency_code": "JPY", "value": "1.5"})),
        (422, "AMOUNT_MISMATCH", order(eur("10.00", breakdown={"item_total": eur("9.99")}))),
        (422, "ITEM_TOTAL_REQUIRED", order(unit={"items": [item()]})),
        (
            422,
            "ITEM_TOTAL_MISMATCH",
            order(eur("10.00", breakdown={"item_total": eur("10.00")}), {"items": [item(quantity="2")]}),
        ),
        (
            422,
            "TAX_TOTAL_REQUIRED",
            order(eur("10.00", breakdown={"item_total": eur("10.00")}), {"items": [item(tax=eur("1.00"))]}),
        ),
        (422, "MULTI_CURRENCY_ORDER", order(purchase_units=[
            {"reference_id": "a", "amount": eur("1.00")},
            {"reference_id": "b", "amount": {"currency_code": "USD", "value": "1.00"}},
        ])),
        (422, "DUPLICATE_REFERENCE_ID", order(purchase_units=[{"amount": eur("1.00")}] * 2)),
        (422, "NO_PAYMENT_SOURCE_PROVIDED", order(payment_source={})),
    ],
)  # fmt: skip
def test_an_order_paypal_would_refuse_is_refused(call, sandbox, status, issue, body):
    answer = call(ORDERS, body)
    assert (answer.status_code, answer.json()["details"][0]["issue"]) == (status, issue)
    assert answer.headers["Paypal-Debug-Id"] == answer.json()["debug_id"]
    assert sandbox.paypal.orders == {}


def test_a_payment_source_needs_a_request_id(call):
    answer = call(ORDERS, order(), request_id="")
    assert answer.json()["details"][0]["issue"] == "PAYPAL_REQUEST_ID_REQUIRED"


def test_both_shapes_of_a_new_order(call):
    hosted = call(ORDERS, order())
    assert (hosted.status_code, hosted.json()["status"]) == (200, "PAYER_ACTION_REQUIRED")
    assert [link["rel"] for link in hosted.json()["links"]] == ["self", "payer-action"]
    body = order()
    del body["payment_source"]
    plain = call(ORDERS, body, request_id="r-2")
    assert (plain.status_code, plain.json()["status"]) == (201, "CREATED")
    assert [link["rel"] for link in plain.json()["links"]] == ["self", "approve", "update", "capture"]


def test_amounts_come_back_as_paypal_writes_them(call):
    answer = call(ORDERS, order({"currency_code": "eur", "value": ".5"}), Prefer="return=representation").json()
    assert answer["purchase_units"][0]["amount"] == eur("0.50")


def test_a_repeat_shows_the_same_order_as_it_is_now(call, sandbox):
    first = call(ORDERS, order()).json()
    sandbox.paypal.approve(first["id"])
    assert call(ORDERS, order()).json()["status"] == "APPROVED"
    taken = call(f"{ORDERS}/{first['id']}/capture", b"", request_id="c-1")
    again = call(f"{ORDERS}/{first['id']}/capture", b"", request_id="c-1")
    other = call(f"{ORDERS}/{first['id']}/capture", b"", request_id="c-2")
    assert (taken.status_code, again.status_code, other.status_code) == (201, 200, 422)
    captures = [one.json()["purchase_units"][0]["payments"]["captures"][0]["id"] for one in (taken, again)]
    assert captures[0] == captures[1]
    assert other.json()["details"][0]["issue"] == "ORDER_ALREADY_CAPTURED"


def test_only_json_and_only_a_living_token(call, http, sandbox):
    assert call(ORDERS, order(), **{"Content-Type": "text/plain"}).status_code == 415
    sandbox.paypal.kill_tokens()
    dead = call(ORDERS, order())
    assert (dead.status_code, dead.json()["error"]) == (401, "invalid_token")
    wrong = http.post("/paypal/v1/oauth2/token", data={}, headers={"Authorization": "Basic eDp5"})
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")


def test_the_buyers_page_at_paypal(call, http, sandbox):
    made = call(ORDERS, order(eur("10.00"), {"invoice_id": "TR-<b>1", "custom_id": "pay-1"})).json()
    page = http.get(f"/paypal/checkoutnow?token={made['id']}")
    assert "Sandbox: no real money" in page.text
    assert "10.00 EUR" in page.text
    assert "TR-&lt;b&gt;1" in page.text
    assert page.text.count("<h1>") == 1
    assert "<script" not in page.text
    assert re.findall(r'value="(\w+)">([^<]+)</button>', page.text) == [("approve", "Approve"), ("cancel", "Cancel")]

    cancelled = http.post("/paypal/checkoutnow", data={"token": made["id"], "action": "cancel"})
    assert (cancelled.status_code, cancelled.headers["Location"]) == (
        303,
        f"https://shop.example/cancel?token={made['id']}",
    )
    back = http.post("/paypal/checkoutnow", data={"token": made["id"], "action": "approve"}).headers["Location"]
    assert back == f"https://shop.example/back?a=1&token={made['id']}&PayerID=SANDBOXPAYER1"
    assert http.get("/paypal/checkoutnow?token=NONE").status_code == 404


def session(**more):
    fields = {
        "prepare_only": "1",
        "pay_to_email": "shop@merchant.example",
        "transaction_id": "pay-1",
        "return_url": "https://shop.example/back?a=1",
        "cancel_url": "https://shop.example/cancel",
        "amount": "23",
        "currency": "EUR",
        "detail1_description": "TR-1",
    }
    return fields | more


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "23.00"},
        {"amount": "0"},
        {"amount": "-1"},
        {"amount": "1,5"},
        {"currency": "XBT"},
        {"transaction_id": ""},
        {"transaction_id": "x" * 101},
        {"return_url": "javascript:alert(1)"},
        {"pay_to_email": "other@merchant.example"},
    ],
)
def test_a_session_skrill_would_refuse_is_refused(http, sandbox, wrong):
    answer = http.post("/skrill/pay", data=session(**wrong))
    assert answer.json()["code"] == "BAD_REQUEST"
    assert sandbox.skrill.sessions == {}


def test_the_buyers_page_at_skrill(http, sandbox):
    sid = http.post("/skrill/pay", data=session()).text
    assert re.fullmatch("[0-9a-f]{32}", sid)
    page = http.get(f"/skrill/pay?sid={sid}").text
    assert "Sandbox: no real money" in page
    assert "23 EUR" in page
    assert len(re.findall("<button", page)) == 4
    declined = http.post("/skrill/pay", data={"token": sid, "action": "decline"})
    assert "declined" in declined.text
    paid = http.post("/skrill/pay", data={"token": sid, "action": "pay"})
    assert paid.headers["Location"].startswith("https://shop.example/back?a=1&transaction_id=pay-1&msid=")
    assert sandbox.skrill.sessions[sid].status == "2"


def test_a_session_ends_after_a_quarter_of_an_hour(http, sandbox):
    sid = http.post("/skrill/pay", data=session()).text
    sandbox.skrill.sessions[sid].ends -= 15 * 60 + 1
    assert http.get(f"/skrill/pay?sid={sid}").status_code == 404


def test_the_query_interface_answers_in_its_first_line(http, sandbox, told):
    who = {
        "email": told.skrill["pay_to_email"],
        "password": hashlib.md5(told.skrill["mqi_password"].encode()).hexdigest(),
    }
    sid = http.post("/skrill/pay", data=session()).text

    def query(**more):
        answer = http.post("/skrill/app/query.pl", data=who | {"action": "status_trn", "trn_id": "pay-1"} | more)
        assert answer.status_code == 200
        return answer.text

    assert query() == "403\t\tTransaction not found: pay-1"
    sandbox.skrill.pay(sid)
    assert query().startswith("200\t\tOK\n")
    assert "md5sig=" in query()
    assert query(action="everything").startswith("402\t\t")
    assert query(password="x") == "401\t\tCannot login"
    before = len(sandbox.skrill.courier.posts)
    assert query(action="repost") == "200\t\tOK"
    assert len(sandbox.skrill.courier.posts) == before + 1


# Messages to the shop


def test_a_webhook_is_repeated_until_the_shop_says_yes(call, sandbox, door):
    url, arrived, answers = door
    sandbox.paypal.merchant.webhook_url = url
    answers += [500, 404]
    sandbox.paypal.approve(call(ORDERS, order()).json()["id"])
    assert sandbox.wait()
    (post,) = sandbox.paypal.courier.posts
    assert post.answers == [500, 404, 200]
    assert len({request.body for request in arrived}) == 1
    assert b"sandbox.buyer@personal.example" in post.body


def test_skrill_wants_exactly_200(http, sandbox, door):
    url, _, answers = door
    answers += [204, 302]
    sid = http.post("/skrill/pay", data=session(status_url=url)).text
    sandbox.skrill.pay(sid)
    assert sandbox.wait()
    assert sandbox.skrill.courier.posts[0].answers == [204, 302, 200]


def test_dropped_messages_are_written_down_and_never_sent(call, sandbox, door):
    sandbox.paypal.merchant.webhook_url = door[0]
    sandbox.paypal.courier.dropping = True
    sandbox.paypal.approve(call(ORDERS, order()).json()["id"])
    assert sandbox.wait()
    assert door[1] == []
    (post,) = sandbox.paypal.courier.posts
    assert sandbox.paypal.courier.burst(post, 12, at_once=6) == [200] * 12
    assert len(door[1]) == 12


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8000/hook", True),
        ("http://localhost/hook", True),
        ("http://shop.localhost:1/hook", True),
        ("http://[::1]:1/hook", True),
        ("http://127.evil.example/", False),
        ("https://shop.example/hook", False),
        ("http://192.0.2.1/", False),
        ("mailto:shop@merchant.example", False),
        ("file:///etc/passwd", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_messages_go_to_this_machine_only(http, sandbox, url, local):
    assert is_local(url) is local
    if not local:
        sandbox.skrill.pay(http.post("/skrill/pay", data=session(status_url=url)).text)
        assert sandbox.skrill.courier.posts[0].url == ""
        assert sandbox.wait()


# The server


def test_only_loopback_names_are_answered(http):
    assert http.get("/mailbox/", headers={"Host": "sandbox.evil.example"}).status_code == 421
    assert http.get("/mailbox/", headers={"Host": "localhost:1"}).status_code == 200


def test_large_and_chunked_bodies_are_refused(http):
    assert http.post("/skrill/pay", content=b"x" * (1024 * 1024 + 1)).status_code == 413
    assert http.post("/skrill/pay", content=iter([b"x"])).status_code == 411


def test_unknown_paths_and_methods(http):
    assert http.get("/nothing").status_code == 404
    assert http.get("/paypal/v1/oauth2/token").status_code == 405


def test_a_fault_there_is_not_is_refused(sandbox):
    with pytest.raises(ValueError, match="fault"):
        sandbox.faults.add("explode")


# The controls over HTTP


@pytest.fixture
def control(http):
    return lambda name, **args: http.post(f"/_control/{name}", json=args)


def test_a_purchase_by_the_controls_alone(call, control, http):
    made = call(ORDERS, order()).json()["id"]
    assert control("paypal/approve", order_id=made).json()["result"].startswith("https://shop.example/back")
    control("paypal/next-capture", outcome="PENDING")
    call(f"{ORDERS}/{made}/capture", b"", request_id="c-1")
    sid = http.post("/skrill/pay", data=session()).text
    control("skrill/pay", sid=sid, outcome="pend")
    books = http.get("/_control/books").json()
    assert books["paypal"][0]["captures"][0]["status"] == "PENDING"
    assert books["skrill"][0]["status"] == "0"
    posts = http.get("/_control/posts").json()
    assert [post["kind"] for post in posts["paypal"]] == ["CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.PENDING"]
    assert b"Buyer" in base64.b64decode(posts["paypal"][0]["body"])


def test_faults_drops_and_resends_by_the_controls(call, control, http, door):
    assert control("paypal/webhook-url", url=door[0]).status_code == 200
    assert control("drop", provider="paypal").status_code == 200
    control("paypal/approve", order_id=call(ORDERS, order()).json()["id"])
    assert control("wait", seconds=2).json()["result"] is True
    assert door[1] == []
    assert control("resend", provider="paypal", number=0, times=3, at_once=3).json()["result"] == [200, 200, 200]
    assert control("fault", kind="503", where=ORDERS).status_code == 200
    assert call(ORDERS, order(), request_id="r-9").status_code == 503
    assert control("reset").status_code == 200
    assert http.get("/_control/books").json() == {"paypal": [], "skrill": []}


@pytest.mark.parametrize(
    ("name", "args", "status"),
    [
        ("nothing", {}, 404),
        ("paypal/approve", {"order_id": "NONE"}, 404),
        ("paypal/approve", {}, 400),
        ("fault", {"kind": "explode"}, 400),
        ("resend", {"provider": "paypal", "number": 9}, 400),
        ("drop", {"provider": "other"}, 404),
    ],
)
def test_controls_say_what_does_not_fit(control, name, args, status):
    answer = control(name, **args)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_web_page_cannot_press_the_controls(http):
    assert http.post("/_control/reset", data={"a": "1"}).status_code == 415
    assert http.post("/_control/reset", content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415
