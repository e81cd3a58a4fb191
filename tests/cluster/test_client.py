"""The client asks a real API server: who is let in, what is told of who is not, and changes as they happen."""

from __future__ import annotations

import base64
import json
import sys
import threading
import time
import uuid
from typing import TYPE_CHECKING

import pytest
import yaml

from pytest_devenv.clients.kubernetes import ApiError, Kubeconfig, connect
from pytest_devenv.clients.kubernetes import exec as execs
from pytest_devenv.errors import TargetError, WaitTimeoutError
from tests.cluster.postgres import kubeconfig_with

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.postgres import Deployed

pytestmark = pytest.mark.cluster


def token_of(deployed: Deployed, account: str, **spec: object) -> str:
    """Return a token of a service account of the namespace."""
    path = f"/api/v1/namespaces/{deployed.namespace}/serviceaccounts/{account}/token"
    answer = deployed.api.request("POST", path, {"spec": spec})
    return str(answer["status"]["token"])


def test_a_context_may_be_spread_over_files(deployed: Deployed, tmp_path: Path) -> None:
    """A KUBECONFIG list whose files hold the context, the cluster and the user leads to the cluster."""
    view = deployed.cluster.kubectl("config", "view", "--raw", "--minify", "--flatten", "--output=yaml")
    content, files = yaml.safe_load(view), []
    for key in ("contexts", "clusters", "users"):
        file = tmp_path / key
        file.write_text(yaml.safe_dump({key: content[key]}))
        files.append(file)
    api = connect(Kubeconfig(tuple(files), deployed.cluster.context, "spread"), deadline_s=60)
    assert api.get(f"/api/v1/namespaces/{deployed.namespace}")["metadata"]["name"] == deployed.namespace
    api.close()


def test_a_list_is_whole_however_small_its_pages(deployed: Deployed) -> None:
    """Pages of one item each give what one answer gives."""
    path = f"/api/v1/namespaces/{deployed.namespace}/configmaps"
    name = f"pages-{uuid.uuid4().hex[:6]}"
    for number in range(3):
        deployed.api.request("POST", path, {"metadata": {"name": f"{name}-{number}"}})
    found = {each["metadata"]["name"] for each in deployed.api.list(path, limit="1")}
    assert {f"{name}-{number}" for number in range(3)} <= found


def test_a_change_is_heard_of(deployed: Deployed) -> None:
    """A watch tells what is there, and then a change that somebody makes meanwhile."""
    path = f"/api/v1/namespaces/{deployed.namespace}/configmaps"
    name = f"watched-{uuid.uuid4().hex[:6]}"
    deployed.api.request("POST", path, {"metadata": {"name": name}, "data": {"at": "first"}})
    events = deployed.api.watch(path, deadline_s=120, fieldSelector=f"metadata.name={name}")
    assert next(events).type == "ADDED"
    patch = threading.Thread(
        target=deployed.api.request,
        args=("PATCH", f"{path}/{name}", {"data": {"at": "second"}}),
        kwargs={"content_type": "application/merge-patch+json"},
    )
    patch.start()
    event = next(events)
    patch.join()
    events.close()  # type: ignore[attr-defined]  # a generator
    assert (event.type, event.object["data"]) == ("MODIFIED", {"at": "second"})


def test_a_right_that_is_missing_is_named(deployed: Deployed, tmp_path: Path) -> None:
    """Of a service account without a role the verb, the resource and the namespace that it lacks are known."""
    user = {"token": token_of(deployed, "default")}
    api = connect(kubeconfig_with(deployed.cluster, tmp_path / "config", user), deadline_s=60)
    with pytest.raises(ApiError) as caught:
        api.list(f"/apis/apps/v1/namespaces/{deployed.namespace}/deployments")
    error = caught.value
    assert (error.status, error.verb, error.resource, error.namespace) == (
        403,
        "list",
        "deployments.apps",
        deployed.namespace,
    )
    api.close()


def test_a_token_that_has_run_out_is_told(deployed: Deployed, tmp_path: Path) -> None:
    """A token whose time is over is refused, and the error says since when that is."""
    header, claims, signature = token_of(deployed, "default").split(".")
    told = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    told["exp"] = 1_600_000_000
    claims = base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")
    user = {"token": f"{header}.{claims}.{signature}"}
    api = connect(kubeconfig_with(deployed.cluster, tmp_path / "config", user), deadline_s=60)
    with pytest.raises(ApiError) as caught:
        api.get(deployed.pods)
    assert caught.value.status == 401
    assert "with a token that expired at 2020-09-13T12:26:40Z" in caught.value.message
    assert signature not in str(caught.value)
    api.close()


def test_a_plugin_gives_the_credentials(deployed: Deployed, tmp_path: Path) -> None:
    """What an exec plugin prints lets us in, and it runs once for several requests."""
    version = "client.authentication.k8s.io/v1"
    answer = {"apiVersion": version, "kind": "ExecCredential", "status": {"token": token_of(deployed, "default")}}
    (tmp_path / "login.py").write_text(f"open(__file__ + '.runs', 'a').write('x')\nprint({json.dumps(answer)!r})\n")
    spec = {"apiVersion": version, "command": sys.executable, "args": [str(tmp_path / "login.py")]}
    api = connect(kubeconfig_with(deployed.cluster, tmp_path / "config", {"exec": spec}), deadline_s=60)
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    for _ in range(2):
        me = api.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", review)
        assert me["status"]["userInfo"]["username"] == f"system:serviceaccount:{deployed.namespace}:default"
    assert (tmp_path / "login.py.runs").read_text() == "x"
    api.close()


def test_a_command_gives_its_output_and_its_code(deployed: Deployed) -> None:
    """Both streams of a command in a container come back apart, with its exit code."""
    ended = execs.run(
        deployed.api, deployed.namespace, deployed.pod(), ["sh", "-c", "echo out; echo err >&2; exit 3"], deadline_s=60
    )
    assert (ended.code, ended.out, ended.err) == (3, b"out\n", b"err\n")


def test_a_command_gets_its_input_to_the_end(deployed: Deployed) -> None:
    """What a command reads ends when all is said, also where that is more than one message holds."""
    given = b"0123456789abcdef" * 8192
    ended = execs.run(deployed.api, deployed.namespace, deployed.pod(), ["wc", "-c"], given=given, deadline_s=60)
    assert (ended.code, ended.out.strip()) == (0, str(len(given)).encode())


def test_a_program_that_is_not_there_is_told(deployed: Deployed) -> None:
    """What could not be run has no exit code: that is an error with the reason."""
    with pytest.raises(TargetError, match="no command could be run in the pod"):
        execs.run(deployed.api, deployed.namespace, deployed.pod(), ["no-such-program"], deadline_s=60)


def test_a_command_that_does_not_end_is_given_up(deployed: Deployed) -> None:
    """At its deadline a command is let go, and the error says what it last wrote."""
    began = time.monotonic()
    with pytest.raises(WaitTimeoutError, match="found: that it last wrote: begun"):
        execs.run(deployed.api, deployed.namespace, deployed.pod(), ["sh", "-c", "echo begun; sleep 600"], deadline_s=5)
    assert time.monotonic() - began < 120
