"""What people and programs read: the terminal, JSON, JUnit."""
