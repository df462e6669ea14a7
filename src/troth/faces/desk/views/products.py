"""Goods: what is for sale, what its page says and what it costs. Nothing here is about a person."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.faces.desk.answers import page
from troth.faces.desk.forms_of_goods import EditionForm, ProductForm, TextsForm, lines
from troth.faces.desk.guards import open_to
from troth.faces.storefront.guards import See
from troth.faces.storefront.views.shelf import kind_names, shown
from troth.shop.catalogue import prose, shelf, shelving
from troth.shop.catalogue.models import Edition, Price, Product
from troth.shop.journeys import goods
from troth.shop.money import Money
from troth.shop.refusal import Refused

KEEPERS = ("catalogue", "owner")
form_page = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@open_to(*KEEPERS)
def listing(request: HttpRequest) -> HttpResponse:
    asked = request.GET.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdigit() and 0 < int(asked) < 10_000 else 1
    found, more = goods.listed(number)
    return page(request, "products.html", {"goods": found, "number": number, "more": more, "kinds": kind_names()})


@form_page
@open_to(*KEEPERS)
def new(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return page(request, "product_new.html", {"form": ProductForm(initial={"kind": "module"})})
    form = ProductForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            edition = shelving.NewEdition(_price(given["price"]))
            made = shelving.add(shelving.NewProduct(given["slug"], given["name"], given["kind"]), edition)
        except Refused as no:
            form.refuse(no)
        else:
            return See(reverse("desk_product_texts", args=[made.pk]))
    return page(request, "product_new.html", {"form": form}, 400)


@require_safe
@open_to(*KEEPERS)
def view(request: HttpRequest, slug: str) -> HttpResponse:
    row = found(slug)
    prices = Price.objects.filter(edition__product=row).select_related("edition").order_by("edition__position", "id")
    context = {
        "product": row,
        "kind": kind_names()[row.kind],
        "prices": list(prices),
        "releases": list(row.releases.all()[:50]),
        "drafts": list(row.drafts.all()[:50]),
        "sales": goods.sold(row.pk),
    }
    return page(request, "product.html", context)


@form_page
@open_to(*KEEPERS)
def texts(request: HttpRequest, slug: str) -> HttpResponse:
    row = found(slug)
    if request.method != "POST":
        keys = ("name", "tagline", "summary", "package")
        initial = {key: getattr(row, key) for key in keys} | {"seen": row.updated_at.isoformat()}
        initial |= {"description": prose.typed(row.description), "compatibility": "\n".join(row.compatibility)}
        return page(request, "product_texts.html", {"form": TextsForm(initial=initial), "product": row})
    form = TextsForm(request.POST)
    if form.is_valid():
        given = dict(form.cleaned_data)
        seen, given["compatibility"] = given.pop("seen"), lines(given["compatibility"])
        try:
            shelving.describe(slug, shelving.Texts(**given), seen)
        except Refused as no:
            form.refuse(no)
        else:
            return See(reverse("desk_product_preview", args=[slug]))
    return page(request, "product_texts.html", {"form": form, "product": row}, 400)


@form_page
@open_to(*KEEPERS)
def edition(request: HttpRequest, slug: str) -> HttpResponse:
    """?code= and ?currency= name one that is there, to be changed."""
    row = found(slug)
    if request.method != "POST":
        initial = _of_edition(row, request.GET.get("code", ""), request.GET.get("currency", ""))
        return page(request, "product_edition.html", {"form": EditionForm(initial=initial), "product": row})
    form = EditionForm(request.POST)
    if form.is_valid():
        try:
            shelving.offer(slug, form.given())
        except Refused as no:
            form.refuse(no)
        else:
            return See(reverse("desk_product", args=[slug]))
    return page(request, "product_edition.html", {"form": form, "product": row}, 400)


@require_POST
@open_to(*KEEPERS)
def stop(request: HttpRequest, slug: str) -> HttpResponse:
    """Sell one edition no more in one currency."""
    shelving.stop(slug, request.POST.get("code", ""), request.POST.get("currency", ""))
    return See(reverse("desk_product", args=[slug]))


@require_safe
@open_to(*KEEPERS)
def preview(request: HttpRequest, slug: str) -> HttpResponse:
    """The shop's own page of it, as it will be."""
    told = shelf.preview(slug, settings.TROTH.shop.currency)
    if told is None:
        raise Http404
    return page(request, "product_preview.html", shown(told))


@form_page
@open_to(*KEEPERS, fresh=True)
def publish(request: HttpRequest, slug: str) -> HttpResponse:
    row = found(slug)
    if request.method == "POST":
        shelving.publish(slug)
        return See(reverse("desk_product", args=[slug]))
    return page(request, "product_put.html", {"product": row, "deed": "publish"})


@form_page
@open_to(*KEEPERS, fresh=True)
def withdraw(request: HttpRequest, slug: str) -> HttpResponse:
    row = found(slug)
    if request.method == "POST":
        shelving.withdraw(slug)
        return See(reverse("desk_product", args=[slug]))
    return page(request, "product_put.html", {"product": row, "deed": "withdraw"})


def found(slug: str) -> Product:
    row = Product.objects.filter(slug=slug).first()
    if row is None:
        raise Http404
    return row


def _price(text: str) -> Money:
    try:
        return Money.parse(text, settings.TROTH.shop.currency)
    except ValueError:
        raise Refused(_("Write an amount such as 49.00, with a point."), "price") from None


def _of_edition(row: Product, code: str, currency: str) -> dict[str, Any]:
    one = Edition.objects.filter(product=row, code=code).first()
    if one is None:
        return {}
    keys = ("code", "name", "terms", "sites", "update_months", "support_months", "hours")
    initial = {key: getattr(one, key) for key in keys}
    price = one.prices.filter(currency=currency).first()
    if price is not None:
        initial |= {"currency": currency, "price": str(Money(price.minor, currency).decimal())}
        if price.renewal_minor is not None:
            initial["renewal"] = str(Money(price.renewal_minor, currency).decimal())
    return initial
