"""Which purpose may open which class, and what ends together. The keeper opens by this table and nothing else.

A class is a set of fields that live and die alike. A *fate* is a way to end: purposes that end together share the
wrap of a private key. Deleting a wrap ends its purposes, whatever any program still asks for.
"""

# class -> the fates under which its private key is wrapped when a person is made
WRAPS: dict[str, tuple[str, ...]] = {
    "contact": ("standing",),  # marketing gets its wrap by consent, not before
    "locality": ("standing",),
    "billing": ("standing", "tax"),
    "network": ("network",),
    "correspondence": ("standing",),
}
CLASSES = tuple(WRAPS)
FATES = ("standing", "marketing", "tax", "network")

# The class that holds a person's e-mail address, in its field "email": what they open must hold the one they sign in
# with (opening.py).
REACHED_BY = "contact"

# (class, purpose) -> the fate whose wrap is used. What does not stand here is not opened.
OPENS: dict[tuple[str, str], str] = {
    ("contact", "account"): "standing",
    ("contact", "deliver"): "standing",
    ("contact", "notice"): "standing",
    ("contact", "support"): "standing",
    ("contact", "legal"): "standing",
    ("contact", "marketing"): "marketing",
    ("locality", "account"): "standing",
    ("locality", "legal"): "standing",
    ("billing", "bill"): "standing",
    ("billing", "tax"): "tax",
    ("billing", "legal"): "standing",
    ("network", "fraud"): "network",
    ("network", "legal"): "network",
    ("correspondence", "account"): "standing",
    ("correspondence", "notice"): "standing",
    ("correspondence", "support"): "standing",
    ("correspondence", "legal"): "standing",
}
# (class, purpose) that came later -> the schema from which on it opens: what was given before was given for less.
SINCE: dict[tuple[str, str], int] = {}
PURPOSES = tuple(dict.fromkeys(purpose for _, purpose in OPENS))

# role -> purposes it may open for by its door alone; web has none and needs a person's capability
BY_DOOR: dict[str, frozenset[str]] = {
    "web": frozenset(),
    "worker": frozenset({"deliver", "notice", "bill", "marketing", "fraud"}),
}
BY_CAPABILITY: dict[str, frozenset[str]] = {"own": frozenset({"account"})}
ROLES = tuple(BY_DOOR)

# purpose that a person may allow and end -> (class, fate of the wrap that it then has)
OPTIONAL: dict[str, tuple[str, str]] = {"marketing": ("contact", "marketing")}

# verb -> how often a role may ask it in a minute
PER_MINUTE = {"SignIn": 600, "Recover": 300, "Change": 300, "Prove": 300, "History": 600, "Passkey": 600}

# verb -> the module that answers it, loaded when it is first asked: its act(room, credentials, role, question)
PARTS = {
    "Passkey": "troth.pledge.passkeys",
    "Rotate": "troth.pledge.rotation",
    "Office": "troth.pledge.office.office",
    "Disclosure": "troth.pledge.disclosure.legal",
}

# role -> verbs behind its door
VERBS: dict[str, set[str]] = {
    "web": {"Hello", "Enrol", "SignIn", "Recover", "Prove", "Change", "Open", "Consent", "History",
            "Checkpoint", "Attest", "Passkey", "Office", "Disclosure"},
    "worker": {"Hello", "Blank", "Redeem", "Open", "Consent", "Restrict", "Shred", "Acknowledge", "Rotate",
               "Note", "Tile", "Checkpoint", "Copy", "Attest", "Office",
               "Disclosure"},
}  # fmt: skip
