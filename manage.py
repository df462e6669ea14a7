#!/usr/bin/env python
"""Django's commands for the people who develop Troth. A shop is run with `troth`."""

import os
import sys

from django.core.management import execute_from_command_line

REFUSED = {
    "dumpdata": "would write ciphertext without its keys; use `troth backup`",
    "createsuperuser": "would make an account without the keeper; use `troth staff invite`",
    "changepassword": "passwords live in the keeper; use the page /recover",
}

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    if len(sys.argv) > 1 and sys.argv[1] in REFUSED:
        sys.exit(f"manage.py {sys.argv[1]} {REFUSED[sys.argv[1]]}.")
    execute_from_command_line(sys.argv)
