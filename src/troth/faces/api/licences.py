"""Programs ask about their licence: activate, check, deactivate, the signed file. JSON in, JSON out (docs/licences.md).

Every unknown key gets the same answer to the byte. Nothing personal is asked, answered or kept.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from troth.faces.api.callers import Window, caller
from troth.shop.journeys import activate as journey
from troth.shop.licences import file, secret
from troth.shop.licences.keys import MOST, canonical
from troth.shop.licences.standing import NoLicence

LONGEST_BODY = 4096
STATUS = {"unknown": 404, "limit": 409, "inactive": 409}  # all others 403
by_caller, by_key, by_failure = Window(240), Window(120), Window(20)

Short = Annotated[str, msgspec.Meta(max_length=journey.MOST, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Ask(msgspec.Struct, forbid_unknown_fields=True):
    key: Annotated[str, msgspec.Meta(min_length=1, max_length=MOST)]
    instance: Short = ""

    def __repr__(self) -> str:
        return "<ask>"


_ask = msgspec.json.Decoder(Ask)


def _endpoint(act: Callable[[Ask], HttpResponse], *, named: bool = False) -> Callable[[HttpRequest], HttpResponse]:
    """A view for POST with JSON. `named`: the instance must have a name."""

    @csrf_exempt
    def view(request: HttpRequest) -> HttpResponse:
        asked = _asked(request, named)
        if isinstance(asked, HttpResponse):
            return asked
        who = caller(request)
        wait = by_failure.full(who) or by_caller.count(who) or by_key.count(canonical(asked.key))
        if wait:
            answer = no(429, "too-many", _("Too many questions; ask again in a minute."))
            answer.headers["Retry-After"] = str(wait)
            return answer
        try:
            return act(asked)
        except NoLicence as refused:
            if refused.code == "unknown":
                by_failure.count(who)
            return no(STATUS.get(refused.code, 403), refused.code, str(refused.sentence))

    return view


def _asked(request: HttpRequest, named: bool) -> Ask | HttpResponse:
    if request.method != "POST":
        answer = no(405, "method", _("Send a POST request with JSON."))
        answer.headers["Allow"] = "POST"
        return answer
    if request.content_type != "application/json":
        return no(415, "malformed", _("Send JSON, with the header Content-Type: application/json."))
    if int(request.META.get("CONTENT_LENGTH") or 0) > LONGEST_BODY:
        return no(413, "malformed", _("Send a key and the name of an instance, nothing else."))
    try:
        asked = _ask.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        asked = None
    if asked is None or (named and not asked.instance.strip()):
        shape = '{"key": "…", "instance": "…"}' if named else '{"key": "…"}'
        return no(400, "malformed", _("Send an object such as {shape}.").format(shape=shape))
    return asked


def no(status: int, code: str, sentence: str) -> HttpResponse:
    return _json({"valid": False, "code": code, "sentence": sentence}, status)


def _json(said: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(said), status=status, content_type="application/json")


activate = _endpoint(lambda ask: _json(journey.activate(ask.key, ask.instance)), named=True)
check = _endpoint(lambda ask: _json(journey.check(ask.key, ask.instance)))
deactivate = _endpoint(lambda ask: _json(journey.deactivate(ask.key, ask.instance)), named=True)
signed_file = _endpoint(
    lambda ask: HttpResponse(journey.signed_file(ask.key, ask.instance), content_type="application/json")
)


@require_safe
def public_key(request: HttpRequest) -> HttpResponse:
    """GET /.well-known/licence-key.json: what verifies licence files of this shop."""
    pem = secret.signing_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    key = base64.b64encode(secret.public_key()).decode()
    answer = _json({"algorithm": "Ed25519", "keyid": file.key_id(), "key": key, "pem": pem.decode()})
    answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer
