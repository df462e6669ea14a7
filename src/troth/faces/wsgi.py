"""The web process's application, as granian loads it."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")

from django.core.wsgi import get_wsgi_application

from troth.faces.whole_requests import whole

application = whole(get_wsgi_application())
