"""The client of Kubernetes with a real TLS listener that answers as the tests want."""
