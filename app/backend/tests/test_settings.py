"""The configuration from the environment."""

import subprocess
import sys

import pytest

from app.backend.settings import Settings, SettingsError
from app.backend.tests.conftest import ROOT, SECRETS

COMPLETE = {"DATABASE_URL": "postgres://kiro@localhost/kiro", "REDIS_URL": "redis://localhost", **SECRETS}


def test_a_complete_environment_is_read() -> None:
    """What is optional has a default; the key is decoded."""
    settings = Settings.from_environment(COMPLETE)
    assert settings.token_encryption_key == b"development-key-not-a-secret-32b"
    assert settings.cors_allowed_origins == ()
    assert settings.log_level == "info"
    assert settings.jobs_database_url == "postgres://kiro@localhost/jobs"


def test_the_jobs_may_be_on_another_server() -> None:
    """Only where nothing is said of them are they beside the other database."""
    url = "postgres://kiro@elsewhere/work"
    assert Settings.from_environment({**COMPLETE, "JOBS_DATABASE_URL": url}).jobs_database_url == url


def test_origins_are_separated_by_commas() -> None:
    """Spaces and a trailing comma are forgiven."""
    settings = Settings.from_environment({**COMPLETE, "CORS_ALLOWED_ORIGINS": "http://a:1, http://b:2,"})
    assert settings.cors_allowed_origins == ("http://a:1", "http://b:2")


def test_no_secret_shows_in_the_representation() -> None:
    """A traceback or a log that prints the settings gives nothing away."""
    assert repr(Settings.from_environment(COMPLETE)) == "Settings(cors_allowed_origins=(), log_level='info')"


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("DATABASE_URL", "mysql://localhost", "a postgres:// or postgresql:// URL"),
        ("DATABASE_URL", "postgres://localhost:port/kiro", "a postgres:// or postgresql:// URL"),
        ("JOBS_DATABASE_URL", "jobs", "a postgres:// or postgresql:// URL"),
        ("REDIS_URL", "localhost:6379", "a redis:// or rediss:// URL"),
        ("JWT_SECRET", "short", "at least 32 bytes long"),
        ("TOKEN_ENCRYPTION_KEY", "c2hvcnQ=", "32 bytes in base64"),
        ("TOKEN_ENCRYPTION_KEY", "no base64!", "32 bytes in base64"),
        ("LOG_LEVEL", "loud", "one of debug, info, warning, error, critical"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(variable: str, value: str, expected: str) -> None:
    """The message says which variable and what it must be, and never repeats a value."""
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({**COMPLETE, variable: value})
    assert str(refused.value) == f"kiro backend cannot start: {variable} must be {expected}"


def test_without_configuration_it_refuses_to_start_with_one_line() -> None:
    """Everything that is missing is named at once, and the exit status is not 0."""
    ended = subprocess.run(
        [sys.executable, "-m", "app.backend"], cwd=ROOT, env={}, capture_output=True, text=True, check=False, timeout=20
    )
    assert ended.returncode == 2
    assert ended.stderr == (
        "kiro backend cannot start: missing DATABASE_URL, REDIS_URL, JWT_SECRET, TOKEN_ENCRYPTION_KEY\n"
    )
