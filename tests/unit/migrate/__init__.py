"""Engines, without a server."""
