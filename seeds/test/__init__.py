"""What only the end-to-end checks need."""
