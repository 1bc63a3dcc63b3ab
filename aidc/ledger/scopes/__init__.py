"""Scope 1 and scope 3 as cells of statements; memos beside the inventory."""
