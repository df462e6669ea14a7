from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "troth.shop.payments"
    label = "payments"
