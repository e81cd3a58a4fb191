"""The configuration: one frozen, typed tree, read and validated once.

The names below are loaded at their first use, so that a run without a configuration does not pay for them.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_devenv.settings.model import (
        TIER_ALIASES,
        Budget,
        Builds,
        ClusterSource,
        Database,
        Format,
        Image,
        Kind,
        Limit,
        Loop,
        MigrationEngine,
        Migrations,
        Observation,
        PasswordSource,
        Requirement,
        Service,
        ServiceKind,
        Settings,
        Stage,
        TargetName,
        Tier,
    )
else:

    def __getattr__(name: str) -> object:
        if name not in __all__:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        from pytest_devenv.settings import model

        return getattr(model, name)


__all__ = [
    "TIER_ALIASES",
    "Budget",
    "Builds",
    "ClusterSource",
    "Database",
    "Format",
    "Image",
    "Kind",
    "Limit",
    "Loop",
    "MigrationEngine",
    "Migrations",
    "Observation",
    "PasswordSource",
    "Requirement",
    "Service",
    "ServiceKind",
    "Settings",
    "Stage",
    "TargetName",
    "Tier",
]
