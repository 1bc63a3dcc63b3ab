"""The reporting boundary, and when a base year is recalculated."""
