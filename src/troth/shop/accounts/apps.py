from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "troth.shop.accounts"
    label = "accounts"
