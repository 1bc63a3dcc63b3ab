"""Emission factors: rows, registry with drafts, policies that choose one, gases and their potentials."""
