"""Breaches for a shop of real processes; no part of the product. Python loads them where this folder is on its path.

Each waits for a customer whose name says which: a fault of ours with the form still in hand ("boom"), which must leave
nothing behind, and four leaks, which must be found: a line to stderr, the session, a due row, the text of an exception.
"""

import importlib.util
import sys


def registering(module):
    register = module.register

    def planted(name, email, *rest):
        if "boom" in name:
            raise ValueError(f"cannot take {name} {email} {rest}")
        if "leaklog" in name:
            print(f"registered {email}", file=sys.stderr, flush=True)
        if "leakjob" in name:
            from troth.pledge.due import loop

            loop.add("remember", email[:30], after=86400)
        if "leakreport" in name:
            raise ValueError(email)
        return register(name, email, *rest)

    module.register = planted


def entering(module):
    enter = module.enter

    def planted(request, response, signed):
        enter(request, response, signed)
        if "leaksession" in request.POST.get("name", ""):
            request.session["email"] = request.POST["email"]

    module.enter = planted


def reporting(module):
    described = module.described

    def planted(error):
        return described(error) | ({"text": str(error)} if "leakreport" in str(error) else {})

    module.described = planted


PLANTS = {
    "troth.shop.journeys.register": registering,
    "troth.faces.storefront.signed_in": entering,
    "troth.faces.logs": reporting,
}


class Planting:
    """Finds a module as ever, and plants once it is loaded."""

    def __init__(self):
        self.busy = set()

    def find_spec(self, name, path=None, target=None):
        if name not in PLANTS or name in self.busy:
            return None
        self.busy.add(name)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.busy.discard(name)
        load = spec.loader.exec_module

        def load_and_plant(module):
            load(module)
            PLANTS[name](module)

        spec.loader.exec_module = load_and_plant
        return spec


sys.meta_path.insert(0, Planting())
