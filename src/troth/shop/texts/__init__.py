"""Terms, imprint and other texts of law: Markdown in the shop's folder: each change is a version, and old ones stay."""
