"""Against fraud, and for nothing else (P11): the sealed address of an order, counts under a keyed hash, holds."""
