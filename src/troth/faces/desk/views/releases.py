"""Versions of a product: an archive comes in, is looked into and kept as a draft; then released, or thrown away."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from troth.faces.desk import arriving
from troth.faces.desk.answers import page
from troth.faces.desk.forms_of_goods import DraftForm, lines
from troth.faces.desk.guards import open_to
from troth.faces.desk.views.products import KEEPERS, form_page, found
from troth.faces.storefront.guards import See
from troth.shop.catalogue import releasing
from troth.shop.catalogue.models import Draft, Product, Release
from troth.shop.journeys import goods
from troth.shop.refusal import Refused


@csrf_exempt
@form_page
@open_to(*KEEPERS)
def upload(request: HttpRequest, slug: str) -> HttpResponse:
    """Who may is looked at before a byte of the archive is; the form's token right after it has arrived."""
    if request.method == "POST":
        arriving.expect(request)
    answer: HttpResponse = _uploaded(request, slug)
    return answer


@csrf_protect
def _uploaded(request: HttpRequest, slug: str) -> HttpResponse:
    row = found(slug)
    if request.method != "POST":
        return page(request, "release_new.html", {"form": DraftForm(), "product": row})
    form = DraftForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            archive, changes = arriving.arrived(request), lines(given["changes"])
            made = releasing.draft(slug, given["version"], archive, changes, given["requires"], came_in=True)
        except Refused as no:
            form.refuse(no)
        except OSError:
            form.refuse(Refused(_("The file could not be kept; look whether the disk is full, then send it again.")))
        else:
            return See(reverse("desk_release", args=[slug, made.version]))
    return page(request, "release_new.html", {"form": form, "product": row}, 400)


@require_safe
@open_to(*KEEPERS)
def view(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    return _shown(request, found(slug), _version(slug, version))


@form_page
@open_to(*KEEPERS, fresh=True)
def put_out(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """Release a draft: exactly the one that was looked at."""
    row, one = found(slug), _version(slug, version)
    if request.method == "POST":
        releasing.put_out(slug, version, request.POST.get("sha256", "none"))
        return See(reverse("desk_product", args=[slug]))
    return _shown(request, row, one, "put_out")


@form_page
@open_to(*KEEPERS, fresh=True)
def recall(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    row, one = found(slug), _version(slug, version)
    if request.method == "POST":
        releasing.recall(slug, version)
        return See(reverse("desk_product", args=[slug]))
    return _shown(request, row, one, "recall")


@require_POST
@open_to(*KEEPERS)
def drop(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    releasing.drop(slug, version)
    return See(reverse("desk_product", args=[slug]))


def _shown(request: HttpRequest, row: Product, one: Draft | Release, deed: str = "") -> HttpResponse:
    files, count = goods.contents(one)
    context = {
        "product": row,
        "one": one,
        "draft": isinstance(one, Draft),
        "deed": deed,
        "files": files,
        "count": count,
    }
    return page(request, "release.html", context)


def _version(slug: str, version: str) -> Draft | Release:
    """The draft, else the release of this number."""
    drafted = Draft.objects.filter(product=slug, version=version).first()
    one = drafted or Release.objects.filter(product=slug, version=version).first()
    if one is None:
        raise Http404
    return one
