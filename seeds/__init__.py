"""The data that the reference environment starts with."""
