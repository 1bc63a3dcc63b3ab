"""Jobs: drawn from published moments or read from a trace, their power, and which may wait."""
