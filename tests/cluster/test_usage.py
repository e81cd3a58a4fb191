"""What the kubelet measures of a workload's pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.kubernetes.usage import usage_of_workload

if TYPE_CHECKING:
    from tests.cluster.postgres import Deployed

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

WORK = "SELECT sum(number) FROM generate_series(1, 5000000) AS number"
GROWTH = "CREATE TABLE ballast AS SELECT repeat('x', 1000) FROM generate_series(1, 20000)"


def test_work_and_data_of_a_pod_are_seen(deployed: Deployed) -> None:
    """What a pod did before the question is part of the answer: CPU time, memory, and the disk that it takes."""
    workload = "deployment/postgres"
    before = usage_of_workload(deployed.api, deployed.namespace, workload)
    psql = f'PGPASSWORD="$POSTGRES_PASSWORD" exec psql --host=127.0.0.1 --username=shop -c "{WORK}" -c "{GROWTH}"'
    deployed.kubectl("exec", workload, "--", "sh", "-c", psql)
    after = usage_of_workload(deployed.api, deployed.namespace, workload)
    assert before is not None
    assert after is not None
    assert after.cpu_s > before.cpu_s + 0.1
    assert after.memory_bytes > 5 * 2**20
    assert after.disk_bytes > 10 * 2**20
