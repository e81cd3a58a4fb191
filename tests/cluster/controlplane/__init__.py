"""The control plane of our own, and what the fixtures of a cluster do on it: a real API, in which no pod runs."""
