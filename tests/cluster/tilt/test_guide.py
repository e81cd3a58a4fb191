"""`pytest-devenv guide` with Tilt: from nothing to a healthy environment."""

from __future__ import annotations

import json
import os
import re
import signal
from typing import TYPE_CHECKING

import pytest

from tests.cluster.tilt.standing import UP_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from tests.cluster.tilt.standing import Project

pytestmark = [pytest.mark.cluster, pytest.mark.tilt, pytest.mark.timeout(2400)]

PROCESS = re.compile(r"Tilt runs as process (\d+)")


def test_guide_starts_tilt_and_waits_until_all_is_well(projects: Callable[[], AbstractContextManager[Project]]) -> None:
    """Agreed to beforehand, it starts Tilt on the chosen context, sees it through, and leaves it running."""
    with projects() as project:
        chosen = {
            "namespace": project.environment.namespace,
            "port": [f"{key}={at}" for key, at in project.ports.items()],
        }
        (project.folder / "tilt_config.json").write_text(json.dumps(chosen))
        done = project.run("pytest-devenv", "guide", "--yes", deadline_s=UP_S)
        found = PROCESS.search(done.stdout)
        assert found is not None, done.stdout + done.stderr
        os.kill(int(found[1]), signal.SIGTERM)  # raises for one that has ended by itself
        assert done.returncode == 0, done.stdout + done.stderr
        assert (
            f"tilt up --port={project.given['TILT_PORT']} --context={project.environment.cluster.context}"
            in done.stdout
        )
        assert "kiro is healthy on the target cluster" in done.stdout
