from django.apps import AppConfig


class RenewalsConfig(AppConfig):
    name = "troth.shop.renewals"
    label = "renewals"
