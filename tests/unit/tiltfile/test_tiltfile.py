"""The Tiltfile declares what the settings describe, in their order, with the buttons that the environment has."""

from __future__ import annotations

import functools
from fnmatch import fnmatch
from typing import Any

import pytest
import starlark

from pytest_devenv.settings import ServiceKind
from pytest_devenv.settings.read import read
from tests.unit.tiltfile.evaluating import ROOT, Evaluated, evaluated

SETTINGS = read(ROOT / "pyproject.toml", environ={})
MAPS = ("migrations-jobs", "migrations-kiro")  # ConfigMaps, each a resource of Tilt
ALL = set(SETTINGS.services)
SOME = {"backend", "postgres", "redis"}
TRIGGERS: dict[str, tuple[str, set[str]]] = {
    "dev-setup": ("setup", SOME),
    "db-migrate": ("database", {"postgres"}),
    "db-seed": ("database", {"postgres", "database-migration"}),
    "db-reset": ("database", {"postgres"}),
    "db-status": ("database", {"postgres"}),
    "backend-tests": ("testing", set()),
    "backend-unit-tests": ("testing", set()),
    "frontend-tests": ("testing", set()),
    "backend-integration-tests": ("testing", SOME),
    "all-tests": ("testing", SOME),
    "health-check": ("monitoring", ALL),
    "service-status": ("monitoring", ALL),
    "warm-cache": ("performance", set()),
    "build-performance-test": ("performance", set()),
    "cleanup-resources": ("maintenance", set()),
}


@functools.cache
def plain() -> Evaluated:
    """Evaluate the Tiltfile with nothing chosen, once for all tests."""
    return evaluated()


def pods(manifest: dict[str, Any]) -> dict[str, Any] | None:
    """Return the pods that a manifest makes."""
    spec = manifest.get("spec") or {}
    spec = spec.get("jobTemplate", {}).get("spec", spec)
    found: dict[str, Any] | None = spec.get("template", {}).get("spec")
    return found


@pytest.mark.parametrize("name", SETTINGS.services)
def test_service_comes_up_after_what_it_requires(name: str) -> None:
    """The order is the settings' own, behind all that is configured, and for Jobs behind the migrations."""
    service = SETTINGS.services[name]
    maps = MAPS if service.kind is ServiceKind.JOB else ()
    assert plain().resources[name]["resource_deps"] == ["configuration", *service.requires, *maps]


@pytest.mark.parametrize("name", [each.name for each in SETTINGS.services.values() if each.local_port])
def test_service_has_its_port_on_this_machine(name: str) -> None:
    """What Tilt forwards is what the settings promise."""
    service = SETTINGS.services[name]
    assert plain().resources[name]["port_forwards"] == [[service.local_port, service.port, {"name": name}]]
    links = [[f"http://localhost:{service.local_port}{service.health}", name]]
    assert plain().resources[name]["links"] == (links if service.kind is ServiceKind.HTTP else [])


def test_everything_has_a_label_and_a_manifest() -> None:
    """Nothing is declared that the manifests do not have, and nothing stands without a label."""
    workloads = [each["metadata"]["name"] for each in plain().manifests if pods(each) is not None]
    named = [name.partition(":")[0] for name in plain().resources if name != "configuration"]
    assert sorted(named) == sorted((*workloads, *MAPS))
    assert all(each["labels"] for each in (*plain().resources.values(), *plain().buttons.values()))
    assert plain().updates["max_parallel_updates"] == 6


def test_what_makes_no_pods_is_configured_first() -> None:
    """The namespace, secrets and rights are one resource, which waits for nothing."""
    objects = plain().resources["configuration"]["objects"]
    assert {"kiro-dev:namespace", "postgres:secret", "backend:configmap", "default-deny:networkpolicy"} <= set(objects)
    assert "resource_deps" not in plain().resources["configuration"]


def test_buttons_are_those_of_the_environment() -> None:
    """All fifteen are there, and no other."""
    assert set(plain().buttons) == set(TRIGGERS)


