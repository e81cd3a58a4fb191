"""Whether a required secret is there, by the pods first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.probes.cluster.secrets import cause_of, judge_pods, judge_secrets
from pytest_devenv.probes.cluster.trouble import Trouble
from tests.unit.probes.cluster.samples import DEPLOY, KUBECTL, Object, container, pod, waiting
from tests.unit.probes.samples import settings

if TYPE_CHECKING:
    from pytest_devenv.verdict import Verdict

REFERENCE = {"name": "JWT_SECRET", "valueFrom": {"secretKeyRef": {"name": "shop", "key": "jwt-secret"}}}


def judged(given: Object) -> Verdict | None:
    """Return what a pod says of the required secret jwt-secret."""
    given["spec"]["containers"][0]["env"] = [REFERENCE]
    return judge_pods("jwt-secret", (given,), KUBECTL)


def test_a_container_that_was_started_with_a_secret_proves_it() -> None:
    """No right to read Secrets is needed for what a running container was given."""
    verdict = judged(pod(container()))
    assert verdict is not None
    assert verdict.summary == "the key jwt-secret of the Secret shop, given to backend-6c-x1"


def test_a_container_that_waits_for_a_key_tells_which() -> None:
    """A missing key is told by the container that waits for it."""
    message = "couldn't find key jwt-secret in Secret shop-dev/shop"
    verdict = judged(pod(container(waiting("CreateContainerConfigError", message))))
    assert verdict is not None
    assert verdict.summary == "secret jwt-secret is missing: the Secret shop has no key jwt-secret"
    assert (verdict.expected, verdict.remedy) == ("the Secret shop with a key jwt-secret", DEPLOY)


def test_where_no_pod_tells_the_keys_of_the_secrets_do() -> None:
    """A Secret of that name, or one with such a key, is the secret; its value is looked at by nobody."""
    assert judged(pod(container(waiting("ContainerCreating")))) is None
    assert judge_secrets("jwt-secret", {"jwt-secret": frozenset()}, KUBECTL).passed
    assert judge_secrets("jwt-secret", {"shop": frozenset({"JWT_SECRET"})}, KUBECTL).passed
    verdict = judge_secrets("jwt-secret", {"shop": frozenset({"other"})}, KUBECTL)
    assert verdict.expected == "a Secret jwt-secret, or a key jwt-secret or JWT_SECRET in one"
    assert verdict.found == "none of these in 1 Secrets"


def test_a_workload_that_waits_for_a_required_secret_is_blocked_by_it() -> None:
    """One missing key is told once, by the check of that secret."""
    waits = Trouble(what="waits", expected="", found="", remedy="", where="", secret=("shop", "jwt-secret"))
    assert cause_of(waits, settings()) == "secret.is_present[jwt-secret]"
    other = Trouble(what="waits", expected="", found="", remedy="", where="", secret=("shop", "other"))
    assert cause_of(other, settings()) is None
