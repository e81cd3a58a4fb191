"""What kubectl's words mean, and where the objects are that they name."""

from __future__ import annotations

import pytest

from pytest_devenv.clients.kubernetes.resources import BUILT_IN, Reference, Resource


def known(word: str) -> Resource:
    """Return the built-in kind that a word means."""
    return next(each for each in BUILT_IN if each.answers_to(word))


@pytest.mark.parametrize(
    ("word", "path"),
    [
        ("pods", "/api/v1/namespaces/shop/pods"),
        ("po", "/api/v1/namespaces/shop/pods"),
        ("Deployment", "/apis/apps/v1/namespaces/shop/deployments"),
        ("deploy", "/apis/apps/v1/namespaces/shop/deployments"),
        ("deployments.apps", "/apis/apps/v1/namespaces/shop/deployments"),
        ("ns", "/api/v1/namespaces"),
        ("node", "/api/v1/nodes"),
        ("netpol", "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies"),
        ("ingress", "/apis/networking.k8s.io/v1/namespaces/shop/ingresses"),
        ("clusterrole", "/apis/rbac.authorization.k8s.io/v1/clusterroles"),
        ("cj", "/apis/batch/v1/namespaces/shop/cronjobs"),
    ],
)
def test_the_words_of_kubectl_lead_to_their_path(word: str, path: str) -> None:
    """Plural, singular and short names lead to the same collection, below the namespace where the kind has one."""
    assert known(word).path("shop") == path


def test_a_word_of_another_group_is_another_kind() -> None:
    """A group behind the word is heeded: a deployment of somebody else is not Kubernetes' own."""
    assert not any(each.answers_to("deployments.shop.example.com") for each in BUILT_IN)


def test_every_word_means_one_kind() -> None:
    """No two of the built-in kinds answer to the same word."""
    words = [word for each in BUILT_IN for word in {each.plural, each.singular, *each.short}]
    assert len(words) == len(set(words))


def test_a_name_cannot_lead_elsewhere() -> None:
    """What stands in a name stays a name in the path."""
    reference = Reference(known("pod"), "shop", "../../nodes")
    assert reference.path == "/api/v1/namespaces/shop/pods/..%2F..%2Fnodes"


def test_a_reference_reads_as_kubectl_names_it() -> None:
    """In messages an object is named as it is on kubectl's command line, with its namespace where it has one."""
    assert f"{Reference(known('deploy'), 'shop', 'backend')}" == "deployment/backend"
    assert Reference(known("deploy"), "shop", "backend").place == " in namespace shop"
    assert Reference(known("node"), "shop", "n1").place == ""
