"""The record: canonical bytes, hash chain, entry kinds and their rules, index, what meters counted."""
