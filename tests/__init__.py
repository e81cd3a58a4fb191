"""The tests of pytest-devenv."""
