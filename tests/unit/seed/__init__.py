"""Seeds, without a server."""
