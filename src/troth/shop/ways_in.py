"""What the pages of the shop ask people for: every field that somebody fills in, with the promise it is asked for.

A field that is not here is found by P3's check, on the pages and in their templates: what nobody declared is asked of
nobody. Where a value goes from there, holdings.py says.
"""

from __future__ import annotations

# Name of the field -> its promise, and the words of HTML's `autocomplete` by which a browser may fill it in.
FIELDS = {
    "name": ("P4", "name"), "email": ("P4", "email"), "postcode": ("P4", "postal-code"),
    "password": ("P5", "new-password current-password"), "old": ("P5", "current-password"), "passkey": ("P5", ""),
    "billing_name": ("P6", "name"), "company": ("P6", "organization"), "street": ("P6", "street-address"),
    "billing_postcode": ("P6", "postal-code"), "city": ("P6", "address-level2"), "vat_number": ("P6", ""),
    "country": ("P6", "country"), "earlier": ("P6", ""),
    "edition": ("P8", ""), "quantity": ("P8", ""), "coupon": ("P8", ""), "provider": ("P2", ""), "waiver": ("P8", ""),
    "mailings": ("P9", ""), "news": ("P9", ""), "releases": ("P9", ""),
    "subject": ("P19", ""), "text": ("P19", ""), "product": ("P19", ""), "enclosed": ("P19", ""), "order": ("P19", ""),
    "q": ("P13", ""),  # what is looked for on the shelf; kept nowhere
}  # fmt: skip
# What each page may ask for, by its template: a field that is declared is not good everywhere.
FORMS = {
    "register.html": "name email password postcode mailings",
    "sign_in.html": "email password", "sign_in_passkey.html": "passkey",
    "recover.html": "email", "recover_finish.html": "password",
    "checkout.html": "name email password postcode mailings billing_name company street billing_postcode city country "
    "vat_number earlier provider waiver",
    "order_invoice.html": "billing_name company street billing_postcode city vat_number",
    "basket.html": "edition country coupon quantity", "product.html": "edition quantity", "shelf.html": "q",
    "contact.html": "name email subject text product enclosed", "ticket.html": "text enclosed",
    "account_details.html": "name postcode", "account_email.html": "email password",
    "account_password.html": "old password", "account_passkey_add.html": "passkey password",
    "account_passkeys.html": "passkey", "account_erase.html": "password",
    "erase.html": "email", "withdraw.html": "order", "mails.html": "news releases",
}  # fmt: skip
# Of a form's own making: they carry on what the page knew, and nobody fills them in.
CARRIED = frozenset(
    ("action", "once", "shown", "renews", "challenge", "time", "stop", "next", "kind", "link", "browser")
)


def out_of_place(template: str, name: str) -> bool:
    """Whether this page's template is not declared to ask for a field of that name."""
    return name not in CARRIED and name not in FORMS.get(template, "").split()


def unasked(name: str, token: str = "") -> bool:
    """Whether nobody declared that people are asked for this, or for this kind of thing in a field of that name."""
    _promise, tokens = FIELDS.get(name, ("", ""))
    return name not in FIELDS or (bool(token) and token not in tokens.split())
