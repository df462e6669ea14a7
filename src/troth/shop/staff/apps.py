from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "troth.shop.staff"
    label = "staff"
