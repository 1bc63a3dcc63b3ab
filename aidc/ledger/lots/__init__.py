"""Certificates, contracts and credits: what was issued, who holds which part, eight criteria."""
