"""The commands on databases, with a real PostgreSQL."""
