"""Which target a run is on, and what is said of it."""
