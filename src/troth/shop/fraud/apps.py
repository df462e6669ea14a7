from django.apps import AppConfig


class FraudConfig(AppConfig):
    name = "troth.shop.fraud"
    label = "fraud"
