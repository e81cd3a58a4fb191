"""The targets with real servers and real processes."""
