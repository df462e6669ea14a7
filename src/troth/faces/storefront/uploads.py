"""Files from a form, sealed chunk by chunk while they arrive: no clear byte is written anywhere, memory stays flat.

A view that takes files is wrapped in `takes_files`. Django's token is looked at inside it, since reading the token
reads the form: who sends something here has passed the guard of origin.py before that.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from troth.faces.storefront.views import errors
from troth.shop.refusal import Refused
from troth.shop.support import files

if TYPE_CHECKING:
    _Base = UploadedFile[bytes]
else:
    _Base = UploadedFile

REST = 1_000_000  # bytes of a form beside its files


class Taken(_Base):
    """What stands in request.FILES: a file that nobody reads again."""

    def __init__(self, intake: files.Intake) -> None:
        super().__init__(file=None, name=intake.name, size=intake.size)
        self.intake = intake


class Arriving(FileUploadHandler):
    """One request's files. `fault`: the first no; the rest of the request is read and dropped."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        self.fault: Refused | None = None
        self._intake: files.Intake | None = None
        self._count, self._left = 0, files.room()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._count += 1
        self._intake = None
        self._try(self._begin)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._try(lambda: self._feed(raw_data))

    def file_complete(self, file_size: int) -> Taken | None:
        intake = self._intake
        if intake is None:
            return None
        try:
            intake.end()
        except Refused as no:
            self.fault = self.fault or no
            return None
        return Taken(intake)

    def _begin(self) -> None:
        if self._count > settings.TROTH.support.attachments:
            raise files.too_many()
        self._intake = files.Intake(self.file_name or "")

    def _feed(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            raise files.too_large()
        if self._intake is not None:
            self._intake.feed(data)

    def _try(self, step: Callable[[], None]) -> None:
        if self.fault is not None:
            raise SkipFile
        try:
            step()
        except Refused as no:
            self.fault, self._intake = no, None
            raise SkipFile from None


def takes_files(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A view whose form may have files. One that announces far too much is told so before it is read."""
    guarded = csrf_protect(view)

    @csrf_exempt
    @wraps(view)
    def taking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST":
            announced = request.META.get("CONTENT_LENGTH") or "0"
            if not announced.isdecimal() or int(announced) > files.room() + REST:
                return errors.refused(request, str(files.too_large().sentence), 413)
            request.upload_handlers = [Arriving(request)]
        return guarded(request, *args, **kwargs)

    return taking


def taken(request: HttpRequest) -> list[files.Intake]:
    """The files of this request, once its form was read. Refused with the first no."""
    given = [one.intake for one in request.FILES.getlist("enclosed") if isinstance(one, Taken)]
    fault = next((one.fault for one in request.upload_handlers if isinstance(one, Arriving) and one.fault), None)
    if fault is not None:
        raise fault
    return given
