"""I/O with the outside world, one module for each kind of server."""
