from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    name = "troth.shop.delivery"
    label = "delivery"
