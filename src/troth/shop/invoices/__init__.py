"""Invoices and credit notes: numbered without gaps where money is settled, never altered, rendered when wanted."""
