"""The configuration: one frozen, typed tree, read and validated once."""

from pytest_devenv.settings.model import (
    TIER_ALIASES,
    Budget,
    Database,
    Format,
    Loop,
    MigrationEngine,
    Migrations,
    Observation,
    PasswordSource,
    Service,
    ServiceKind,
    Settings,
    TargetName,
    Tier,
)

__all__ = [
    "TIER_ALIASES",
    "Budget",
    "Database",
    "Format",
    "Loop",
    "MigrationEngine",
    "Migrations",
    "Observation",
    "PasswordSource",
    "Service",
    "ServiceKind",
    "Settings",
    "TargetName",
    "Tier",
]
