"""The shop, deployed into a namespace of its own, and whole runs of pytest on it there."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.faults.project import PASSWORD, SOURCE, Shop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cluster.conftest import ReferenceCluster
    from tests.faults.project import Run

HERE = Path(__file__).parent / "shop"
ROLLED_OUT_S = 240
_SOON_S = 120.0
_POLL_S = 0.3
_WORKLOADS = ("deployment/postgres", "deployment/redis", "deployment/backend")


@dataclass(frozen=True, slots=True)
class Deployed:
    """A shop in a cluster: the cluster, the namespace, and the project whose runs look at it."""

    cluster: ReferenceCluster
    namespace: str
    shop: Shop

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """Return what kubectl prints of this namespace."""
        return self.cluster.kubectl("--namespace", self.namespace, *words, stdin=stdin, deadline_s=ROLLED_OUT_S + 60)

    def get(self, *words: str) -> dict[str, Any]:
        """Return what `kubectl get` finds."""
        return dict(json.loads(self.kubectl("get", *words, "--output=json")))

    def run(self, *arguments: str, within_s: float = _SOON_S) -> Run:
        """Run the health checks, or what is asked for, to their end."""
        return self.shop.run(*(arguments or ("-m", "health")), within_s=within_s)

    def do(self, command: str) -> None:
        """Do what a remedy says, as somebody who pastes it would."""
        environ = self.shop.environ
        subprocess.run(["/bin/bash", "-c", command], env=environ, capture_output=True, timeout=_SOON_S, check=True)

    def until(self, holds: Callable[[], bool], *, within_s: float = _SOON_S) -> None:
        """Wait until something holds, which is asked for again and again."""
        end = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < end, self.kubectl("get", "pods,events", "--output=wide")
            time.sleep(_POLL_S)

    def until_container(self, app: str, *, says: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until the status of some container of an app, or of an init container of it, says so."""

        def holds() -> bool:
            pods = self.get("pods", "--selector", f"app={app}")["items"]
            kinds = ("initContainerStatuses", "containerStatuses")
            return any(says(each) for pod in pods for kind in kinds for each in pod["status"].get(kind) or ())

        self.until(holds)

    def until_told(self, app: str, reason: str) -> None:
        """Wait until an event with this reason tells of a pod of an app that is there and not ready."""

        def holds() -> bool:
            pods = self.get("pods", "--selector", f"app={app}")["items"]
            waiting = {pod["metadata"]["uid"] for pod in pods if not _is_ready(pod)}
            events = self.get("events", f"--field-selector=reason={reason}")["items"]
            return any(event["involvedObject"].get("uid") in waiting for event in events)

        self.until(holds)

    def is_migrated(self) -> bool:
        """Return whether the Job has completed; one that has failed never will."""
        conditions = self.get("job", "migrate")["status"].get("conditions") or ()
        ended = {each["type"] for each in conditions if each["status"] == "True"}
        assert "Failed" not in ended, self.kubectl("logs", "job/migrate")
        return "Complete" in ended

    def until_rolled_out(self) -> None:
        """Wait until everything runs as it was last deployed."""
        for workload in _WORKLOADS:
            self.kubectl("rollout", "status", workload, f"--timeout={ROLLED_OUT_S}s")

    def restore(self) -> None:
        """Have everything but the Job as the manifests say, whatever was changed."""
        self.kubectl("replace", "--filename=-", stdin=manifests(without="Job"))
        self.until_rolled_out()


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def manifests(*, without: str | None = None) -> str:
    """Return the manifests of the shop, those of one kind left out."""
    documents = yaml.safe_load_all((HERE / "manifest.yaml").read_text())
    return yaml.safe_dump_all(each for each in documents if each["kind"] != without)


@contextlib.contextmanager
def deployed(cluster: ReferenceCluster, scratch: Path, *, broken_migration: bool = False) -> Iterator[Deployed]:
    """Deploy the shop, and take it away again; nothing is waited for but that the API server takes it."""
    folder, state = scratch / "shop", scratch / "state"
    state.mkdir()
    namespace = f"shop-{uuid.uuid4().hex[:8]}"
    shutil.copytree(HERE, folder)
    shutil.copytree(SOURCE / "migrations", folder / "migrations")
    if broken_migration:
        (folder / "migrations" / "2_orders.sql").write_text(
            "CREATE TABLE orders (customer_id bigint REFERENCES nobody);\n"
        )
    given = {"KUBECONFIG": str(cluster.kubeconfig), "SHOP_PASSWORD": PASSWORD}
    shop = Deployed(cluster, namespace, Shop(folder, state, given))
    shop.shop.edit("NAMESPACE", namespace)
    shop.shop.edit("CONTEXT", cluster.context)
    cluster.kubectl("create", "namespace", namespace)
    try:
        for name, source in (("shop", folder), ("migrations", folder / "migrations")):
            files = [f"--from-file={each}" for each in sorted(source.iterdir()) if each.is_file()]
            shop.kubectl("create", "configmap", name, *files)
        shop.kubectl("create", "--filename=-", stdin=manifests())
        yield shop
    finally:
        cluster.kubectl("delete", "namespace", namespace, "--wait=false")


@contextlib.contextmanager
def standing_in(cluster: ReferenceCluster, folder: Path) -> Iterator[Deployed]:
    """Deploy the shop, and wait until it is up."""
    with deployed(cluster, folder) as shop:
        shop.until(shop.is_migrated, within_s=ROLLED_OUT_S)
        shop.until_rolled_out()
        yield shop


def not_well(run: Run) -> dict[str, str]:
    """Return what a run says of each probe that did not pass, and was not off."""
    verdicts = {check["probe"]: check["verdict"] for check in run.report["checks"]}
    return {probe: each["summary"] for probe, each in verdicts.items() if each["state"] not in {"pass", "off"}}


def with_kubeconfig(shop: Deployed, file: Path) -> Deployed:
    """Return the same shop, whose runs use another kubeconfig."""
    return replace(shop, shop=shop.shop.given_too(KUBECONFIG=str(file)))


def waits_with(*reasons: str) -> Callable[[dict[str, Any]], bool]:
    """Return whether a container waits for one of these reasons, as a question to its status."""
    return lambda status: status["state"].get("waiting", {}).get("reason") in reasons


def evidence(verdict: dict[str, Any]) -> str:
    """Return all that is shown beside a verdict."""
    return "\n".join(f"{each['title']}\n{each['text']}" for each in verdict["evidence"])
