"""Several kubeconfigs are read as one, as kubectl merges them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import yaml

from pytest_devenv.clients.kubernetes.access import of_context
from pytest_devenv.clients.kubernetes.kubeconfig import contexts, current_context, kubeconfig_files
from pytest_devenv.errors import TargetError
from tests.unit.clients.kubernetes.samples import config, written

if TYPE_CHECKING:
    from pathlib import Path


def test_a_list_of_files_is_read_once_each_in_its_order(tmp_path: Path) -> None:
    """KUBECONFIG is split as PATH is; what it names twice is read once."""
    first, second = tmp_path / "first", tmp_path / "second"
    listed = os.pathsep.join(map(str, (first, second, first, "")))
    assert kubeconfig_files({"KUBECONFIG": listed}) == (first, second)


def test_the_contexts_of_all_files_are_there(tmp_path: Path) -> None:
    """Every file adds its contexts, and one that is missing adds none."""
    files = (written(tmp_path / "a", context="kind-a"), tmp_path / "missing", written(tmp_path / "b", context="kind-b"))
    assert contexts(files) == ("kind-a", "kind-b")


def test_of_two_entries_of_one_name_the_first_counts(tmp_path: Path) -> None:
    """A file cannot redefine what one before it says."""
    first = written(tmp_path / "first", cluster={"server": "https://first:6443"})
    second = written(tmp_path / "second", cluster={"server": "https://second:6443"})
    assert of_context(config(first, second)).server == "https://first:6443"
    assert of_context(config(second, first)).server == "https://second:6443"


def test_a_context_may_name_what_another_file_holds(tmp_path: Path) -> None:
    """Context, cluster and user of one context may stand in three files."""
    whole = yaml.safe_load(written(tmp_path / "whole", user={"token": "t"}).read_text())
    files = []
    for key in ("contexts", "users", "clusters"):
        file = tmp_path / key
        file.write_text(yaml.safe_dump({key: whole[key]}))
        files.append(file)
    access = of_context(config(*files))
    assert (access.server, access.login.name, access.namespace) == ("https://127.0.0.1:6443", "kind-shop", "shop")


def test_relative_paths_begin_at_the_file_that_holds_them(tmp_path: Path) -> None:
    """A path is seen from its own kubeconfig, wherever the run is."""
    file = written(
        tmp_path / "of" / "config",
        cluster={"certificate-authority": "ca.crt"},
        user={"client-certificate": "../me.crt", "client-key": "/keys/me.key", "tokenFile": "token"},
    )
    access = of_context(config(written(tmp_path / "other", context="kind-other"), file))
    login = access.login
    assert access.authority is not None
    assert access.authority.file == tmp_path / "of" / "ca.crt"
    assert login.certificate is not None
    assert login.certificate.file == tmp_path / "of" / ".." / "me.crt"
    assert login.key is not None
    assert str(login.key.file) == "/keys/me.key"
    assert login.token_file == tmp_path / "of" / "token"


def test_the_first_current_context_is_the_one(tmp_path: Path) -> None:
    """The current context is that of the first file that names one."""
    files = (
        written(tmp_path / "none"),
        written(tmp_path / "first", current="kind-a"),
        written(tmp_path / "second", current="kind-b"),
    )
    assert current_context({"KUBECONFIG": os.pathsep.join(map(str, files))}) == "kind-a"


def test_a_context_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    """An error names what was wanted, where it was looked for, and what is there instead."""
    file = written(tmp_path / "config")
    with pytest.raises(TargetError) as caught:
        of_context(config(file, context="kind-other"))
    assert str(caught.value) == (
        f"expected the context kind-other in {file}, found kind-shop\n"
        "  remedy: see them all: kubectl config get-contexts"
    )


def test_a_context_whose_cluster_is_gone_is_told(tmp_path: Path) -> None:
    """A context that names a cluster which no file has is no way to anywhere."""
    content = yaml.safe_load(written(tmp_path / "config").read_text())
    content["clusters"] = []
    (tmp_path / "config").write_text(yaml.safe_dump(content))
    with pytest.raises(TargetError) as caught:
        of_context(config(tmp_path / "config"))
    assert "names the cluster kind-shop, which is in none of the files" in caught.value.message
