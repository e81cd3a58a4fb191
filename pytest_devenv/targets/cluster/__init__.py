"""The cluster target: an environment in Kubernetes, reached through forwards, or from inside by its Services' names."""
