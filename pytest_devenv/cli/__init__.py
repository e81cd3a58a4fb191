"""The pytest-devenv command."""
