"""What pytest-devenv claims of its speed, each claim measured beside its peers in one run."""
