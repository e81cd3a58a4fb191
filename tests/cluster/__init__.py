"""Tests in a real Kubernetes: `make cluster` makes it, `make test-cluster` runs them in it."""
