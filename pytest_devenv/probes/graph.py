"""Which probes another one needs, directly and through others."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from pytest_devenv.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_devenv.probes.probe import Probe


def closure(catalog: Mapping[str, Probe], selected: Iterable[str]) -> tuple[Probe, ...]:
    """Return the selected probes and all that they require, every requirement before what requires it.

    Raises `ConfigError` for an id that is no probe, and for probes that require each other.
    """
    order: dict[str, Probe] = {}

    def add(probe_id: str, path: tuple[str, ...]) -> None:
        if probe_id in order:
            return
        if probe_id in path:
            circle = " → ".join((*path[path.index(probe_id) :], probe_id))
            msg = f"probes require each other: {circle}"
            raise ConfigError(msg, remedy="take one of these out of the other's requires")
        probe = catalog.get(probe_id)
        if probe is None:
            raise ConfigError(_nameless(catalog, probe_id, path), remedy=_nearest(catalog, probe_id))
        for required in probe.requires:
            add(required, (*path, probe_id))
        order[probe_id] = probe

    for probe_id in selected:
        add(probe_id, ())
    return tuple(order.values())


def _nameless(catalog: Mapping[str, Probe], probe_id: str, path: tuple[str, ...]) -> str:
    wanted = f"probe {path[-1]} requires {probe_id}, which" if path else probe_id
    return f"{wanted} is none of the {len(catalog)} probes of this environment"


def _nearest(catalog: Mapping[str, Probe], probe_id: str) -> str:
    near = get_close_matches(probe_id, catalog, n=1)
    return f"did you mean {near[0]}?" if near else "name one of: " + ", ".join(sorted(catalog))
