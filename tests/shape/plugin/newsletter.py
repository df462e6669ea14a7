from django.core import mail


def tell(address: str) -> None:
    mail.send_mail("Happy birthday", "…", None, [address])