@pytest.mark.parametrize("name", TRIGGERS)
def test_button_waits_to_be_pressed_and_for_what_it_requires(name: str) -> None:
    """A button never runs by itself, and never keeps another from running."""
    label, requires = TRIGGERS[name]
    button = plain().buttons[name]
    assert button["labels"] == [label]
    assert set(button["resource_deps"]) == requires
    assert (button["trigger_mode"], button["auto_init"], button["allow_parallel"]) == ("manual", False, True)
    assert button["env"] == {
        "PYTEST_DEVENV_TARGET": "cluster",
        "PYTEST_DEVENV_CONTEXT": "kind-devenv",
        "PYTEST_DEVENV_NAMESPACE": "kiro-dev",
        "CORS_ALLOWED_ORIGINS": "http://localhost:5000,http://localhost:5173,http://localhost:3000",
    }


def test_slot_gives_a_developer_a_namespace_and_ports() -> None:
    """Slot 2 lies 200 ports higher, in kiro-dev-2, and the page knows where its API is."""
    found = evaluated({"slot": "2"})
    assert found.resources["backend"]["port_forwards"][0][0] == 3200
    namespaces = {each["metadata"].get("namespace", "kiro-dev-2") for each in found.manifests}
    assert namespaces == {"kiro-dev-2"}
    assert found.manifest("Namespace", "kiro-dev-2")
    assert found.manifest("ClusterRoleBinding", "health.kiro-dev-2")["subjects"][0]["namespace"] == "kiro-dev-2"
    assert found.buttons["db-status"]["env"]["PYTEST_DEVENV_NAMESPACE"] == "kiro-dev-2"
    (frontend,) = (pods(found.manifest("Deployment", "frontend")) or {})["containers"]
    assert {"name": "VITE_API_URL", "value": "http://localhost:3200"} in frontend["env"]
    (backend,) = (pods(found.manifest("Deployment", "backend")) or {})["containers"]
    origins = "http://localhost:5200,http://localhost:5173,http://localhost:3200"
    assert {"name": "CORS_ALLOWED_ORIGINS", "value": origins} in backend["env"]


def test_namespace_of_a_variable_is_that_of_everything() -> None:
    """What PYTEST_DEVENV_NAMESPACE says goes for manifests too, which are written for another one."""
    found = evaluated(environ={"PYTEST_DEVENV_NAMESPACE": "theirs"})
    assert {each["metadata"].get("namespace", "theirs") for each in found.manifests} == {"theirs"}
    assert found.manifest("Namespace", "theirs")
    assert found.manifest("ClusterRole", "health.theirs")


def test_one_port_the_namespace_and_the_registry_can_be_chosen() -> None:
    """Each setting goes before what would follow from the slot."""
    found = evaluated({"port": ["backend=3999"], "namespace": "mine", "registry": "registry:5000", "port-offset": "10"})
    assert found.resources["backend"]["port_forwards"][0][0] == 3999
    assert found.resources["redis"]["port_forwards"][0][0] == 6389
    assert found.manifest("Namespace", "mine")
    assert found.registry == "registry:5000"


def test_service_can_be_left_out() -> None:
    """What is left out has no manifest and no resource, and nothing waits for it."""
    found = evaluated({"without": ["frontend"]})
    assert "frontend" not in found.resources
    assert not [each for each in found.manifests if each["metadata"]["name"] == "frontend"]
    assert "frontend" not in found.buttons["health-check"]["resource_deps"]


@pytest.mark.parametrize("image", ["kiro/backend", "kiro/frontend"])
def test_edit_of_code_is_copied_and_one_of_what_is_installed_is_built(image: str) -> None:
    """What needs a build comes first, as Tilt wants it; each path that is copied is one that the image is made of."""
    build = plain().images[image]
    first, *syncs = build["live_update"]
    assert first[0] == "fall_back_on"
    assert build["dockerfile"] in first
    for word, here, there in syncs:
        assert word == "sync"
        assert (ROOT / here).exists()
        assert there.startswith("/")
        assert any(here == only or here.startswith(f"{only}/") for only in build["only"])


