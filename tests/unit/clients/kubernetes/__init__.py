"""Kubeconfigs, credentials and requests, without any server."""
