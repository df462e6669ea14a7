"""Something to sell in a migrated shop: `python -m tests.faults.goods`, in the folder TROTH_HOME.

The checks of the promises rest until tomorrow: they play customers of their own, and this shop's are counted.
"""

import os


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "troth.faces.settings"
    import django

    django.setup()
    from tests.house import goods
    from troth.pledge.due import loop as due
    from troth.shop.clauses import duty

    goods()
    due.add("check", duty.ALL, after=86400, every=86400)


if __name__ == "__main__":
    main()
