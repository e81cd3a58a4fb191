"""What needs no server, no network and no other process."""
