from django.apps import AppConfig


class MailingsConfig(AppConfig):
    name = "troth.shop.mailings"
    label = "mailings"
