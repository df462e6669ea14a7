"""The version of the published policy. Stored with each order and account."""

VERSION = "2026-11"
