"""Every table of the main database: what it holds about a person, why, how long, and what erasing that person does.

Erasure (journeys/erase.py), retention (journeys/retain.py) and the pages read this list and nothing else. A table or a
field that does not stand here stops the start. Sealed columns speak for themselves: their class is in the model.

`about`: says something about a person, in clear. `ours`: identifiers of ours, states, times, sums, goods.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core import checks
from django.utils.translation import gettext_lazy as _

from troth.config import ConfigError
from troth.pledge.rights.holding import Cut, Delete, Ends, Holding, Keep, undeclared
from troth.shop import ways_out

PSEUDONYM = "a reference that names nobody once the keys behind it are gone"
BOOKS = "the books: what was sold when, where and for how much, without its buyer"

PEOPLE = (
    Holding(
        "vault.Person", _("to hold your keys apart from everybody else's"), person="ref",
        ours="ref key_set enrol_secret made_at taken_at",
        erasing=Keep(f"{PSEUDONYM}; the keys in it are public ones, and open nothing"),
    ),
    Holding(
        "accounts.Account", _("so that you can sign in"), person="person",
        about="policy_version confirmed_at", ours="person epoch made_at", erasing=Delete(),
    ),
    Holding(
        "accounts.Contact", _("to deliver, to write about your orders, to answer you"), person="person",
        about="followed_at", ours="id person state made_at", erasing=Cut(("contact",)),
    ),
    Holding(
        "accounts.Claim", _("to show what you bought as a guest in your account"), person="guest",
        ours="guest account made_at", erasing=Delete(),
    ),
    Holding("accounts.Locality", _("to prefill your bill"), person="person", ours="person", erasing=Delete()),
    Holding(
        "orders.Billing", _("to bill, and for tax"), person="person", about="country business",
        ours="id person made_at",
        erasing=Cut(("billing",), spared=("order__paid_at", "invoice__issued_at")),
    ),
    Holding(
        "orders.Order", _("to sell to you, and for the books"), person="person",
        about="country viewer",
        ours="ref person contact billing currency total_minor coupon state once policy_version terms_version made_at "
        "paid_at moved_at",
        erasing=Cut(("viewer", "once")),
    ),
    Holding(
        "withdrawals.Waiver", _("to show that you asked for delivery at once, and knew what it ends"),
        person="order__person", ours="order words given_at", erasing=Keep(BOOKS),
    ),
    Holding(
        "withdrawals.Withdrawal", _("to give back what you withdrew from"), person="order__person",
        ours="id order state outcome reason asked_at declared_at", erasing=Keep(BOOKS),
    ),
    Holding(
        "orders.OrderLine", _("what you bought, and for the books"), person="order__person",
        about="tax_country treatment", ours="id order edition name unit_minor quantity off_minor net_minor tax_minor "
        "rate renews returned_minor ended", erasing=Keep(BOOKS),
    ),
    Holding(
        "coupons.Use", _("to count how often a coupon was used"), person="order__person",
        about="once_viewer", ours="order coupon once_person taken_at", erasing=Cut(("once_viewer",)),
    ),
    Holding(
        "payments.Payment", _("to be paid, to give money back, and for the books"), person="order__person",
        about="payer_country", ours="id order provider provider_ref capture_ref pay_url payee amount_minor currency "
        "state reason attempt looks made_at settled_at captured_minor refunding_minor refunded_minor regained_minor "
        "received_minor received_currency surplus", erasing=Keep(BOOKS),
    ),
    Holding(
        "payments.Refund", _("to give money back once"), person="payment__order__person",
        ours="id payment provider kind why amount_minor state session provider_ref attempt reason made_at done_at",
        erasing=Keep(BOOKS),
    ),
    Holding(
        "payments.RefundLine", _("to know what the money was given back for"), person="refund__payment__order__person",
        ours="id refund line amount_minor", erasing=Keep(BOOKS),
    ),
    Holding(
        "payments.Dispute", _("to answer a complaint that you made to the payment provider"),
        person="payment__order__person", ours="id payment provider provider_ref state amount_minor stage reason "
        "outcome answer_by opened_at ended_at", erasing=Keep(BOOKS),
    ),
    Holding(
        "payments.ProviderEvent", _("what the payment provider told us about a payment"),
        person="payment__order__person", ours="id provider event_id kind payment verified times kept outcome about "
        "came_at",
        erasing=Keep(f"{BOOKS}; of what providers send only states, sums and references are kept"),
    ),
    Holding(
        "payments.Transfer", _("to show that a bank transfer paid for your order"), person="order__person",
        ours="order payment reference booked_on by noted_at",
        erasing=Keep(f"{BOOKS}; the bank's name of the booking, and nobody's account"),
    ),
    Holding(
        "invoices.Invoice", _("your invoices, as tax law wants them kept"), person="person",
        about="tax_country treatment", ours="id kind number series sequence cause order person billing corrects rate "
        "currency net_minor tax_minor snapshot digest issued_at", erasing=Keep(BOOKS),
    ),
    Holding(
        "invoices.Print", _("to show that an invoice is as it was"), person="invoice__person",
        ours="id invoice renderer sha256 made_at",
        erasing=Keep("a hash of bytes with a sealed random number in them, which confirms no guess"),
    ),
    Holding(
        "invoices.Handover", _("to hand you an invoice, sealed to your request alone"), person="invoice__person",
        ours="id invoice form public proof sealed code asked_at", erasing=Delete(), ends=Ends("asked_at", 1),
    ),
    Holding(
        "fraud.Trace", _("to protect you, us and the payment providers from fraud"), person="person",
        ours="id person order made_at", erasing=Delete(), ends=Ends("made_at", "network_days"),
    ),
    Holding(
        "fraud.Sighting", _("to count how much comes from one address within a day, without knowing it"),
        person="order__person", about="caller", ours="id what order made_at", erasing=Delete(), ends=Ends("made_at", 1),
    ),
    Holding(
        "fraud.Hold", _("to look at an order before it is paid, where several signs of fraud speak against it"),
        person="order__person", about="points signs", ours="order state by made_at until ended_at", erasing=Delete(),
        ends=Ends("made_at", "network_days", where={"state__in": ("released", "refused")}),
    ),
    Holding(
        "delivery.Grant", _("so that you can download what you bought"), person="line__order__person",
        ours="id line product ends_at limit used open_until made_at",
        erasing=Keep("what was bought may be fetched until its time is over, by who has the link"),
    ),
    Holding(
        "licences.Licence", _("so that what you bought can be used and updated"), person="line__order__person",
        ours="id line number key_hash key_hidden key_made_at sites active sold_until updates_until "
        "issued_at revoked_at",
        erasing=Keep("what was bought goes on working, for who has the key; nothing in it says whose it is"),
    ),
    Holding(
        "renewals.Renewal", _("so that what you paid for prolongs your licence once"), person="line__order__person",
        ours="line licence months paid_on", erasing=Keep(BOOKS),
    ),
    Holding(
        "entitlements.Entitlement", _("so that you get the help that you bought"), person="line__order__person",
        ours="id line begins until minutes used", erasing=Keep(BOOKS),
    ),
    Holding(
        "entitlements.Work", _("to tell you what your hours were used for"), person="entitlement__line__order__person",
        about="what", ours="id entitlement minutes done_at", erasing=Cut(("what",)),
    ),
    Holding(
        "licences.RetiredKey", _("so that a key that was replaced opens nothing"),
        person="licence__line__order__person",
        ours="key_hash licence retired_at", erasing=Keep("a keyed hash of a key of ours, which is good for nothing"),
    ),
    Holding(
        "licences.Activation", _("to count where a licence is in use"), person="licence__line__order__person",
        about="instance_hash", ours="id licence activated_at", erasing=Delete(),
    ),
    Holding(
        "licences.StockKey", _("to sell each key from elsewhere once"), person="line__order__person",
        ours="id key_hash key_hidden edition line imported_at",
        erasing=Keep("which key was sold, so that it is never sold again; nothing in it says to whom"),
    ),
    Holding(
        "staff.Member", _("so that colleagues know who took something up"), person="person",
        about="handle", ours="person joined_at", erasing=Cut(("handle",)),
    ),
    Holding(
        "staff.Job", _("to show who here took up something of yours, and why"), person="person",
        ours="id member person purpose why about loud role openings taken_at until closed_at",
        erasing=Keep(f"when somebody here worked on what; the customer in it is {PSEUDONYM}"),
        ends=Ends("taken_at", 1100),
    ),
    Holding(
        "delivery.Letter", _("to send each letter once"), person="person",
        ours="id kind subject person order state attempts last_code queued_at sent_at",
        erasing=Delete(), where={"order__isnull": True},
        ends=Ends("queued_at", 90, where={"order__isnull": True, "state__in": ("sent", "failed")}),
    ),
    Holding(
        "support.Ticket", _("to answer you"), person="person",
        ours="ref person order product about merged_into state came_by once made_at touched_at due_at answered_at "
        "closed_at", erasing=Delete(), ends=Ends("closed_at", "correspondence_days"),
    ),
    Holding(
        "support.Message", _("what you wrote to us, and what we answered"), person="person",
        ours="id ticket person side came_by by masked made_at", erasing=Delete(),
    ),
    Holding(
        "support.Attachment", _("files that came with a message"), person="person",
        ours="id message person size made_at", erasing=Delete(),
    ),
    Holding(
        "support.Piece", _("the content of such files, sealed"), person="attachment__person",
        ours="id attachment n sealed", erasing=Delete(),
    ),
    Holding(
        "support.Parcel", _("to read your mail once"), about="sealed", ours="id came_at",
        erasing=Keep("it is read within minutes, or goes on its date"), ends=Ends("came_at", 14),
    ),
    Holding(
        "support.Heard", _("to read each mail once, and no flood of them"), about="sender", ours="id outcome heard_at",
        erasing=Keep("a keyed hash that leads to nobody; it goes on its date"), ends=Ends("heard_at", 30),
    ),
    # A case has keys of its own, which are nobody's: whoever it is about hears of it by letter, when they may.
    Holding(
        "disclosure.Case", _("to answer who has a lawful claim to know something of a customer"), person="person",
        ours="ref person state basis grounds action country recipient document asked checked salt scope bundle outcome "
        "accounts fields approvals answer_by came_at handed_at closed_at", erasing=Cut(("statement", "issuer")),
        ends=Ends("closed_at", 1100, Cut(("statement", "issuer", "scope", "bundle"))),
    ),
    Holding(
        "disclosure.Document", _("to show by which document it was asked"), person="person",
        ours="id case person sha256 size made_at", erasing=Delete(), ends=Ends("case__closed_at", 1100),
    ),
    Holding(
        "disclosure.Sheet", _("the content of such a document, sealed"), person="document__person",
        ours="id document n sealed", erasing=Delete(),
    ),
    Holding(
        "disclosure.Named", _("to tell those of it whom it is about, when they may be told"), person="case__person",
        ours="id case person told_at", erasing=Keep(f"that a case was about {PSEUDONYM}"),
    ),
    Holding(
        "rights.Erasure", _("to show that you were forgotten"), person="person",
        about="why",
        ours="id person state ticket asked_at proved_at due_at lettered_at ended_at kept_until backups_end",
        erasing=Keep(f"it is the receipt, and has {PSEUDONYM}"),
        ends=Ends("asked_at", 1100, where={"state__in": ("done", "cancelled", "lapsed")}),
    ),
    Holding(
        "rights.Export", _("to hand you what we hold, sealed to your request alone"), person="person",
        ours="id person public proof sealed code asked_at", erasing=Delete(), ends=Ends("asked_at", 1),
    ),
    Holding(
        "rights.Consent", _("to write to you only as you allow, and to show that you did"), person="person",
        about="what place", ours="id person topic basis wording said_at carried_at", erasing=Delete(),
    ),
    Holding(
        "mailings.Recipient", _("to send you each mailing at most once"), person="person", about="mailbox",
        ours="id mailing person state attempts last_code next_at taken_at ended_at", erasing=Delete(),
        ends=Ends("ended_at", 90),
    ),
    Holding(
        "accounts.Session", _("so that you stay signed in"), person="account", about="session_data",
        ours="session_key account expire_date made_at", erasing=Delete(), ends=Ends("expire_date", 0),
    ),
    Holding(
        "orders.Basket", _("so that your browser finds its basket again"), about="key_hash", ours="coupon touched_at",
        erasing=Keep("that of a browser which ordered goes with the buyer; nothing else leads from a person to one"),
        ends=Ends("touched_at", 30),
    ),
)  # fmt: skip

NOBODYS = tuple(
    Holding(table, "", ours=fields)
    for table, fields in (
        ("orders.BasketLine", "id basket edition quantity renews"),
        ("catalogue.Product", "slug kind name tagline summary description compatibility package published position "
         "updated_at includes"),
        ("catalogue.Edition", "id product code name terms hours support_months sites update_months position"),
        ("catalogue.Price", "id edition currency minor renewal_minor"),
        ("renewals.Reminder", "id about until days made_at"),
        ("licences.LowStock", "edition since"),
        ("coupons.Coupon", "code percent minor currency least_minor starts_at ends_at limit used once again products "
         "made_at"),
        ("catalogue.Release", "id product version released_on file size sha256 sha1 manifest changes requires "
         "position"),
        ("catalogue.Draft", "id product version file size sha256 sha1 manifest changes requires made_at"),
        ("catalogue.Picture", "id product file alt width height position"),
        ("due.Due", "id kind subject run_after every attempts fence lease_until last_code made_at gave_up_at"),
        ("payments.Difference", "id provider kind provider_ref payment ours_minor theirs_minor currency found_at "
         "gone_at"),
        ("rights.Wording", "hash version language text"),
        ("mailings.Mailing", "id kind title text segment release state begins_at built_to made_at done_at"),
        ("policy.Verdict", "id clause state findings checked_at expires_at took_ms"),
        ("policy.Version", "name text digest made_at told_to told_at takes_effect_at"),
        ("policy.Confirmation", "id clause item confirmed_at"),
        ("invoices.Series", "name last"),
        ("invoices.Figure", "id of begins kind currency country treatment rate product papers pieces net_minor "
         "tax_minor"),
        ("texts.Publication", "id name number version text since"),
        ("vault.Seen", "id ledger_size erased checkpoint trouble incidents"),
        ("vault.LedgerEvent", "event_id event seq made_at"),
        ("disclosure.Bar", "id case document until made_at"),
        ("disclosure.OutsideApprover", "key label since"),
        ("vault.Rotation", "what cursor rests_until done left begun_at"),
    )
)  # fmt: skip

HOLDINGS: tuple[Holding, ...] = PEOPLE + NOBODYS


@checks.register
def everything_is_declared(app_configs: Any, **given: Any) -> list[checks.CheckMessage]:
    """Django's check: an undeclared table or field is an error, and nothing starts with one."""
    return [checks.Error(sentence, id="troth.E002") for sentence in _all_undeclared()]


def refuse_undeclared() -> None:
    """ConfigError with a line each while anything stands undeclared: web, worker and migrate ask before they start."""
    if lines := _all_undeclared():
        raise ConfigError(lines)


def _all_undeclared() -> list[str]:
    return [*undeclared(HOLDINGS, apps.get_models()), *ways_out.undeclared()]
