"""The manifests of the reference environment, as they are written."""