@pytest.mark.parametrize("image", ["kiro/backend", "kiro/frontend", "kiro/tools"])
def test_image_is_made_of_all_that_its_dockerfile_copies(image: str) -> None:
    """What is left out of the build cannot be copied, and fails it; a pattern stands for what may be missing."""
    build = plain().images[image]
    for line in (ROOT / build["dockerfile"]).read_text().splitlines():
        words = line.split()
        if words[:1] != ["COPY"] or "--from" in line:
            continue
        for source in [word for word in words[1:-1] if not word.startswith("--") and "[" not in word]:
            below = [only for only in build["only"] if source == only or source.startswith(f"{only}/")]
            inside = [only for only in build["only"] if only.startswith(f"{source}/")]
            assert below or inside, source


@pytest.mark.parametrize(
    ("name", "place", "files"),
    [("migrations-kiro", "migrations/kiro", "*.sql"), ("migrations-jobs", "migrations/jobs/versions", "*.py")],
)
def test_edited_migration_needs_no_image(name: str, place: str, files: str) -> None:
    """Every migration is in a ConfigMap, mounted wherever the tools run, and in no image; nothing else is updated."""
    data = plain().manifest("ConfigMap", name)["data"]
    assert data == {file.name: file.read_text() for file in (ROOT / place).glob(files)}
    assert plain().resources[name]["objects"] == [f"{name}:configmap"]
    assert f"{place}/{files}" in plain().images["kiro/tools"]["ignore"]
    mounted = 0
    for manifest in plain().manifests:
        found = pods(manifest) or {}
        for container in (*found.get("initContainers", ()), *found.get("containers", ())):
            if container["image"].startswith("kiro/tools"):
                assert {"name": name, "mountPath": f"/srv/{place}"} in container["volumeMounts"]
                assert {"name": name, "configMap": {"name": name}} in found["volumes"]
                mounted += 1
    assert mounted >= 4


@pytest.mark.parametrize("context", ["minikube", "kind-devenv", "k3d-a", "docker-desktop"])
def test_context_that_the_settings_allow_is_allowed(context: str) -> None:
    """The list is pytest's own, patterns and all."""
    assert evaluated(context=context).allowed == [context]


@pytest.mark.parametrize("context", ["production", "kind", "my-minikube", "gke_shop_europe_kind-1"])
def test_context_that_they_do_not_allow_is_refused(context: str) -> None:
    """Nothing is deployed to any other cluster."""
    with pytest.raises(starlark.StarlarkError, match="the current kube context is"):
        evaluated(context=context)


def test_port_that_is_taken_stops_everything() -> None:
    """Who holds it is named before anything is started, and the setting that moves it; what is ended needs no port."""
    with pytest.raises(starlark.StarlarkError) as error:
        evaluated(taken="the port of backend is taken, found: node (pid 7)")
    assert "found: node (pid 7)\n  or give it another port: tilt up -- --port NAME=PORT" in str(error.value)
    assert evaluated(taken="the port of backend is taken", subcommand="down").resources


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"port": ["bakend=1"]}, "--port: expected one of backend, frontend, postgres, redis"),
        ({"slot": "two"}, "--slot: expected a number, found"),
        ({"without": ["web"]}, "--without: expected one of backend"),
    ],
)
def test_wrong_setting_is_said(chosen: dict[str, object], said: str) -> None:
    """A mistyped setting stops before anything is deployed, with what is allowed."""
    with pytest.raises(starlark.StarlarkError, match=said):
        evaluated(chosen)


def test_start_says_where_everything_is() -> None:
    """Endpoints, databases, triggers and a quick start are told."""
    for word in ("localhost:3000", "localhost:5432", "quick start", "db migrate", "tilt trigger"):
        assert word in plain().printed


def test_edit_of_what_is_copied_builds_no_other_image() -> None:
    """The tools hold of the backend what the seeds import, and none of the files that loops edit."""
    edits = {loop.edit for loop in SETTINGS.loops.values()}
    tools = plain().images["kiro/tools"]
    edits = {edit for edit in edits if not any(fnmatch(edit, pattern) for pattern in tools["ignore"])}
    for only in tools["only"]:
        assert not {edit for edit in edits if edit == only or edit.startswith(f"{only}/")}


def test_order_of_the_settings_changes_nothing() -> None:
    """Tilt's JSON has no order: whatever it is, images and manifests are the same, so that nothing is made anew."""
    turned = evaluated(turned=True)
    assert turned.images == plain().images
    assert turned.manifests == plain().manifests
