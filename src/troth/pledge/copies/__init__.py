"""Sealed copies of the keyring, made by a process of their own beside the keeper."""
