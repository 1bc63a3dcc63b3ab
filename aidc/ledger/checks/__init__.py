"""Checks D1 to D17, and what was published or billed against what is derived."""
