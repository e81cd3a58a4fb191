"""Which kind of development cluster this is: told by its nodes, else by the name of its context."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pytest_devenv.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_devenv.clients.kubernetes.api import Api

    Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What a kind of cluster has.

    `registry` is where images are pushed for it, as its own documentation says; None where it has none of its own.
    `load_balancer` tells whether a Service of that type gets an address without more. `docker_env` is the command that
    lets the local docker build where the cluster runs, empty where it does so anyhow, None where it cannot. `load` is
    the command that brings a local image into it, `IMAGE` standing for the image.
    """

    name: str
    registry: str | None = None
    load_balancer: bool = False
    docker_env: str | None = None
    load: str | None = None

    def __str__(self) -> str:
        parts = [
            f"registry {self.registry}" if self.registry is not None else "no registry",
            "load balancer" if self.load_balancer else "no load balancer",
            "no docker-env" if self.docker_env is None else self.docker_env or "the local docker's images",
        ]
        return f"{self.name} ({', '.join(parts)})"


_PROVIDER_PARTS = 4
_LOOK_S = 1.0

MINIKUBE = Platform(
    name="minikube", docker_env='eval "$(minikube docker-env)"', load="minikube image load IMAGE"
)  # https://minikube.sigs.k8s.io/docs/handbook/pushing/
KIND = Platform(name="kind", load="kind load docker-image IMAGE")
K3D = Platform(name="k3d", load_balancer=True, load="k3d image import IMAGE")
K3S = Platform(name="k3s", load_balancer=True, load="docker save IMAGE | k3s ctr images import -")
DOCKER_DESKTOP = Platform(name="docker-desktop", load_balancer=True, docker_env="")
RANCHER_DESKTOP = Platform(name="rancher-desktop", load_balancer=True, docker_env="")
COLIMA = Platform(name="colima", load_balancer=True, docker_env="")
ORBSTACK = Platform(name="orbstack", load_balancer=True, docker_env="")
MICROK8S = Platform(  # https://microk8s.io/docs/registry-built-in
    name="microk8s", registry="localhost:32000", load="docker save IMAGE | microk8s ctr image import -"
)
CONTROLPLANE = Platform(name="controlplane")
CONTROLPLANE_CONTEXT = "devenv-controlplane"


def platform_of(api: Api) -> Platform | None:
    """Return the platform of a cluster after a look at one of its nodes, which takes a second at most."""
    try:
        nodes = api.within(min(_LOOK_S, api.deadline_s)).get("/api/v1/nodes", limit="1").get("items") or ()
    except TargetError:
        nodes = ()  # not for us to see, or the server is away: whoever looks at it will say so
    return detect(api.context, nodes)


def detect(context: str | None, nodes: Sequence[Node]) -> Platform | None:
    """Return the platform of a cluster, None where it is none of those that are known.

    `nodes` are Node objects. They decide where there are any: a context may be called as anybody likes.
    """
    named = _by_name(context)
    if not nodes:
        return named
    found = next((platform for platform, is_on in _BY_NODE if any(map(is_on, nodes))), None)
    if found is None:
        return None
    if named in _MADE_OF.get(found.name, ()):
        found = named  # these run one of the others, on nodes that say no more than that
    return _fitted(found, nodes, context)


def _by_name(context: str | None) -> Platform | None:
    """Return what the usual name of a context stands for: its prefix, or the name with a profile behind it."""
    if context is None:
        return None
    for prefix, platform in (("kind-", KIND), ("k3d-", K3D), ("colima-", COLIMA)):
        if context.startswith(prefix):
            return platform
    return _BY_CONTEXT.get(context)


def _fitted(platform: Platform, nodes: Sequence[Node], context: str | None) -> Platform:
    """Return the platform as this cluster is: its name in its commands, and docker only where its nodes run docker."""
    runs_docker = all(_info(node, "containerRuntimeVersion").startswith("docker://") for node in nodes)
    if platform.docker_env is not None and not runs_docker:
        platform = replace(platform, docker_env=None)
    cluster = _cluster_name(platform, nodes, context)
    if cluster is None:
        return platform
    if platform.name == "minikube":
        return replace(
            platform,
            docker_env=platform.docker_env and f'eval "$(minikube --profile {cluster} docker-env)"',
            load=f"minikube --profile {cluster} image load IMAGE",
        )
    flag = "--name" if platform.name == "kind" else "--cluster"
    return replace(platform, load=f"{platform.load} {flag} {cluster}")


def _cluster_name(platform: Platform, nodes: Sequence[Node], context: str | None) -> str | None:
    """Return the name by which the platform's own program knows this cluster, where it is not the usual one."""
    match platform.name:
        case "minikube":
            name, usual = _labels(nodes[0]).get("minikube.k8s.io/name"), "minikube"
        case "kind":
            parts = _provider(nodes[0]).split("/")  # kind://docker/NAME/NODE
            name, usual = parts[-2] if len(parts) > _PROVIDER_PARTS else None, "kind"
        case "k3d" if context is not None and context.startswith("k3d-"):
            name, usual = context.removeprefix("k3d-"), "k3s-default"
        case _:
            return None
    return None if name == usual else name


def _labels(node: Node) -> Mapping[str, str]:
    labels: Mapping[str, str] = node.get("metadata", {}).get("labels") or {}
    return labels


def _named(node: Node) -> str:
    return str(node.get("metadata", {}).get("name", ""))


def _provider(node: Node) -> str:
    return str(node.get("spec", {}).get("providerID", ""))


def _info(node: Node, key: str) -> str:
    return str(node.get("status", {}).get("nodeInfo", {}).get(key, ""))


# In this order: the more special ones before what they are made of.
_BY_NODE: tuple[tuple[Platform, Callable[[Node], bool]], ...] = (
    (MINIKUBE, lambda node: "minikube.k8s.io/name" in _labels(node)),
    (MICROK8S, lambda node: "microk8s.io/cluster" in _labels(node)),
    (
        DOCKER_DESKTOP,
        lambda node: _named(node) == "docker-desktop" or _provider(node).startswith("kind://docker/desktop/"),
    ),
    (RANCHER_DESKTOP, lambda node: "rancher-desktop" in _named(node)),
    (COLIMA, lambda node: _named(node) == "colima" or _named(node).startswith("colima-")),
    (ORBSTACK, lambda node: _named(node) == "orbstack"),
    (KIND, lambda node: _provider(node).startswith("kind://")),
    (K3D, lambda node: _named(node).startswith("k3d-")),
    (K3S, lambda node: _provider(node).startswith("k3s://") or "+k3s" in _info(node, "kubeletVersion")),
)
_BY_CONTEXT = {
    platform.name: platform
    for platform in (MINIKUBE, MICROK8S, DOCKER_DESKTOP, RANCHER_DESKTOP, COLIMA, ORBSTACK, KIND)
} | {CONTROLPLANE_CONTEXT: CONTROLPLANE}
_MADE_OF: Mapping[str, tuple[Platform, ...]] = {
    "k3s": (RANCHER_DESKTOP, COLIMA, K3D),
    "kind": (DOCKER_DESKTOP,),
}
