from django.apps import AppConfig


class InvoicesConfig(AppConfig):
    name = "troth.shop.invoices"
    label = "invoices"
