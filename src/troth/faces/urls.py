"""Every address of the shop. Their names are what templates, headers and clauses know them by."""

from __future__ import annotations

from django.urls import path

from troth.faces.api import composer
from troth.faces.api import licences as api
from troth.faces.storefront.views import (
    accounts,
    basket,
    checkout,
    downloads,
    erasing,
    files,
    health,
    hooks,
    invoices,
    ledger,
    licences,
    openings,
    orders,
    own,
    plain,
    promises,
    shelf,
)

handler400 = "troth.faces.storefront.views.errors.bad_request"
handler403 = "troth.faces.storefront.views.errors.forbidden"
handler404 = "troth.faces.storefront.views.errors.not_found"
handler500 = "troth.faces.storefront.views.errors.broken"

urlpatterns = [
    path("", shelf.browse, name="shelf"),
    path("p/<slug:slug>", shelf.product, name="product"),
    path("basket", basket.view, name="basket"),
    path("checkout", checkout.view, name="checkout"),
    path("orders/<str:ref>", orders.view, name="order"),
    path("orders/<str:ref>/pay", orders.pay, name="order_pay"),
    path("orders/<str:ref>/key/<str:token>", orders.by_key, name="order_key"),
    path("orders/<str:ref>/licences/<str:name>.json", licences.signed_file, name="order_licence"),
    path("orders/<str:ref>/licences/<str:name>/replace", licences.replace, name="order_licence_replace"),
    path("return/paypal", orders.returned, {"provider": "paypal"}, name="return_paypal"),
    path("return/skrill", orders.returned, {"provider": "skrill"}, name="return_skrill"),
    path("hooks/paypal", hooks.receive, {"provider": "paypal"}, name="hook_paypal"),
    path("hooks/skrill", hooks.receive, {"provider": "skrill"}, name="hook_skrill"),
    path("download/<str:grant>/<int:release>", downloads.fetch, name="download"),
    path("invoice/<str:invoice>.pdf", invoices.paper, name="invoice_pdf"),
    path("invoice/<str:invoice>", invoices.view, name="invoice"),
    path("api/licence/activate", api.activate, name="licence_activate"),
    path("api/licence/check", api.check, name="licence_check"),
    path("api/licence/deactivate", api.deactivate, name="licence_deactivate"),
    path("api/licence/file", api.signed_file, name="licence_file"),
    path(".well-known/licence-key.json", api.public_key, name="licence_key"),
    path("composer/packages.json", composer.index, name="composer"),
    path("composer/p2/<path:package>.json", composer.metadata, name="composer_metadata"),
    path("composer/providers/<path:package>.json", composer.providers, name="composer_providers"),
    path("composer/dist/<path:package>/<str:version>.zip", composer.dist, name="composer_dist"),
    path("register", accounts.register, name="register"),
    path("sign-in", accounts.sign_in, name="sign_in"),
    path("sign-out", accounts.sign_out, name="sign_out"),
    path("confirm/<str:ticket>/<str:secret>", accounts.confirm, name="confirm"),
    path("claim/<str:ticket>/<str:secret>", accounts.claim, name="claim"),
    path("recover", accounts.recover, name="recover"),
    path("recover/<str:ticket>/<str:secret>", accounts.recover_finish, name="recover_finish"),
    path("account", own.account, name="account"),
    path("account/email", own.email, name="account_email"),
    path("account/password", own.password, name="account_password"),
    path("account/privacy", own.privacy, name="account_privacy"),
    path("account/privacy/receipt/<int:seq>", openings.receipt, name="receipt"),
    path("account/erase", erasing.own, name="account_erase"),
    path("erase", erasing.ask, name="erase"),
    path("erase/<str:ticket>/<str:secret>", erasing.prove, name="erase_prove"),
    path("erasures/<str:ref>/<str:token>", erasing.receipt, name="erasure"),
    path("orders/<str:ref>/erase", erasing.of_order, name="order_erase"),
    path("privacy", promises.view, name="privacy"),
    path("ledger/checkpoint", ledger.checkpoint, name="ledger_checkpoint"),
    path("ledger/verify", openings.verify, name="ledger_verify"),
    path("ledger/vkey", ledger.key, name="ledger_key"),
    path("ledger/tile/<path:path>", ledger.tile, name="ledger_tile"),
    path("privacy.json", promises.as_json, name="privacy_json"),
    path("terms", plain.terms, name="terms"),
    path("contact", plain.contact, name="contact"),
    path("healthz", health.healthz, name="healthz"),
    path("metrics", health.metrics, name="metrics"),
    path(".well-known/security.txt", plain.security_txt, name="security_txt"),
    path(".well-known/gpc.json", plain.gpc_json, name="gpc_json"),
    path("static/<str:name>", files.static, name="static"),
    path("media/<path:file>", files.media, name="media"),
]
