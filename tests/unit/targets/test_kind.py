"""The kind provider, where nothing that it needs is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_devenv.errors import TargetError
from pytest_devenv.settings import Settings
from pytest_devenv.targets import kind


def settings(name: str = "shop") -> Settings:
    """Return the settings of an environment that has only a name."""
    return Settings(root=Path("/project"), file=Path("/project/pyproject.toml"), name=name)


@pytest.mark.parametrize(("name", "expected"), [("shop", "devenv-shop"), ("My_Shop-2", "devenv-my-shop-2")])
def test_cluster_has_the_name_of_its_environment(name: str, expected: str) -> None:
    """The cluster is named for the environment, in the letters that kind allows."""
    assert kind.cluster_name(settings(name)) == expected


def test_missing_kind_is_told_with_what_installs_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the program kind nothing is downloaded, and the message says how to get it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TargetError) as raised, kind.provided(settings()):
        pass
    assert str(raised.value) == (
        "a kind cluster is made by the program kind: expected it on PATH, found none\n"
        "  remedy: brew install kind, or go install sigs.k8s.io/kind@v0.33.0"
    )


def test_missing_kubectl_is_told_with_what_installs_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without kubectl nothing is downloaded, and the message says how to get it."""
    (tmp_path / "kind").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TargetError) as raised, kind.provided(settings()):
        pass
    assert str(raised.value) == (
        "whether a kind cluster is ready is asked with kubectl: expected it on PATH, found none\n"
        "  remedy: brew install kubectl, or your system's package kubectl or kubernetes-client"
    )
