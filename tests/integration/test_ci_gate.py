"""The gate that docs/ci.md shows, executed as it is written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from tests.integration.wheels import ROOT, UNCOMPILED, built


def commands() -> list[str]:
    """Return what the steps of the documented workflow run, in order."""
    text = (ROOT / "docs" / "ci.md").read_text()
    workflow = yaml.safe_load(text.split("```yaml\n", 1)[1].split("```", 1)[0])
    return [step["run"] for step in workflow["jobs"]["health"]["steps"] if "run" in step]


@pytest.mark.timeout(400)
def test_documented_gate_works_as_written(tmp_path: Path) -> None:
    """On a machine with the built wheels, the workflow's commands install, verify and leave both reports."""
    built(tmp_path)
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True, timeout=120)
    project = Path(shutil.copytree(ROOT / "tests" / "projects" / "library", tmp_path / "library"))
    links = f"{os.environ.get('PIP_FIND_LINKS', '')} {tmp_path}".strip()
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    env |= {"PATH": f"{tmp_path / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}", "PIP_FIND_LINKS": links}
    env |= UNCOMPILED
    for command in commands():
        result = subprocess.run(
            ["/bin/bash", "-ec", command],
            cwd=project,
            env=env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
    assert json.loads((project / "health.json").read_text())["state"] == "pass"
    junit = ET.parse(project / "health.xml")  # noqa: S314  # our own file
    verdicts = {each.get("value") for each in junit.iter("property") if each.get("name") == "devenv_verdict"}
    assert verdicts == {"pass"}
