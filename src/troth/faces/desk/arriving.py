"""An archive on its way from a form to the shop's folder: written piece by piece, never held in memory.

A view that takes one calls `expect` before anybody reads the form, and Django's token is looked at after that, since
reading the token reads the form. Only whoever may is let that far: the guard of the page asks cookies alone.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from troth.shop.catalogue.sound import MOST_BYTES
from troth.shop.refusal import Refused

if TYPE_CHECKING:
    _Base = UploadedFile[bytes]
else:
    _Base = UploadedFile

REST = 512 * 1024  # bytes of a form beside its file
ENDING = re.compile(r"\.[a-z0-9]{1,8}")
SPARE = 256 << 20  # bytes that stay free on the disk: the shop has to go on


class Arrived(_Base):
    """What stands in request.FILES: a file at `path` that is gone when the request is."""

    def __init__(self, file: Any, name: str, size: int) -> None:
        super().__init__(file=file, name=name, size=size)
        self.path = Path(file.name)


class Arriving(FileUploadHandler):
    """One request's archive; a second file is dropped. `fault`: why there is none."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        self.fault: Refused | None = None
        self._file: Any = None
        self._size = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self._file is not None or self.field_name != "file":
            raise SkipFile
        ending = Path(self.file_name or "").suffix.lower()
        suffix = ending if ENDING.fullmatch(ending) else ""
        settings.UPLOADS_ROOT.mkdir(parents=True, exist_ok=True)
        # It lives as long as the request, which closes it.
        self._file = tempfile.NamedTemporaryFile(dir=settings.UPLOADS_ROOT, prefix=".new-", suffix=suffix)  # noqa: SIM115

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.fault is not None:
            raise SkipFile
        self._size += len(raw_data)
        try:
            if self._size > MOST_BYTES:
                raise too_large()
            self._file.write(raw_data)
        except OSError:
            self.fault = _no_room()
        except Refused as no:
            self.fault = no

    def file_complete(self, file_size: int) -> Arrived | None:
        if self.fault is not None:
            self._file.close()
            return None
        self._file.flush()
        return Arrived(self._file, self.file_name or "", self._size)

    def upload_interrupted(self) -> None:
        if self._file is not None:
            self._file.close()


def expect(request: HttpRequest) -> None:
    """Take one archive with this form. Refused, before a byte is read, where it is announced too large for us."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if not announced.isdecimal() or int(announced) > MOST_BYTES + REST:
        raise too_large()
    settings.UPLOADS_ROOT.mkdir(parents=True, exist_ok=True)
    # Twice, as it is copied once it was looked into.
    if 2 * int(announced) + SPARE > shutil.disk_usage(settings.UPLOADS_ROOT).free:
        raise _no_room()
    request.upload_handlers = [Arriving(request)]


def arrived(request: HttpRequest) -> Path:
    """Where it lies, once the form was read, for as long as the request lasts. Refused where there is none."""
    fault = next((one.fault for one in request.upload_handlers if isinstance(one, Arriving) and one.fault), None)
    if fault is not None:
        raise fault
    found = request.FILES.get("file")
    if not isinstance(found, Arrived):
        raise Refused(_("Choose the archive, a .zip file."), "file")
    return found.path


def too_large() -> Refused:
    return Refused(_("The file is larger than 2 GiB."), "file")


def _no_room() -> Refused:
    return Refused(_("There is no room on the server's disk for this file; make some, then send it again."), "file")
