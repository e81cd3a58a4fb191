"""How a pod reaches the services beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.secret import Secret
from pytest_devenv.targets.cluster.endpoints import inside, subject_of

if TYPE_CHECKING:
    from tests.unit.targets.conftest import SettingsOf

TABLE = """
namespace = "shop-dev"

[services.database]
kind = "postgres"
workload = "statefulset/postgres"
user = "shop"
port = 5433

[services.web]
kind = "http"

[services.migration]
kind = "job"
"""


@pytest.mark.parametrize(
    ("environ", "host"),
    [
        ({}, "database.shop-dev.svc"),
        ({"DATABASE_SERVICE_HOST": "10.0.0.7", "POSTGRES_SERVICE_HOST": "10.0.0.8"}, "database.shop-dev.svc"),
        ({"POSTGRES_SERVICE_HOST": "10.0.0.8"}, "postgres.shop-dev.svc"),
    ],
    ids=["untold", "own", "workload's"],
)
def test_a_pod_uses_the_names_of_the_services(settings_of: SettingsOf, environ: dict[str, str], host: str) -> None:
    """A Service is called as the settings call it, or as its workload where the pod was told of that one alone."""
    found = inside(settings_of(TABLE), "shop-dev", {"database": Secret("p")}, environ=environ)
    database = found["database"]
    assert (database.host, database.port, database.user, database.password) == (host, 5433, "shop", Secret("p"))
    assert (found["web"].address, found["web"].anew) == ("web.shop-dev.svc:80", None)
    assert list(found) == ["database", "web"]


def test_a_forward_leads_to_a_workload_or_a_service(settings_of: SettingsOf) -> None:
    """Where the settings name no workload, the Service of the service's name is the way."""
    services = settings_of(TABLE).services
    assert [subject_of(services[name]) for name in ("database", "web")] == ["statefulset/postgres", "service/web"]
