"""What the services require of the cluster that they run in."""

from __future__ import annotations

from dataclasses import replace

from pytest_devenv.probes.catalog import catalog
from pytest_devenv.probes.graph import closure
from pytest_devenv.settings import TargetName
from tests.unit.probes.samples import settings

SERVICES = settings().services
SHOP = replace(
    settings(),
    manifests="k8s",
    services={
        **SERVICES,
        "postgres": replace(SERVICES["postgres"], workload="statefulset/postgres"),
        "migrate": replace(SERVICES["migrate"], workload="job/migrate"),
        "backend": replace(SERVICES["backend"], port=3000),
    },
)
HERE = {probe_id: probe.requires for probe_id, probe in catalog(SHOP, TargetName.CLUSTER).items()}
READABLE = "namespace.may_be_read[shop-dev]"


def test_only_a_cluster_has_the_probes_of_one() -> None:
    """On other targets nothing of a cluster is looked at, and nothing is said to be off."""
    assert catalog(SHOP, TargetName.EMBEDDED).keys() == catalog(SHOP).keys()
    assert catalog(SHOP).keys() < HERE.keys()


def test_a_service_requires_its_workload_which_requires_the_cluster() -> None:
    """From a service's own answer down to the API server, each step requires the one before."""
    assert HERE["postgres.accepts_queries[postgres]"] == ("service.has_endpoints[postgres]",)
    assert HERE["service.has_endpoints[postgres]"] == ("workload.is_rolled_out[postgres]",)
    assert HERE["workload.is_rolled_out[postgres]"] == (READABLE,)
    assert HERE[READABLE] == ("namespace.exists[shop-dev]",)
    assert HERE["namespace.exists[shop-dev]"] == ("cluster.answers[cluster]",)
    assert HERE["redis.answers[redis]"] == ("service.has_endpoints[redis]",)
    assert HERE["service.has_endpoints[redis]"] == (READABLE,)


def test_a_workload_requires_what_its_service_does() -> None:
    """A backend that waits for a migration which failed is blocked by it, not broken itself."""
    assert HERE["workload.is_rolled_out[backend]"] == (
        READABLE,
        "postgres.accepts_queries[postgres]",
        "redis.answers[redis]",
        "job.completed[migrate]",
        "migrations.all_applied[shop]",
        "schema.has_tables[shop]",
    )


def test_a_job_of_the_cluster_comes_before_what_it_migrates() -> None:
    """A failing Job is the cause, and the migrations that it has not applied are its effect."""
    assert HERE["job.completed[migrate]"] == (READABLE, "postgres.accepts_queries[postgres]")
    assert HERE["migrations.none_dirty[shop]"] == ("job.completed[migrate]", "database.exists[shop]")


def test_all_that_is_required_is_there() -> None:
    """No requirement of the cluster is left without its probe, and none goes in a circle."""
    probes = catalog(SHOP, TargetName.CLUSTER)
    assert {probe.id for probe in closure(probes, probes)} == set(probes)


def test_what_others_look_at_is_looked_at_in_the_clusters_way() -> None:
    """A required secret is one of the cluster's, under the same id as elsewhere."""
    assert HERE["secret.is_present[jwt-secret]"] == (READABLE,)
    assert HERE["manifests.are_deployed[cluster]"] == ("manifests.are_accepted[cluster]",)
