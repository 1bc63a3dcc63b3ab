"""The projection to 2050 and its three tests."""
