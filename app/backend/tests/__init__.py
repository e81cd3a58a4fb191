"""The backend's own tests: units need no server, those marked `integration` need PostgreSQL and redis."""
