"""Loops on real files, with real services and real processes."""
