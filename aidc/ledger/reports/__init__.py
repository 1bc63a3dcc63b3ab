"""Sheets of a report: inventory, energy, water, key figures, disclosure; as CSV, JSON and XLSX."""
