"""A command line says where a forward leads, or it is not taken to lead anywhere."""

from __future__ import annotations

import shlex

import pytest

from pytest_devenv.targets.cluster.existing import Led, read

KIND = Led("kind-shop", "shop", "deployment/backend", ((3000, 3000),))


@pytest.mark.parametrize(
    ("line", "led"),
    [
        ("kubectl --context kind-shop --namespace shop port-forward deployment/backend 3000", KIND),
        ("/usr/bin/kubectl port-forward -n shop deploy/backend 3000:3000 --context=kind-shop", KIND),
        ("kubectl -nshop --context=kind-shop --address localhost port-forward deployments/backend 3000", KIND),
        (
            "kubectl --context kind-shop port-forward svc/web 8080:80 8443:443",
            Led("kind-shop", None, "service/web", ((8080, 80), (8443, 443))),
        ),
        ("kubectl port-forward backend-7d9 3000", Led(None, None, "pod/backend-7d9", ((3000, 3000),))),
        ("kubectl --context kind-shop port-forward deployment/backend :3000", Led("kind-shop", None, KIND.subject, ())),
        ("kubectl --kubeconfig other --context kind-shop -n shop port-forward deployment/backend 3000", None),
        ("kubectl --context kind-shop get pods", None),
        ("ssh -L 3000:localhost:3000 port-forward", None),
        ("", None),
    ],
)
def test_a_command_line_is_read_as_kubectl_reads_it(line: str, led: Led | None) -> None:
    """Context, namespace, subject and ports are those that are written there; another kubeconfig is another cluster."""
    assert read(shlex.split(line)) == led
