"""Tilt in projects where none runs: off, unless it is required."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

USES_TILT = "def test_own(tilt): assert False\n"


@pytest.fixture
def nowhere(healthy: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Give a healthy project with a Tiltfile, at whose port of Tilt nobody listens."""
    (healthy.path / "Tiltfile").write_text("")
    monkeypatch.setenv("TILT_PORT", "1")
    return healthy


def test_checks_of_tilt_are_off_where_none_runs(nowhere: Project) -> None:
    """An environment without Tilt is no less healthy."""
    report = nowhere.report()
    found = {each["probe"]: each["verdict"]["state"] for each in report["checks"] if each["probe"].startswith("tilt.")}
    assert set(found.values()) == {"off"}
    assert len(found) == 4
    assert report["state"] == "pass"


@pytest.mark.parametrize("source", ["option", "environment", "ini", "settings"])
def test_tilt_can_be_required(nowhere: Project, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """Where it is required, that it does not run is the failure, with the way to start it."""
    words = ["--devenv-require=tilt"] if source == "option" else []
    if source == "environment":
        monkeypatch.setenv("PYTEST_DEVENV_REQUIRE", "tilt")
    if source == "ini":
        words = ["-o", "devenv_require=tilt"]
    if source == "settings":
        nowhere.configure(top='target = "addresses"\nrequire = "tilt"')
    report = nowhere.report(*words)
    assert [root["probe"] for root in report["roots"]] == ["tilt.runs[Tiltfile]"]
    assert [step["remedy"] for step in report["next_steps"]]


def test_test_that_needs_tilt_is_skipped_or_fails(nowhere: Project) -> None:
    """The fixture skips where none runs, and fails where it is required."""
    (nowhere.path / "test_own.py").write_text(USES_TILT)
    nowhere.run().assert_outcomes(skipped=1)
    nowhere.run("--devenv-require=tilt").assert_outcomes(errors=1)
