"""The plugin in small example projects, each run with pytest itself."""
