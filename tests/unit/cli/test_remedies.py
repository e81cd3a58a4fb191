"""What of a remedy can be run, and what that would do."""

from __future__ import annotations

import pytest

from pytest_devenv.cli.guide.remedies import Effect, read

K = "kubectl --context kind-shop --namespace shop"


@pytest.mark.parametrize(
    ("text", "line", "effect"),
    [
        ("pytest-devenv db migrate --database shop", "pytest-devenv db migrate --database shop", Effect.CHANGES),
        (
            "pytest-devenv env down && pytest-devenv env up",
            "pytest-devenv env down pytest-devenv env up",
            Effect.DESTROYS,
        ),
        (f"see it: {K} diff -k k8s; have it so: {K} apply -k k8s", f"{K} apply -k k8s", Effect.CHANGES),
        ("see who it is: ss -ltnp 'sport = :10350'; then: tilt up", "tilt up", Effect.CHANGES),
        (f"{K} describe deployment/web", f"{K} describe deployment/web", Effect.LOOKS),
        (
            f"{K} wait --for=delete namespace/shop, then: {K} apply -k k8s",
            f"{K} wait --for=delete namespace/shop",
            Effect.WAITS,
        ),
        ("docker start shop-control-plane", "docker start shop-control-plane", Effect.CHANGES),
        ("minikube start", "minikube start", Effect.CHANGES),
        ("docker compose up --detach db", "docker compose up --detach db", Effect.CHANGES),
        ("kill 4711", "kill 4711", Effect.DESTROYS),
        ("pip install 'pytest-devenv[alembic]'", "pip install pytest-devenv[alembic]", Effect.CHANGES),
        (f"{K} delete pod/web-1", f"{K} delete pod/web-1", Effect.DESTROYS),
    ],
)
def test_command_of_a_remedy_is_found(text: str, line: str, effect: Effect) -> None:
    """What changes something goes before what only looks, and what ends something is told as that."""
    remedy = read(text)
    assert " ".join(word for each in remedy.commands for word in each) == line
    assert remedy.effect is effect
    assert not remedy.by_hand


@pytest.mark.parametrize(
    "text",
    [
        "install Tilt: https://docs.tilt.dev/install.html",
        "correct services.web.port in pyproject.toml",
        f"{K} create secret generic token --from-literal=…",
        "kubectl config use-context NAME",
        f"{K} edit deployment/web",
        'psql "postgresql://shop@127.0.0.1:5432/shop"',
        "rm -rf /tmp/x",
        "docker stop $(docker ps --quiet --filter publish=5432)",
        f"{K} delete job/migrate, and deploy it again",
        "tail -n 50 log | rm x",
        "pytest-devenv db repair 2 --database shop",
        "pytest-devenv db status; rm -rf x",
        'kill "',
    ],
)
def test_what_cannot_be_run_as_it_stands_is_for_a_person(text: str) -> None:
    """Placeholders, prose, shells, what wants a terminal and programs that nobody knows are never run."""
    remedy = read(text)
    assert remedy.by_hand or remedy.effect is Effect.LOOKS
    assert all(each[0] == "pytest-devenv" for each in remedy.commands)


def test_what_a_person_has_to_do_first_is_not_skipped() -> None:
    """A command that only helps once a file was mended waits for that."""
    remedy = read("mend what its log says, then: pytest-devenv env job migrate")
    assert remedy.by_hand
    assert remedy.commands == (("pytest-devenv", "env", "job", "migrate"),)
