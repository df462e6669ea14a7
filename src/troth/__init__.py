"""Troth sells digital products and keeps its word."""

__version__ = "0.1.0"
