"""Why a volume claim is not bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.probes.cluster.claims import judge_claim
from tests.unit.probes.cluster.samples import DEPLOY, KUBECTL, K, Object, event, snapshot

if TYPE_CHECKING:
    from pytest_devenv.probes.cluster.trouble import Trouble


def claim(**spec: object) -> Object:
    """Return a claim that is pending."""
    return {"metadata": {"name": "data", "uid": "uid-data"}, "spec": spec, "status": {"phase": "Pending"}}


def storage_class(name: str = "standard", *, default: bool = True, **more: object) -> Object:
    """Return a storage class."""
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    return {"metadata": {"name": name, "annotations": annotations}, **more}


def trouble(given: Object | None, *known: Object, events: tuple[Object, ...] = ()) -> Trouble:
    """Return why a claim is not bound."""
    found = judge_claim("data", given, snapshot(events=events), known, KUBECTL)
    assert found is not None
    return found


def test_a_class_that_is_not_there_is_named_beside_those_that_are() -> None:
    """A claim of an unknown class says which there are, and has to be made anew."""
    found = trouble(claim(storageClassName="fast"), storage_class())
    assert found.what == "the volume claim data asks for the storage class fast, which is not there"
    assert found.expected == "one of the storage classes standard"
    made_anew = f"{K} delete pvc data --wait=false && {DEPLOY}"
    assert found.remedy == f"correct its storageClassName, such as standard, then: {made_anew}"


def test_without_a_default_class_one_is_made() -> None:
    """A claim that leaves the class to the cluster needs a default there."""
    found = trouble(claim(), storage_class(default=False))
    assert found.what == "the volume claim data names no storage class, and none is the default"
    assert found.remedy.startswith("kubectl --context kind-shop patch storageclass standard --patch ")
    assert trouble(claim()).remedy.startswith("install a storage provisioner")


def test_a_claim_that_wants_no_class_says_so() -> None:
    """An empty storageClassName is not the same as none."""
    assert trouble(claim(storageClassName=""), storage_class()).found == 'storageClassName ""'


def test_a_claim_that_is_not_there_is_deployed() -> None:
    """A pod may name a claim that nobody made."""
    assert trouble(None).remedy == DEPLOY


def test_what_the_provisioner_said_is_told() -> None:
    """A claim whose provisioner failed says why."""
    failure = event("ProvisioningFailed", "no space left on device", about="data")
    assert trouble(claim(storageClassName="standard"), storage_class(), events=(failure,)).found == (
        "ProvisioningFailed: no space left on device"
    )


def test_a_claim_that_waits_for_its_first_pod_is_as_it_should_be() -> None:
    """A class may bind a claim only when somebody uses it."""
    later = storage_class(volumeBindingMode="WaitForFirstConsumer")
    assert judge_claim("data", claim(storageClassName="standard"), snapshot(), (later,), KUBECTL) is None
