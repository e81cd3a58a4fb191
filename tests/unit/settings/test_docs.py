"""The configuration reference."""

from __future__ import annotations

import runpy
from pathlib import Path

from pytest_devenv.settings.routines import LIMIT, LOOP
from pytest_devenv.settings.schema import DATABASE, MIGRATIONS, ROOT, SERVICE

DOCS = Path(__file__).parents[3] / "docs"


def test_the_configuration_reference_is_current() -> None:
    """docs/configuration.md is what docs/generate.py writes; running it mends this test."""
    document = runpy.run_path(str(DOCS / "generate.py"))["document"]

    assert (DOCS / "configuration.md").read_text(encoding="utf-8") == document()


def test_the_schema_describes_every_field_of_the_model() -> None:
    """No key of the model is left out of the schema, and none of the schema's is foreign to the model."""
    named = {"name"}
    for table, given in (
        (ROOT, {"root", "file", "sources"}),
        (SERVICE, named),
        (DATABASE, named),
        (LOOP, named),
        (LIMIT, named),
        (MIGRATIONS, set[str]()),
    ):
        assert set(table.keys) == set(table.model.__dataclass_fields__) - given
