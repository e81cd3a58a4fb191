"""Every probe against real servers: healthy ones, unhealthy ones, and ones that are not there."""
