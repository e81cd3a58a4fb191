"""Engines, on a real server."""
