"""Is the cluster as the environment needs it, and does what runs there do so for long? These change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.checks.asserting import asserts, holds

if TYPE_CHECKING:
    from pytest_devenv.run import Devenv

pytestmark = pytest.mark.health


@asserts("cluster.answers")
def test_api_server_answers(devenv: Devenv, probe: str) -> None:
    """The API server answers, and knows who asks."""
    holds(devenv.verdict(probe))


@asserts("cluster.fits_kubectl")
def test_kubectl_fits_the_cluster(devenv: Devenv, probe: str) -> None:
    """The kubectl of this machine is at most one minor version from the API server."""
    holds(devenv.verdict(probe))


@asserts("cluster.tells_the_time")
def test_clock_of_the_cluster_agrees(devenv: Devenv, probe: str) -> None:
    """The API server's clock and this machine's tell the same time."""
    holds(devenv.verdict(probe))


@asserts("nodes.have_room")
def test_nodes_have_room(devenv: Devenv, probe: str) -> None:
    """Every node is ready, and short of nothing."""
    holds(devenv.verdict(probe))


@asserts("namespace.exists")
def test_namespace_exists(devenv: Devenv, probe: str) -> None:
    """The namespace is there, and not about to be gone."""
    holds(devenv.verdict(probe))


@asserts("namespace.may_be_read")
def test_namespace_may_be_read(devenv: Devenv, probe: str) -> None:
    """This user may see the pods, workloads and services of the namespace."""
    holds(devenv.verdict(probe))


@asserts("claims.are_bound")
def test_volume_claims_are_bound(devenv: Devenv, probe: str) -> None:
    """Every volume claim has its volume."""
    holds(devenv.verdict(probe))


@asserts("workload.is_rolled_out")
def test_workload_is_rolled_out(devenv: Devenv, probe: str) -> None:
    """Every workload runs as it was last deployed, all of its pods are ready, and none was restarted just now."""
    holds(devenv.verdict(probe))


@asserts("service.has_endpoints")
def test_service_leads_to_ready_pods(devenv: Devenv, probe: str) -> None:
    """Every Kubernetes Service leads to a pod of its workload that is ready."""
    holds(devenv.verdict(probe))


@asserts("dns.resolves")
def test_service_name_resolves_inside(devenv: Devenv, probe: str) -> None:
    """Inside the cluster every service is found by its name."""
    holds(devenv.verdict(probe))
