"""No pod of the reference environment may do more than it needs."""

from __future__ import annotations

import re

import pytest

from tests.unit.manifests.written import Manifest, containers, manifests, of_kind, pods

READING = {"get", "list", "watch"}
CONTAINERS = pytest.mark.parametrize(("name", "container"), list(containers()), ids=lambda value: str(value)[:60])


@pytest.mark.parametrize(("name", "pod"), list(pods()), ids=lambda value: str(value)[:40])
def test_pods_run_as_nobody_in_particular(name: str, pod: Manifest) -> None:
    """Not as root, with the runtime's own filter of system calls, and without a token unless it is the health run."""
    spec, context = pod["spec"], pod["spec"]["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["runAsUser"] > 0
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    assert spec["automountServiceAccountToken"] is ("health" in name or "suite" in name)
    assert not any("hostPath" in volume for volume in spec["volumes"] if isinstance(volume, dict))


@CONTAINERS
def test_containers_have_no_privilege(name: str, container: Manifest) -> None:
    """None may be gained, none is held, and nothing of the image can be overwritten."""
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }, name


@CONTAINERS
def test_containers_are_bounded(name: str, container: Manifest) -> None:
    """Each asks for little and has a limit; images that were built here are not asked of a registry."""
    for kind in ("requests", "limits"):
        assert container["resources"][kind].keys() == {"cpu", "memory"}, name
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert ":" in container["image"]
    assert not container["image"].endswith(":latest")


def test_what_runs_is_probed_three_ways() -> None:
    """Start, readiness and liveness of every Deployment have a probe, and liveness is the most patient."""
    for each in of_kind("Deployment").values():
        (container,) = each["spec"]["template"]["spec"]["containers"]
        startup, ready, live = (container[f"{kind}Probe"] for kind in ("startup", "readiness", "liveness"))
        patience = [probe["periodSeconds"] * probe.get("failureThreshold", 3) for probe in (startup, ready, live)]
        assert patience[2] == max(patience)


def test_rights_are_few_and_named() -> None:
    """No wildcard, no right to secrets, and none to change anything."""
    roles = of_kind("Role", "ClusterRole")
    assert roles
    for name, role in roles.items():
        for rule in role["rules"]:
            said = {word for key in ("apiGroups", "resources", "verbs") for word in rule[key]}
            assert not any("*" in word for word in said), name
            assert "secrets" not in said
            assert set(rule["verbs"]) <= READING
    for name, binding in of_kind("RoleBinding", "ClusterRoleBinding").items():
        assert [subject["name"] for subject in binding["subjects"]] == ["health"], name


def test_jobs_end() -> None:
    """Retries and time are bounded; the migration is tried again in place, and seeds wait to be asked for."""
    for name, job in of_kind("Job").items():
        assert job["spec"]["activeDeadlineSeconds"] <= 900, name
        assert job["spec"]["backoffLimit"] <= 6
        assert "ttlSecondsAfterFinished" not in job["spec"]
    jobs = of_kind("Job")
    assert jobs["job/database-migration"]["spec"]["template"]["spec"]["restartPolicy"] == "OnFailure"
    assert "suspend" not in jobs["job/database-migration"]["spec"]
    assert jobs["job/database-seed"]["spec"]["suspend"] is True


def test_policies_begin_with_nobody() -> None:
    """Nothing is let through but by name, and every name of a policy is one that some pod has."""
    policies = of_kind("NetworkPolicy")
    assert policies["networkpolicy/default-deny"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    labels = {item for _, pod in pods() for item in pod["metadata"]["labels"].items()}
    for name, policy in policies.items():
        selected = policy["spec"]["podSelector"].get("matchLabels", {})
        assert set(selected.items()) <= labels, name


def test_secrets_say_that_they_are_for_development() -> None:
    """Nobody can take the committed values for real ones: what a key is made of says so, and so does the file."""
    texts = [value for each in manifests("base") if each["kind"] == "Secret" for value in each["stringData"].values()]
    assert len(texts) == 5
    assert "for-development-only-never-in-production" in texts
    assert not any(re.search(r"[0-9a-f]{32}", text) for text in texts)
