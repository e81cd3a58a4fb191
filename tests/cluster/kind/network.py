"""The network namespace that the engine lives in: addresses and firewall rules of its own, and no way out.

A namespace is a second, empty network stack of the machine. Whoever wants to reach the cluster has to enter it. That is
done with `nsenter`; `ip netns exec` would also mount /sys anew, and hide the control groups that containers need.
"""

from __future__ import annotations

from pathlib import Path

from tests.cluster.kind.place import name
from tests.cluster.kind.say import run, succeeds

_ADDRESS, _GATEWAY = "10.201.0.2/24", "10.201.0.1"


def handle() -> Path:
    """Return the file that stands for the namespace while it is there."""
    return Path("/run/netns") / name()


def entered() -> tuple[str, ...]:
    """Return the words that run a command inside the namespace."""
    return ("nsenter", f"--net={handle()}")


def ensure() -> None:
    """Make the namespace, with an address and a default route that leads nowhere: Docker wants both."""
    if handle().exists() and succeeds(*entered(), "ip", "-o", "route", "get", "192.0.2.1"):
        return
    remove()
    inside = (*entered(), "ip")
    run("ip", "netns", "add", name())
    run(*inside, "link", "set", "lo", "up")
    run(*inside, "link", "add", "n0", "type", "veth", "peer", "name", "n1")  # both ends inside: nothing can leave
    run(*inside, "addr", "add", _ADDRESS, "dev", "n0")
    run(*inside, "link", "set", "n0", "up")
    run(*inside, "link", "set", "n1", "up")
    run(*inside, "route", "add", "default", "via", _GATEWAY, "dev", "n0")


def remove() -> None:
    """Remove the namespace's handle; the namespace itself ends with the last process in it."""
    if handle().exists():
        run("ip", "netns", "del", name())
