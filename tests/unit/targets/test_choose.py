"""Which target a run looks at: what decides, and what is said of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.kubernetes import Kubeconfig
from pytest_devenv.errors import TargetError
from pytest_devenv.settings import ClusterSource, TargetName
from pytest_devenv.targets import choose as choosing
from pytest_devenv.targets.choose import Choice, choose

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.targets.conftest import SettingsOf

ALLOWED = 'contexts = ["minikube", "kind-*"]\n'


def kubeconfig(file: Path, context: str | None, *more: str) -> Path:
    """Write a kubeconfig with this current context, or with none, and others."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [] if context is None else [f"current-context: {context}"]
    named = [*([] if context is None else [context]), *more]
    lines += ["contexts:", *(f"- {{name: {each}, context: {{cluster: {each}}}}}" for each in named)]
    file.write_text("\n".join(["apiVersion: v1", "kind: Config", *lines, ""]))
    return file


@pytest.mark.parametrize("target", ["embedded", "addresses"])
def test_a_target_of_the_settings_is_taken_as_it_is(settings_of: SettingsOf, tmp_path: Path, target: str) -> None:
    """A target that is set is the one, whatever the kube context; the line of the file is why."""
    config = kubeconfig(tmp_path / "config", "production")
    choice = choose(settings_of(f'target = "{target}"'), environ={"KUBECONFIG": str(config)})
    assert choice == Choice(TargetName(target), "set by pytest-devenv.toml:2")


def test_a_target_of_the_environment_says_its_variable(settings_of: SettingsOf) -> None:
    """A target that a variable sets goes before the file's, and why names the variable."""
    settings = settings_of('target = "addresses"', PYTEST_DEVENV_TARGET="embedded")
    assert choose(settings, environ={}) == Choice(TargetName.EMBEDDED, "set by environment PYTEST_DEVENV_TARGET")


