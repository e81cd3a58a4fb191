"""What can be said of an environment from the project's files and this machine alone, before anything is started."""
