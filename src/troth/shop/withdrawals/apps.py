from django.apps import AppConfig


class WithdrawalsConfig(AppConfig):
    name = "troth.shop.withdrawals"
    label = "withdrawals"
