"""The right to withdraw from a purchase, as EU law gives it to consumers."""
