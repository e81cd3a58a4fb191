"""Where the programs of a control plane are looked for, what it signs, and what it writes for its users."""

from __future__ import annotations

import base64
import json
import stat
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from pytest_devenv.errors import TargetError
from pytest_devenv.targets.controlplane.binaries import Programs, programs
from pytest_devenv.targets.controlplane.certificates import authority, read_authority
from pytest_devenv.targets.controlplane.kubeconfig import write_kubeconfig, write_private

if TYPE_CHECKING:
    from pathlib import Path

HOW = (
    "go install sigs.k8s.io/controller-runtime/tools/setup-envtest@latest, "
    'then: eval "$(setup-envtest use --print env)"'
)


def folder_of(path: Path, *names: str) -> Path:
    """Make a folder with programs of these names."""
    path.mkdir()
    for name in names:
        (path / name).touch(mode=0o755)
    return path


def test_the_assets_of_envtest_are_an_api_alone(tmp_path: Path) -> None:
    """What setup-envtest fetches is enough, and nothing is taken from another place to go with it."""
    assets = folder_of(tmp_path / "assets", "etcd", "kube-apiserver", "kubectl")
    other = folder_of(tmp_path / "other", "kube-controller-manager", "kube-scheduler")
    found = programs({"KUBEBUILDER_ASSETS": str(assets), "PATH": str(other)})
    assert found == Programs(etcd=assets / "etcd", apiserver=assets / "kube-apiserver")


def test_programs_on_path_serve_too(tmp_path: Path) -> None:
    """Without the variable PATH is looked through, and a whole control plane is taken where there is one."""
    names = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
    place = folder_of(tmp_path / "bin", *names)
    assert programs({"PATH": str(place)}, fallback=tmp_path) == Programs(*(place / name for name in names))


def test_the_usual_folder_serves_when_path_has_none(tmp_path: Path) -> None:
    """Where neither says anything, the folder that envtest itself would use is taken."""
    usual = folder_of(tmp_path / "usual", "etcd", "kube-apiserver")
    assert programs({"PATH": str(tmp_path)}, fallback=usual).apiserver == usual / "kube-apiserver"


def test_what_is_missing_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    """A missing program is named, where it was looked for is said, and the remedy fetches it."""
    assets = folder_of(tmp_path / "assets", "etcd")
    with pytest.raises(TargetError) as caught:
        programs({"KUBEBUILDER_ASSETS": str(assets)})
    assert str(caught.value) == (
        "the control plane runs etcd and kube-apiserver: expected both as programs, found no kube-apiserver, "
        f"looked in KUBEBUILDER_ASSETS={assets}\n  remedy: {HOW}"
    )
    with pytest.raises(TargetError, match=r"found no etcd and no kube-apiserver, looked in PATH"):
        programs({"PATH": str(tmp_path)}, fallback=tmp_path)


def test_a_user_is_a_common_name_and_its_groups_are_organizations() -> None:
    """Kubernetes reads who somebody is from the certificate, so it has to stand there, signed by this authority."""
    signer = authority("test")
    certificate = x509.load_pem_x509_certificate(signer.client("anna", ["developers", "system:masters"]).certificate)
    assert certificate.subject.rfc4514_string() == "CN=anna,O=system:masters,O=developers"
    certificate.verify_directly_issued_by(signer.certificate)
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)


def test_an_authority_is_read_back(tmp_path: Path) -> None:
    """Another process of the same run signs with the authority that the first one made."""
    signer = authority("test")
    write_private(tmp_path / "ca.crt", signer.pair().certificate)
    write_private(tmp_path / "ca.key", signer.pair().key)
    again = read_authority(tmp_path / "ca.crt", tmp_path / "ca.key")
    certificate = x509.load_pem_x509_certificate(again.client("anna").certificate)
    certificate.verify_directly_issued_by(signer.certificate)


def test_a_kubeconfig_is_for_its_owner_alone(tmp_path: Path) -> None:
    """It holds a private key: nobody else reads the file, and nothing else is left beside it."""
    signer = authority("test")
    login = signer.client("anna")
    file = write_kubeconfig(
        tmp_path / "kubeconfig",
        server="https://127.0.0.1:1",
        authority=signer.pair().certificate,
        user="anna",
        login=login,
        namespace="shop",
    )
    content = json.loads(file.read_text())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["kubeconfig"]
    assert base64.b64decode(content["users"][0]["user"]["client-key-data"]) == login.key
    assert content["contexts"][0]["context"]["namespace"] == "shop"
    assert content["current-context"] == content["contexts"][0]["name"]


def test_a_private_key_is_in_no_repr() -> None:
    """What a traceback shows of a key pair holds no key."""
    pair = authority("test").client("anna")
    assert pair.key.decode().splitlines()[1] not in repr(pair)
