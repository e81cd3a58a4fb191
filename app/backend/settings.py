"""The backend's configuration, read once from the environment."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

LOG_LEVELS = ("debug", "info", "warning", "error", "critical")
JWT_SECRET_MIN_BYTES = 32
ENCRYPTION_KEY_BYTES = 32


class SettingsError(Exception):
    """The environment does not hold a complete configuration."""


@dataclass(frozen=True)
class Settings:
    """A valid configuration; what is secret stays out of its representation."""

    database_url: str = field(repr=False)
    jobs_database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    jwt_secret: str = field(repr=False)
    token_encryption_key: bytes = field(repr=False)
    cors_allowed_origins: tuple[str, ...] = ()
    log_level: str = "info"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read and validate every variable; raise one SettingsError that names all that is missing or wrong."""
        missing = [name for name in _REQUIRED if not environment.get(name)]
        wrong = [
            f"{name} must be {expected}"
            for name, (expected, holds) in _EXPECTED.items()
            if environment.get(name) and not holds(environment[name])
        ]
        if missing or wrong:
            problems = "; ".join([f"missing {', '.join(missing)}", *wrong] if missing else wrong)
            message = f"kiro backend cannot start: {problems}"
            raise SettingsError(message)
        origins = (origin.strip() for origin in environment.get("CORS_ALLOWED_ORIGINS", "").split(","))
        return cls(
            database_url=environment["DATABASE_URL"],
            jobs_database_url=environment.get("JOBS_DATABASE_URL") or _beside(environment["DATABASE_URL"], "jobs"),
            redis_url=environment["REDIS_URL"],
            jwt_secret=environment["JWT_SECRET"],
            token_encryption_key=base64.b64decode(environment["TOKEN_ENCRYPTION_KEY"]),
            cors_allowed_origins=tuple(origin for origin in origins if origin),
            log_level=environment.get("LOG_LEVEL", "").lower() or "info",
        )


def _beside(url: str, database: str) -> str:
    """Give the URL of another database on the same server."""
    return urlsplit(url)._replace(path=f"/{database}").geturl()


def _is_url(*schemes: str) -> Callable[[str], bool]:
    def holds(value: str) -> bool:
        try:
            return urlsplit(value).scheme in schemes and urlsplit(value).port != 0
        except ValueError:
            return False

    return holds


def _is_encryption_key(value: str) -> bool:
    try:
        return len(base64.b64decode(value, validate=True)) == ENCRYPTION_KEY_BYTES
    except binascii.Error:
        return False


_REQUIRED = ("DATABASE_URL", "REDIS_URL", "JWT_SECRET", "TOKEN_ENCRYPTION_KEY")
_EXPECTED: dict[str, tuple[str, Callable[[str], bool]]] = {
    "DATABASE_URL": ("a postgres:// or postgresql:// URL", _is_url("postgres", "postgresql")),
    "JOBS_DATABASE_URL": ("a postgres:// or postgresql:// URL", _is_url("postgres", "postgresql")),
    "REDIS_URL": ("a redis:// or rediss:// URL", _is_url("redis", "rediss")),
    "JWT_SECRET": (
        f"at least {JWT_SECRET_MIN_BYTES} bytes long",
        lambda value: len(value.encode()) >= JWT_SECRET_MIN_BYTES,
    ),
    "TOKEN_ENCRYPTION_KEY": (f"{ENCRYPTION_KEY_BYTES} bytes in base64", _is_encryption_key),
    "LOG_LEVEL": (f"one of {', '.join(LOG_LEVELS)}", lambda value: value.lower() in LOG_LEVELS),
}
