"""Seeds on a real server."""
