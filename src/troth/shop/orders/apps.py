from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "troth.shop.orders"
    label = "orders"
