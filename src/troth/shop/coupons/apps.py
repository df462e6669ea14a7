from django.apps import AppConfig


class CouponsConfig(AppConfig):
    name = "troth.shop.coupons"
    label = "coupons"
