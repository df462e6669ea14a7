"""`troth bench`: what a page and a purchase cost, measured on real processes beside a bare Django project."""
