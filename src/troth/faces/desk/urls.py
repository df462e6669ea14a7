"""Every page of the desk, in the order of its navigation. A page without a guard does not start.

To add one: a view in views/, guarded by open_to or in_job; a line here; a template that extends desk/base.html
(docs/desk.md, "Adding a page").
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from django.core.exceptions import ImproperlyConfigured
from django.http.response import HttpResponseBase
from django.urls import path
from django.utils.translation import gettext_lazy as _

from troth.faces.desk.guards import OpenTo
from troth.faces.desk.views import (
    colleagues,
    coupons,
    disclosure_papers,
    disclosures,
    entering,
    held,
    home,
    jobs,
    mailings,
    mails,
    money,
    order_acts,
    orders,
    policy,
    products,
    redirecting,
    releases,
    reports,
    search,
    stuck,
    tickets,
)


class Page(msgspec.Struct, frozen=True):
    path: str
    view: Callable[..., HttpResponseBase]
    name: str
    label: object = ""  # in the navigation, for whoever may see the page

    @property
    def open_to(self) -> OpenTo:
        found: OpenTo = self.view.open_to  # type: ignore[attr-defined]
        return found


PAGES = (
    Page("", home.view, "desk", _("My jobs")),
    Page("orders", orders.listing, "desk_orders", _("Orders")),
    Page("orders/<str:ref>", orders.view, "desk_order"),
    Page("held", held.listing, "desk_held", _("Held")),
    Page("held/<str:ref>", held.put, "desk_held_put"),
    Page("orders/<str:ref>/letter", order_acts.letter, "desk_order_letter"),
    Page("orders/<str:ref>/extend", order_acts.extend, "desk_order_extend"),
    Page("orders/<str:ref>/cancel", order_acts.cancel, "desk_order_cancel"),
    Page("orders/<str:ref>/ask", order_acts.ask, "desk_order_ask"),
    Page("orders/<str:ref>/refund", money.refund, "desk_order_refund"),
    Page("orders/<str:ref>/transfer", money.transfer, "desk_order_transfer"),
    Page("orders/<str:ref>/gave", money.gave, "desk_order_gave"),
    Page("mails", mails.listing, "desk_mails", _("Letters")),
    Page("mails/<str:letter>/again", mails.again, "desk_mail_again"),
    Page("stuck", stuck.listing, "desk_stuck", _("Stuck")),
    Page("stuck/<str:row>/again", stuck.again, "desk_stuck_again"),
    Page("tickets", tickets.listing, "desk_tickets", _("Questions")),
    Page("tickets/<str:ref>", tickets.view, "desk_ticket"),
    Page("tickets/<str:ref>/take", tickets.take, "desk_ticket_take"),
    Page("search", search.view, "desk_search"),
    Page("take", jobs.take, "desk_take"),
    Page("jobs/<str:job>", jobs.view, "desk_job"),
    Page("jobs/<str:job>/tickets/<str:ref>", tickets.in_one_job, "desk_job_ticket"),
    Page("jobs/<str:job>/tickets/<str:ref>/merge", tickets.merge, "desk_job_ticket_merge"),
    Page("jobs/<str:job>/tickets/<str:ref>/files/<str:attachment>", tickets.file, "desk_job_ticket_file"),
    Page("jobs/<str:job>/orders/<str:ref>/address", redirecting.view, "desk_job_redirect"),
    Page("jobs/<str:job>/close", jobs.close, "desk_job_close"),
    Page("mailings", mailings.listing, "desk_mailings", _("Mailings")),
    Page("mailings/write", mailings.write, "desk_mailing_write"),
    Page("mailings/<str:ref>", mailings.view, "desk_mailing"),
    Page("mailings/<str:ref>/change", mailings.change, "desk_mailing_change"),
    Page("mailings/<str:ref>/letter", mailings.letter, "desk_mailing_letter"),
    Page("mailings/<str:ref>/put", mailings.put, "desk_mailing_put"),
    Page("mailings/<str:ref>/send", mailings.send, "desk_mailing_send"),
    Page("products", products.listing, "desk_products", _("Products")),
    Page("new-product", products.new, "desk_product_new"),
    Page("products/<str:slug>", products.view, "desk_product"),
    Page("products/<str:slug>/texts", products.texts, "desk_product_texts"),
    Page("products/<str:slug>/edition", products.edition, "desk_product_edition"),
    Page("products/<str:slug>/stop", products.stop, "desk_product_stop"),
    Page("products/<str:slug>/preview", products.preview, "desk_product_preview"),
    Page("products/<str:slug>/publish", products.publish, "desk_product_publish"),
    Page("products/<str:slug>/withdraw", products.withdraw, "desk_product_withdraw"),
    Page("products/<str:slug>/new-version", releases.upload, "desk_release_new"),
    Page("products/<str:slug>/versions/<str:version>", releases.view, "desk_release"),
    Page("products/<str:slug>/versions/<str:version>/put-out", releases.put_out, "desk_release_put_out"),
    Page("products/<str:slug>/versions/<str:version>/recall", releases.recall, "desk_release_recall"),
    Page("products/<str:slug>/versions/<str:version>/drop", releases.drop, "desk_release_drop"),
    Page("coupons", coupons.listing, "desk_coupons", _("Coupons")),
    Page("coupons/new", coupons.new, "desk_coupon_new"),
    Page("coupons/end", coupons.end, "desk_coupon_end"),
    Page("policy", policy.view, "desk_policy", _("Policy")),
    Page("reports", reports.view, "desk_reports", _("Reports")),
    Page("reports/books", reports.the_books, "desk_books"),
    Page("reports/<str:name>", reports.view, "desk_report"),
    Page("reports/<str:name>/table", reports.table, "desk_report_table"),
    Page("openings", reports.openings, "desk_openings", _("Openings")),
    Page("openings/table", reports.openings_table, "desk_openings_table"),
    Page("break-glass", jobs.glass, "desk_glass"),
    Page("disclosures", disclosures.listing, "desk_disclosures", _("Disclosures")),
    Page("disclosures/outside", disclosures.outsiders, "desk_disclosure_outsiders"),
    Page("disclosures/new", disclosures.new, "desk_disclosure_new"),
    Page("disclosures/<str:ref>", disclosures.view, "desk_disclosure"),
    Page("disclosures/<str:ref>/narrow", disclosures.narrow, "desk_disclosure_narrow"),
    Page("disclosures/<str:ref>/do", disclosures.do, "desk_disclosure_do"),
    Page("disclosures/<str:ref>/sign", disclosures.sign, "desk_disclosure_sign"),
    Page("disclosures/<str:ref>/bar", disclosures.prolong, "desk_disclosure_prolong"),
    Page("disclosures/<str:ref>/bundle", disclosures.bundle, "desk_disclosure_bundle"),
    Page("disclosures/<str:ref>/take", disclosure_papers.take, "desk_disclosure_take"),
    Page("jobs/<str:job>/disclosures/<str:ref>", disclosure_papers.view, "desk_disclosure_papers"),
    Page(
        "jobs/<str:job>/disclosures/<str:ref>/documents/<str:document>",
        disclosure_papers.document,
        "desk_disclosure_document",
    ),
    Page("colleagues", colleagues.listing, "desk_colleagues", _("Colleagues")),
    Page("colleagues/invite", colleagues.invite, "desk_invite"),
    Page("colleagues/<str:ref>", colleagues.view, "desk_colleague"),
    Page("colleagues/<str:ref>/put", colleagues.put, "desk_colleague_put"),
    Page("sign-in", entering.sign_in, "desk_sign_in"),
    Page("second-factor", entering.second_factor, "desk_second_factor"),
    Page("second-factor/app", entering.app, "desk_app"),
    Page("factors", entering.factors, "desk_factors"),
    Page("factors/count", entering.count, "desk_factor_count"),
    Page("again", entering.again, "desk_again"),
    Page("sign-out", entering.sign_out, "desk_sign_out"),
    Page("join/<str:secret>", entering.join, "desk_join"),
)
for _page in PAGES:
    if not isinstance(getattr(_page.view, "open_to", None), OpenTo):
        raise ImproperlyConfigured(f"the page {_page.name} does not say who may see it: see faces/desk/guards.py")

urlpatterns = [path(f"desk/{one.path}", one.view, name=one.name) for one in PAGES]
