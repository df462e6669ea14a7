"""Every address of the shop. Their names are what templates, headers and clauses know them by."""

from __future__ import annotations

from django.urls import path

from troth.faces.storefront.views import files, health, plain, shelf

handler400 = "troth.faces.storefront.views.errors.bad_request"
handler403 = "troth.faces.storefront.views.errors.forbidden"
handler404 = "troth.faces.storefront.views.errors.not_found"
handler500 = "troth.faces.storefront.views.errors.broken"

urlpatterns = [
    path("", shelf.browse, name="shelf"),
    path("p/<slug:slug>", shelf.product, name="product"),
    path("terms", plain.terms, name="terms"),
    path("contact", plain.contact, name="contact"),
    path("healthz", health.healthz, name="healthz"),
    path("metrics", health.metrics, name="metrics"),
    path(".well-known/security.txt", plain.security_txt, name="security_txt"),
    path(".well-known/gpc.json", plain.gpc_json, name="gpc_json"),
    path("static/<str:name>", files.static, name="static"),
    path("media/<path:file>", files.media, name="media"),
]
