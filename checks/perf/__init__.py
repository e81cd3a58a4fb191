"""What the environment's own checks measure, each with a budget in the settings."""
