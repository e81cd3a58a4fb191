"""What of the manifests `env test-migration` takes: the migration, what it requires, the seeds, and what they use."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.cli.rehearsal.parts import Parts, parts_of
from pytest_devenv.errors import ConfigError, TargetError
from pytest_devenv.settings.read import read
from tests.unit.manifests.written import ROOT, manifests

if TYPE_CHECKING:
    from pytest_devenv.settings import Settings
    from tests.unit.manifests.written import Manifest


@pytest.fixture(scope="module")
def settings() -> Settings:
    """Give the settings of the reference environment."""
    return read(ROOT / "pyproject.toml", environ={})


def names(parts: Parts, *kinds: str) -> list[str]:
    """Return the objects of some kinds."""
    return [f"{each['kind']}/{each['metadata']['name']}" for each in parts.manifests if each["kind"] in kinds]


def test_nothing_runs_but_what_the_migration_requires(settings: Settings) -> None:
    """PostgreSQL, the migration and the seeds; no backend, and no rights over the cluster."""
    parts = parts_of(manifests("base"), settings, "stage")
    assert names(parts, "Deployment", "Job", "CronJob") == [
        "Deployment/postgres",
        "Job/database-migration",
        "Job/database-seed",
    ]
    assert names(parts, "Namespace", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding") == []
    assert {each["metadata"]["namespace"] for each in parts.manifests} == {"stage"}
    assert parts.labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_migration_runs_at_once_and_the_seeds_wait(settings: Settings) -> None:
    """Whatever the manifests say of it."""
    written = copy.deepcopy(manifests("base"))
    for each in written:
        if each["kind"] == "Job":
            each["spec"]["suspend"] = each["metadata"]["name"] == "database-migration"
    parts = parts_of(written, settings, "stage")
    suspended = {each["metadata"]["name"]: each["spec"]["suspend"] for each in parts.manifests if each["kind"] == "Job"}
    assert suspended == {"database-migration": False, "database-seed": True}
    assert (parts.migration, parts.seed) == ("job/database-migration", "job/database-seed")


def test_what_they_use_comes_along_and_goes_first(settings: Settings) -> None:
    """Secrets, configuration and the volumes that are mounted stand before what runs."""
    parts = parts_of(manifests("base"), settings, "stage")
    kinds = [each["kind"] for each in parts.manifests]
    assert set(names(parts, "PersistentVolumeClaim")) == {
        "PersistentVolumeClaim/postgres",
        "PersistentVolumeClaim/records",
    }
    assert max(kinds.index("Secret"), kinds.index("ConfigMap"), kinds.index("Service")) < kinds.index("Deployment")
    assert "password" in set(parts.secrets())


def test_the_manifests_stay_as_they_are(settings: Settings) -> None:
    """What was read can be read again."""
    written = manifests("base")
    before = copy.deepcopy(written)
    parts_of(written, settings, "stage")
    assert written == before


def test_a_job_may_be_named_and_must_be_there(settings: Settings) -> None:
    """--seed-job names another Job; one that is in no manifest is refused with those that are."""
    assert parts_of(manifests("base"), settings, "stage", seed="health").seed == "job/health"
    with pytest.raises(TargetError, match="expected job/sow in the manifests, found job/health, job/database-seed"):
        parts_of(manifests("base"), settings, "stage", seed="sow")


def test_without_seeds_the_migration_is_all(settings: Settings) -> None:
    """No Job whose name says seed is no error."""
    written: list[Manifest] = [each for each in manifests("base") if "seed" not in each["metadata"]["name"]]
    assert parts_of(written, settings, "stage").seed is None


def test_what_is_missing_is_named(settings: Settings) -> None:
    """A workload that no manifest has, and settings without a Job, end the command before anything is made."""
    without = [each for each in manifests("base") if each["metadata"]["name"] != "postgres"]
    with pytest.raises(TargetError, match="expected deployment/postgres in the manifests"):
        parts_of(without, settings, "stage")
    services = {name: each for name, each in settings.services.items() if name != "database-migration"}
    with pytest.raises(ConfigError, match="expected one service of kind job with a workload, found none"):
        parts_of(manifests("base"), replace(settings, services=services), "stage")
