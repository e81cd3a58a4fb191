"""What `pytest-devenv validate` says of a Tiltfile, without Tilt, and with a real one that evaluates it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.integration.validate.project import Project

TILT = shutil.which("tilt")
PROGRAM = Path(sys.executable).with_name("pytest-devenv")
TILTFILE = f"""\
version_settings(constraint='>=0.30.0')
k8s_yaml(['deploy/db.yaml', 'deploy/web.yaml'])
k8s_resource('db', port_forwards=['15432:5432'])
k8s_resource('web', resource_deps=['db'])
local_resource('migrate', cmd=['{PROGRAM}', 'db', 'migrate'], auto_init=False, trigger_mode=TRIGGER_MODE_MANUAL)
local_resource('slow', cmd='pytest tests -m "slow and not health"', auto_init=False)
local_resource('others', cmd='echo pytest | cat', auto_init=False)
"""
BROKEN = {
    "it stops": (
        ("k8s_yaml(", "fail('no luck\\n  remedy: try again')\nk8s_yaml("),
        ("tiltfile.evaluates[Tiltfile]", "no luck", "try again"),
    ),
    "a resource waits for nobody": (
        ("resource_deps=['db']", "resource_deps=['db', 'cache']"),
        ("tiltfile.waits_for_what_it_has[Tiltfile]", "web waits for cache", "correct resource_deps of web"),
    ),
    "a port is another": (
        ("15432:5432", "15433:5432"),
        ("tiltfile.has_the_service[db]", "ports 15433", "services.db.local_port"),
    ),
    "a service does not wait": (
        (", resource_deps=['db']", ""),
        ("tiltfile.has_the_service[web]", "it waits for nothing", "add db to resource_deps of web"),
    ),
    "a service is not deployed": (
        ("['deploy/db.yaml', 'deploy/web.yaml']", "['deploy/db.yaml']"),
        ("tiltfile.evaluates[Tiltfile]", "web", "correct it, then: tilt alpha tiltfile-result"),
    ),
    "a command is mistyped": (
        ("'db', 'migrate'", "'db', 'migrat'"),
        ("tiltfile.triggers_run_what_is_there[Tiltfile]", "did you mean migrate?", "correct the command of migrate"),
    ),
    "an option is mistyped": (
        ("'db', 'migrate'", "'db', 'migrate', '--forse'"),
        ("tiltfile.triggers_run_what_is_there[Tiltfile]", "No such option", "correct the command of migrate"),
    ),
    "a mark is unknown": (
        ("slow and", "slo and"),
        ("tiltfile.triggers_run_what_is_there[Tiltfile]", "the mark slo,", "correct the command of slow"),
    ),
    "a path is not there": (
        ("pytest tests", "pytest test"),
        ("tiltfile.triggers_run_what_is_there[Tiltfile]", "no file or folder test", "correct the command of slow"),
    ),
}


@pytest.fixture
def tilted(project: Project, programs: Path) -> Project:
    """Give the project with a Tiltfile, and the Tilt of this machine."""
    assert TILT is not None
    (programs / "tilt").symlink_to(TILT)
    for name in ("sh", "cat", "echo"):
        (programs / name).symlink_to(shutil.which(name) or os.devnull)
    project.write("Tiltfile", TILTFILE)
    return project


def test_tiltfile_is_only_parsed_without_tilt(project: Project) -> None:
    """One that is no Starlark fails; of any other it is unknown what it declares, and how to know it."""
    project.write("Tiltfile", TILTFILE)
    found = project.look()
    assert found["tiltfile.evaluates[Tiltfile]"]["state"] == "unknown"
    assert found["tiltfile.evaluates[Tiltfile]"]["remedy"].startswith("install Tilt")
    assert found["tiltfile.has_the_service[web]"]["state"] == "blocked"
    project.write("Tiltfile", "k8s_yaml(\n")
    verdict = project.look(code=1)["tiltfile.evaluates[Tiltfile]"]
    assert verdict["state"] == "fail"
    assert "Tiltfile:" in verdict["found"]


@pytest.mark.tilt
@pytest.mark.skipif(TILT is None, reason="no tilt on PATH")
@pytest.mark.timeout(300)
def test_whole_tiltfile_is_valid(tilted: Project) -> None:
    """Tilt evaluates it without a cluster, and all that it declares agrees with the settings."""
    found = tilted.look()
    assert {each["state"] for name, each in found.items() if name.startswith("tiltfile.")} == {"pass"}
    assert found["tools.are_new_enough[tilt]"]["state"] == "pass"
    assert found["tiltfile.triggers_run_what_is_there[Tiltfile]"]["facts"]["triggers"] == 2


@pytest.mark.tilt
@pytest.mark.skipif(TILT is None, reason="no tilt on PATH")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_in_a_tiltfile_is_named(tilted: Project, name: str) -> None:
    """One broken thing fails, with what was found and the remedy."""
    (before, after), (probe, found, remedy) = BROKEN[name]
    tilted.edit("Tiltfile", before, after)
    verdict = tilted.look(code=1)[probe]
    assert verdict["state"] == "fail"
    assert found in verdict["found"]
    assert remedy in verdict["remedy"]


@pytest.mark.tilt
@pytest.mark.skipif(TILT is None or shutil.which("kubectl") is None, reason="no tilt, or no kubectl, on PATH")
@pytest.mark.timeout(300)
def test_tiltfile_of_the_reference_environment_is_valid(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each of its triggers runs a command, a path or a mark that is there, and every service is where it has to be."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.chdir(Path(__file__).parents[3])
    found = Project(Path.cwd()).look()
    ours = {name: each for name, each in found.items() if name.startswith("tiltfile.")}
    assert {each["state"] for each in ours.values()} == {"pass"}, ours
    assert ours["tiltfile.triggers_run_what_is_there[Tiltfile]"]["facts"]["triggers"] >= 11
