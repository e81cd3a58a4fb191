"""What is looked at in a Kubernetes cluster: its API server, the namespace, the workloads, and what leads to them."""
