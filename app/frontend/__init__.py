"""The kiro frontend: one static page with the registration form."""
