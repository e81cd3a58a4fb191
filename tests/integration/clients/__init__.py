"""The clients with real servers."""
