"""Know in a second whether a development environment is healthy, why not, and the command that mends it."""
