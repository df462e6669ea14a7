"""The baseline: a Django project with one view and nothing else, under granian with the shop's own settings.

`python -m troth.faces.cli.bench.bare PORT default` has the middlewares of a project that `django-admin startproject`
makes (Django 5.2), `... none` has none.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

DEFAULT = (
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
)
APPS = ("auth", "contenttypes", "sessions", "messages")
_CHOICE = "TROTH_BENCH_MIDDLEWARE"


def main(port: int, middleware: str) -> None:
    from troth.faces.cli.web import server

    os.environ[_CHOICE] = middleware
    server(f"{__name__}:application", "127.0.0.1", port, workers=1).serve()


def application() -> Callable[..., Any]:
    """The application of granian's process."""
    import django
    from django.conf import settings
    from django.http import HttpRequest, HttpResponse
    from django.urls import path

    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("ok")

    default = os.environ[_CHOICE] == "default"
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        SECRET_KEY="bench",  # noqa: S106 - guards nothing
        ROOT_URLCONF=(path("", view),),
        INSTALLED_APPS=[f"django.contrib.{app}" for app in APPS] if default else [],
        MIDDLEWARE=DEFAULT if default else [],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
