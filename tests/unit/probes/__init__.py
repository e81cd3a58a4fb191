"""The probes, without any I/O."""
