"""A real Kubernetes for the tests: a `kind` cluster, also on a bare machine that has neither Docker nor a registry.

A cluster needs four things, each made by the part that is named after it. The order is the order of `__main__`.

- **packages**: programs that Debian has: a container engine, the tools of the network, what builds a file system.
- **binaries**: programs that Debian has not: Kubernetes itself, etcd, kind; built from their Go modules.
- **engine**: Docker, which runs containers. Its own network namespace (`network`) keeps its addresses and firewall
  rules away from the machine's, and lets nothing out of it.
- **node_image**: what kind starts as a container and calls a node: a small Debian whose systemd runs a container engine
  of its own and the kubelet, which asks that engine for the containers of pods.

`cluster` then makes the cluster, through the project's own kind provider, and `remains` takes all of it away. Where a
Docker engine already answers, only the binaries that are missing are built, and kind's own node image serves.
"""
