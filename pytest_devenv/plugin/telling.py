"""What is told beside the report: the endpoints before the checks, and an error of ours without our code."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest
    from _pytest._code.code import ExceptionChainRepr, ReprExceptionInfo

    from pytest_devenv.clients.kubernetes import Cluster
    from pytest_devenv.report.model import ServiceAddress


def cluster_lines(cluster: Cluster | None) -> list[str]:
    """Return the line that says which cluster this run looks at, and what kind of one that is."""
    if cluster is None:
        return []
    platform = "" if cluster.platform is None else f", {cluster.platform}"
    return [f"  context {cluster.context}, namespace {cluster.namespace}{platform}"]


def endpoint_lines(services: tuple[ServiceAddress, ...]) -> list[str]:
    """Return a line for each service that has an address: where this run reaches it, and how that is known."""
    reached = [(each.service, each.address, each.source) for each in services if each.address is not None]
    width = max((len(name) for name, _, _ in reached), default=0)
    return [f"  {name:<{width}}  {address}  ({source})" for name, address, source in reached]


def told(error: pytest.ExceptionInfo[BaseException], line: str) -> ReprExceptionInfo | ExceptionChainRepr:
    """Return an error's message without a traceback, as pytest shows it; `line` is for the short summary."""
    shown = error.getrepr(style="value")
    if shown.reprcrash is not None:
        shown.reprcrash.message = line
    return shown
