"""What a run says when it may not look, is not known, or is kept from what it looks at on the way."""

from __future__ import annotations

import base64
import contextlib
import json
import socketserver
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.cluster.faults.deployed import not_well, with_kubeconfig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.faults.deployed import Deployed

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

BACKEND = "workload.is_rolled_out[backend]"
_DOCKER_S = 60

ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: looker}
rules:
  - {apiGroups: [""], resources: [pods, services, events, persistentvolumeclaims], verbs: [get, list]}
  - {apiGroups: [""], resources: [namespaces], verbs: [get]}
  - {apiGroups: [""], resources: [pods/log], verbs: [get]}
  - {apiGroups: [""], resources: [pods/portforward, pods/exec], verbs: [get, create]}
  - {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list]}
  - {apiGroups: [batch], resources: [jobs], verbs: [list]}
  - {apiGroups: [apps], resources: [replicasets], verbs: [list]}
"""
FORWARD = '''
import subprocess, time

from redis.exceptions import ConnectionError


def test_a_forward_outlives_its_pod(redis):
    """Redis answers at the same address, whichever pod is behind it."""
    redis.set("shop:before", "1", ex=60)
    kubectl = ["kubectl", "--context", "CONTEXT", "--namespace", "NAMESPACE"]
    subprocess.run([*kubectl, "delete", "pod", "--selector=app=redis", "--wait=true"], check=True)
    subprocess.run([*kubectl, "rollout", "status", "deployment/redis", "--timeout=120s"], check=True)
    end = time.monotonic() + 60
    while True:
        try:
            assert redis.get("shop:before") is None
        except ConnectionError:
            assert time.monotonic() < end
            time.sleep(0.2)
        else:
            return
'''


def kubeconfig_as(shop: Deployed, token: str, file: Path) -> Deployed:
    """Return the shop as whoever has this token sees it, under the same context."""
    flattened = shop.cluster.kubectl("config", "view", "--raw", "--minify", "--flatten")
    config: dict[str, Any] = yaml.safe_load(flattened)
    config["users"] = [{"name": each["name"], "user": {"token": token}} for each in config["users"]]
    file.write_text(yaml.safe_dump(config))
    return with_kubeconfig(shop, file)


def test_a_look_that_is_forbidden(standing: Deployed, tmp_path: Path) -> None:
    """Who may not list the deployments is told which right is missing; the remedy grants it, and then all is seen."""
    standing.kubectl("create", "serviceaccount", "looker")
    standing.kubectl("create", "--filename=-", stdin=ROLE)
    account = f"--serviceaccount={standing.namespace}:looker"
    standing.kubectl("create", "rolebinding", "looker", "--role=looker", account)
    everywhere = f"looker-{standing.namespace}"
    standing.kubectl("create", "clusterrole", everywhere, "--verb=list", "--resource=nodes")
    try:
        standing.kubectl("create", "clusterrolebinding", everywhere, f"--clusterrole={everywhere}", account)
        looker = kubeconfig_as(standing, standing.kubectl("create", "token", "looker").strip(), tmp_path / "config")
        verdict = looker.run().only_root(f"namespace.may_be_read[{standing.namespace}]", state="unknown")
        user = f"system:serviceaccount:{standing.namespace}:looker"
        assert verdict["summary"] == f"{user} may not list deployments.apps in namespace {standing.namespace}"
        standing.do(verdict["remedy"])
        assert not_well(looker.run()) == {}
    finally:
        for kind in ("clusterrolebinding", "clusterrole"):
            standing.kubectl("delete", kind, everywhere, "--ignore-not-found")


def test_a_token_that_has_expired(standing: Deployed, tmp_path: Path) -> None:
    """Credentials that are not accepted are the one root, and everything else is blocked by it."""

    def part(content: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    token = (
        f"{part({'alg': 'RS256', 'kid': 'of-yesterday'})}.{part({'exp': 1700000000, 'sub': 'somebody'})}.c2lnbmF0dXJl"
    )
    run = kubeconfig_as(standing, token, tmp_path / "config").run()
    verdict = run.only_root("cluster.answers[cluster]")
    assert verdict["summary"] == "the API server does not accept these credentials"
    assert "401 Unauthorized" in verdict["found"]
    assert token not in run.output


def test_a_context_that_is_not_allowed(standing: Deployed, tmp_path: Path) -> None:
    """Of a context that the settings do not allow nothing is asked and nothing is run: no connection, no plugin."""
    connections: list[object] = []
    ran = tmp_path / "ran"
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "touch",
        "args": [str(ran)],
        "interactiveMode": "Never",
    }

    class Counting(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            connections.append(self.client_address)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Counting) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            config = {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "production",
                "contexts": [{"name": "production", "context": {"cluster": "production", "user": "somebody"}}],
                "clusters": [
                    {"name": "production", "cluster": {"server": f"http://127.0.0.1:{server.server_address[1]}"}}
                ],
                "users": [{"name": "somebody", "user": {"exec": plugin}}],
            }
            (tmp_path / "config").write_text(yaml.safe_dump(config))
            run = with_kubeconfig(standing, tmp_path / "config").run()
        finally:
            server.shutdown()
            thread.join()
    assert connections == []
    assert not ran.exists()
    assert run.exit_code == pytest.ExitCode.USAGE_ERROR
    assert "production" in run.output
    assert "contexts" in run.output


@contextlib.contextmanager
def cut(shop: Deployed, one: str, other: str) -> Iterator[None]:
    """Let no packet of one app reach the other, by a rule in the node's own firewall."""
    addresses = [shop.get("pods", "--selector", f"app={app}")["items"][0]["status"]["podIP"] for app in (one, other)]
    node = shop.get("pods", "--selector", f"app={one}")["items"][0]["spec"]["nodeName"]
    rule = ["FORWARD", "--source", addresses[0], "--destination", addresses[1], "--jump", "DROP"]
    in_node(node, "iptables", "--insert", *rule)
    try:
        yield
    finally:
        in_node(node, "iptables", "--delete", *rule)


def in_node(node: str, *words: str) -> str:
    """Run a command in the container that is a node of the cluster."""
    docker = ["docker", "exec", node, *words]
    return subprocess.run(docker, capture_output=True, text=True, timeout=_DOCKER_S, check=True).stdout


def test_a_firewall_between_the_backend_and_its_database(standing: Deployed) -> None:
    """Both are well by themselves; the backend's probe and its log tell that it does not reach the other."""
    with cut(standing, "backend", "postgres"):
        standing.until(lambda: not standing.get("deployment", "backend")["status"].get("readyReplicas"))
        run = standing.run()
    verdict = run.only_root(BACKEND)
    assert verdict["summary"] == "deployment/backend is not ready: the readiness probe of backend fails"
    assert run.states["postgres.accepts_queries[postgres]"] == "pass"
    assert "no database:" in "\n".join(each["text"] for each in verdict["evidence"])
    standing.until_rolled_out()


def test_a_pod_that_is_deleted_while_a_forward_is_open(standing: Deployed) -> None:
    """The connection of a test goes on to the pod that takes the place of the deleted one."""
    text = FORWARD.replace("CONTEXT", standing.cluster.context).replace("NAMESPACE", standing.namespace)
    (standing.shop.folder / "test_forward.py").write_text(text)
    try:
        run = standing.run("--devenv", "-k", "test_a_forward", "test_forward.py")
    finally:
        (standing.shop.folder / "test_forward.py").unlink()
    assert run.exit_code == 0, run.output