def test_inside_a_pod_the_cluster_is_the_target(
    settings_of: SettingsOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service account of a pod decides before any kube context does."""
    token = tmp_path / "token"
    token.write_text("of the pod")
    monkeypatch.setattr(choosing, "_SERVICE_ACCOUNT", token)
    config = kubeconfig(tmp_path / "config", "production")
    environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBECONFIG": str(config)}
    assert choose(settings_of(""), environ=environ) == Choice(TargetName.CLUSTER, "inside a pod", ClusterSource.CONTEXT)


def test_the_variable_of_a_pod_alone_does_not_make_one(
    settings_of: SettingsOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a service account a left-over variable decides nothing."""
    monkeypatch.setattr(choosing, "_SERVICE_ACCOUNT", tmp_path / "none")
    choice = choose(settings_of(""), environ={"KUBERNETES_SERVICE_HOST": "10.0.0.1"})
    assert choice == Choice(TargetName.EMBEDDED, "no current kube context")


@pytest.mark.parametrize("there", [False, True], ids=["no-file", "no-context"])
def test_without_a_current_context_the_environment_is_embedded(
    settings_of: SettingsOf, tmp_path: Path, *, there: bool
) -> None:
    """Neither a missing kubeconfig nor one without a current context names a cluster."""
    if there:
        kubeconfig(tmp_path / ".kube" / "config", None)
    choice = choose(settings_of(ALLOWED), environ={"HOME": str(tmp_path)})
    assert choice == Choice(TargetName.EMBEDDED, "no current kube context")


@pytest.mark.parametrize("context", ["minikube", "kind-shop"])
def test_an_allowed_context_is_the_target(settings_of: SettingsOf, tmp_path: Path, context: str) -> None:
    """A current context that the settings allow, by name or by pattern, is used and named."""
    file = kubeconfig(tmp_path / ".kube" / "config", context)
    choice = choose(settings_of(ALLOWED), environ={"HOME": str(tmp_path)})
    why = f"current kube context {context}, allowed by pytest-devenv.toml"
    assert choice == Choice(TargetName.CLUSTER, why, ClusterSource.CONTEXT, Kubeconfig((file,), context, why))


@pytest.mark.parametrize("context", ["production", "Minikube", "not-kind-shop"])
def test_a_context_that_is_not_allowed_is_an_error(settings_of: SettingsOf, tmp_path: Path, context: str) -> None:
    """Another context is never looked at nor replaced by another target: the error says what to choose."""
    kubeconfig(tmp_path / ".kube" / "config", context)
    with pytest.raises(TargetError) as caught:
        choose(settings_of(ALLOWED), environ={"HOME": str(tmp_path)})
    assert str(caught.value) == (
        f"the current kube context is '{context}': expected one that contexts allows (minikube, kind-*), "
        f"looked in {tmp_path / 'pytest-devenv.toml'}\n"
        "  remedy: choose --devenv-target=embedded or addresses, "
        f"or, if it is a development cluster, add '{context}' to contexts in pytest-devenv.toml"
    )


def test_without_contexts_no_context_is_allowed(settings_of: SettingsOf, tmp_path: Path) -> None:
    """Settings that allow nothing refuse any current context, and say that none is allowed."""
    kubeconfig(tmp_path / ".kube" / "config", "minikube")
    with pytest.raises(TargetError, match=r"expected one that contexts allows \(none\)"):
        choose(settings_of(""), environ={"HOME": str(tmp_path)})


def test_the_first_file_with_a_context_decides(settings_of: SettingsOf, tmp_path: Path) -> None:
    """Of the files that KUBECONFIG lists, as kubectl merges them, the first that sets a context is heard."""
    files = (
        tmp_path / "missing",
        kubeconfig(tmp_path / "none", None),
        kubeconfig(tmp_path / "first", "minikube"),
        kubeconfig(tmp_path / "second", "production"),
    )
    environ = {"KUBECONFIG": os.pathsep.join(map(str, files)), "HOME": str(tmp_path)}
    assert choose(settings_of(ALLOWED), environ=environ).context == "minikube"


def test_kubeconfig_goes_before_the_home(settings_of: SettingsOf, tmp_path: Path) -> None:
    """Where KUBECONFIG is set, the file of the home is not read."""
    kubeconfig(tmp_path / ".kube" / "config", "production")
    named = kubeconfig(tmp_path / "named", None)
    environ = {"KUBECONFIG": str(named), "HOME": str(tmp_path)}
    assert choose(settings_of(ALLOWED), environ=environ).target is TargetName.EMBEDDED


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"current-context: [\n", "while parsing a flow node"),
        (b"{{{", "while parsing a flow node"),
        (b"\x00\x01", "unacceptable character"),
        (b"current-context: \xff\xfe\n", "'utf-8' codec can't decode byte 0xff"),
    ],
    ids=["yaml", "garbage", "binary", "bytes"],
)
def test_a_broken_kubeconfig_is_an_error(settings_of: SettingsOf, tmp_path: Path, content: bytes, reason: str) -> None:
    """A file that cannot be read might name a cluster: that is said, with the reason and the way round it."""
    (tmp_path / "broken").write_bytes(content)
    with pytest.raises(TargetError) as caught:
        choose(settings_of(ALLOWED), environ={"KUBECONFIG": str(tmp_path / "broken")})
    assert caught.value.message.startswith(f"expected a kubeconfig in {tmp_path / 'broken'}, found: {reason}")
    assert caught.value.remedy == (
        "mend the file, or choose a target that needs none: --devenv-target=embedded or addresses"
    )


def test_a_folder_in_the_place_of_a_kubeconfig_is_an_error(settings_of: SettingsOf, tmp_path: Path) -> None:
    """What is there and is no file is not taken for no context."""
    with pytest.raises(TargetError, match="Is a directory"):
        choose(settings_of(ALLOWED), environ={"KUBECONFIG": str(tmp_path)})


@pytest.mark.parametrize("content", ["- a list with current-context\n", "current-context: 5\n", "current-context:\n"])
def test_what_is_no_name_is_no_context(settings_of: SettingsOf, tmp_path: Path, content: str) -> None:
    """A file of another shape names no context."""
    (tmp_path / "odd").write_text(content)
    assert choose(settings_of(ALLOWED), environ={"KUBECONFIG": str(tmp_path / "odd")}).context is None


