"""Where an environment runs: each target finds or makes the endpoints of its services."""
