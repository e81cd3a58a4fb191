"""The last net against secrets in any output of a run."""

from __future__ import annotations

from pytest_devenv.redact.redactor import Redactor

__all__ = ["Redactor"]