def test_another_context_than_the_current_one_may_be_named(settings_of: SettingsOf, tmp_path: Path) -> None:
    """A context that is set goes before the current one, which is not even looked at."""
    kubeconfig(tmp_path / ".kube" / "config", "production", "kind-shop")
    settings = settings_of(ALLOWED, PYTEST_DEVENV_CONTEXT="kind-shop")
    choice = choose(settings, environ={"HOME": str(tmp_path)})
    assert (choice.context, choice.why) == ("kind-shop", "kube context kind-shop, allowed by pytest-devenv.toml")


def test_a_named_context_needs_to_be_allowed_too(settings_of: SettingsOf, tmp_path: Path) -> None:
    """To name a context is not to allow it; one that is allowed and there is offered."""
    kubeconfig(tmp_path / ".kube" / "config", "minikube", "production")
    with pytest.raises(TargetError) as caught:
        choose(settings_of(ALLOWED, PYTEST_DEVENV_CONTEXT="production"), environ={"HOME": str(tmp_path)})
    assert str(caught.value) == (
        "the kube context is 'production', set by environment PYTEST_DEVENV_CONTEXT: expected one that contexts allows "
        f"(minikube, kind-*), looked in {tmp_path / 'pytest-devenv.toml'}\n"
        "  remedy: choose --devenv-context=minikube, "
        "or, if it is a development cluster, add 'production' to contexts in pytest-devenv.toml"
    )


def test_a_named_context_needs_to_be_there(settings_of: SettingsOf, tmp_path: Path) -> None:
    """A context that no file has is told with those that are there."""
    file = kubeconfig(tmp_path / ".kube" / "config", "minikube")
    with pytest.raises(TargetError) as caught:
        choose(settings_of(ALLOWED, PYTEST_DEVENV_CONTEXT="kind-shop"), environ={"HOME": str(tmp_path)})
    assert str(caught.value) == (
        "expected the kube context kind-shop, set by environment PYTEST_DEVENV_CONTEXT, "
        f"in {file}, found minikube\n  remedy: choose --devenv-context=minikube"
    )


def test_a_cluster_that_is_set_needs_a_context(settings_of: SettingsOf, tmp_path: Path) -> None:
    """Where the target is set to be a cluster, nothing else takes its place; what is there is offered."""
    file = kubeconfig(tmp_path / ".kube" / "config", None, "kind-shop")
    with pytest.raises(TargetError) as caught:
        choose(settings_of(f'target = "cluster"\n{ALLOWED}'), environ={"HOME": str(tmp_path)})
    assert str(caught.value) == (
        "the target is a cluster, set by pytest-devenv.toml:2: expected a current kube context, found none, "
        f"looked in {file}\n  remedy: choose --devenv-context=kind-shop"
    )


def test_a_cluster_that_is_set_where_there_is_none_has_to_be_made(settings_of: SettingsOf, tmp_path: Path) -> None:
    """Whoever has no context at all has none to choose."""
    with pytest.raises(TargetError) as caught:
        choose(settings_of(f'target = "cluster"\n{ALLOWED}'), environ={"HOME": str(tmp_path)})
    assert str(caught.value).endswith(
        "\n  remedy: start a cluster, such as minikube start, or have the run make one: --devenv-cluster=kind"
    )


def test_a_cluster_that_is_set_is_guarded_as_any(settings_of: SettingsOf, tmp_path: Path) -> None:
    """That the target is set does not allow a context."""
    kubeconfig(tmp_path / ".kube" / "config", "production")
    with pytest.raises(TargetError, match="the current kube context is 'production': expected one"):
        choose(settings_of(f'target = "cluster"\n{ALLOWED}'), environ={"HOME": str(tmp_path)})


@pytest.mark.parametrize("source", ["kind", "controlplane"])
def test_a_cluster_of_our_own_is_chosen_by_its_source(settings_of: SettingsOf, tmp_path: Path, source: str) -> None:
    """A cluster that a run makes needs no context: the user's own is neither asked for nor used."""
    kubeconfig(tmp_path / ".kube" / "config", "production")
    choice = choose(settings_of(ALLOWED, PYTEST_DEVENV_CLUSTER=source), environ={"HOME": str(tmp_path)})
    why = f"{source} set by environment PYTEST_DEVENV_CLUSTER"
    assert choice == Choice(TargetName.CLUSTER, why, ClusterSource(source))
