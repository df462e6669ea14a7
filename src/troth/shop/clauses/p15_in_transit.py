"""P15: online, sensitive information is encrypted in transit."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from troth import config
from troth.pledge.policy.clause import Check, Clause, Finding, Mutant, broken, gap, holds, unknown
from troth.pledge.policy.probe import Probe
from troth.shop.clauses import asked_from_outside, mutations
from troth.shop.delivery import post

HSTS_LEAST = 180 * 86400  # seconds
RENEW_WITHIN = 10  # days before the end in which a certificate should have been renewed


def the_shop_is_reached_by_tls(probe: Probe) -> Iterator[Finding]:
    if not _is_https(probe):
        if config.is_loopback(urlsplit(probe.config.web.public_url).hostname or ""):
            yield gap("test mode: this shop is reached on this machine only, without TLS")
        else:
            yield broken("the shop's address is not https")
        return
    try:
        version, ends = asked_from_outside.tls(probe.config)
        old = asked_from_outside.speaks_old_tls(probe.config)
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError):  # hung up on: nothing was said of the certificate
        yield unknown("the shop's own address hung up before it said who it is")
        return
    except ssl.SSLError:
        yield broken("the shop's certificate is not one that browsers trust")
        return
    except OSError:
        yield unknown("the shop's own address could not be reached from here")
        return
    yield holds(f"the shop answers by {version} with a certificate that browsers trust")
    if old:
        yield broken("the shop still speaks TLS 1.0 or 1.1")
    days = (ends - probe.now).days
    if days < RENEW_WITHIN:
        yield gap(f"the shop's certificate ends in {days} days: renew it now")


def plain_http_gets_nothing(probe: Probe) -> Iterator[Finding]:
    if not _is_https(probe):
        yield gap("test mode: this shop speaks plain HTTP on this machine only")
        return
    got = asked_from_outside.plain_http(probe.config)
    if got == "the page":
        yield broken("the shop's pages are shown without TLS as well")
    yield holds(f"who comes without TLS gets no page ({got})")


def browsers_stay_with_tls(probe: Probe) -> Iterator[Finding]:
    if not _is_https(probe):
        yield gap("test mode: cookies travel on this machine only")
        return
    header = probe.page("/").headers.get("strict-transport-security", "")
    age = next((part.strip()[8:] for part in header.split(";") if part.strip().startswith("max-age=")), "0")
    if not age.isdigit() or int(age) < HSTS_LEAST:
        yield broken("browsers are not told to come by https only (Strict-Transport-Security)")
    if not (settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE):
        yield broken("cookies may travel without TLS")
    yield holds("browsers come by https only, and cookies travel by nothing else")


def mail_leaves_by_tls(probe: Probe) -> Iterator[Finding]:
    relay, trust = urlsplit(settings.TROTH.mail.url), post.trust()
    if trust.verify_mode != ssl.CERT_REQUIRED or not trust.check_hostname:
        yield broken("whoever answers for the relay is believed to be it, without a good certificate")
    if not post.refuses_without_tls():
        yield broken("mail goes to a relay that offers no TLS, where TLS is what the settings want")
    if relay.scheme in ("smtps", "smtp+starttls"):
        yield holds("mail leaves for the relay over TLS with a verified certificate, or not at all")
    elif config.is_loopback(relay.hostname or ""):
        yield holds("mail is handed to a relay on this machine")
    else:
        yield broken("mail leaves for another machine without TLS")


def _is_https(probe: Probe) -> bool:
    return urlsplit(probe.config.web.public_url).scheme == "https"


def _anybody() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _plain_relay() -> AbstractContextManager[None]:
    mail = msgspec.structs.replace(settings.TROTH.mail, url="smtp://mail.example.org:25")
    return mutations.replaced(settings, "TROTH", msgspec.structs.replace(settings.TROTH, mail=mail))


class _Plain(BaseHTTPRequestHandler):
    """A page for whoever comes without TLS."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"the page")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""


@contextmanager
def _without_tls() -> Iterator[None]:
    """The proxy in front of the shop lost its certificate and serves plain HTTP at the shop's address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Plain) as proxy:
        port = proxy.server_address[1]
        web = msgspec.structs.replace(settings.TROTH.web, port=port, public_url=f"https://127.0.0.1:{port}")
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        with mutations.replaced(settings, "TROTH", msgspec.structs.replace(settings.TROTH, web=web)):
            yield
        proxy.shutdown()


CLAUSE = Clause(
    id="P15",
    title=_("Encrypted online"),
    words=_("Whatever you tell us online is encrypted on its way."),
    stricter="",
    enforced=(
        _("The shop is served by https; who comes without it gets no page."),
        _("Browsers are told to come by nothing else, and so do cookies."),
        _("Mail goes to the relay over verified TLS; settings that allow less are refused at the start."),
    ),
    checks=(
        Check("the shop's own address answers over TLS", "runtime", the_shop_is_reached_by_tls),
        Check("plain HTTP gets no page", "runtime", plain_http_gets_nothing),
        Check("browsers and cookies stay with TLS", "runtime", browsers_stay_with_tls),
        Check("mail leaves over TLS", "static", mail_leaves_by_tls),
    ),
    mutants=(
        Mutant(
            "the relay's certificate ran out, and is not looked at any more",
            lambda: mutations.replaced(post, "trust", _anybody),
            turns=(mail_leaves_by_tls,),
        ),
        # Not in the demo: a letter that is due meanwhile would try that relay, be refused, and break P14 for a while.
        Mutant("a relay without TLS", _plain_relay, in_demo=False, turns=(mail_leaves_by_tls,)),
        Mutant(
            "a proxy that lost its certificate",
            _without_tls,
            in_demo=False,
            turns=(the_shop_is_reached_by_tls, plain_http_gets_nothing, browsers_stay_with_tls),
        ),
        Mutant(
            "TLS to the relay if it offers it",
            lambda: mutations.replaced(post, "_secure", lambda line, relay: None),
            in_demo=False,
            turns=(mail_leaves_by_tls,),
        ),
    ),
)
