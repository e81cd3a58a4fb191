"""The report that programs read, its schema and its documentation."""

from __future__ import annotations

import json
import runpy
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from pytest_devenv.errors import DevenvError
from pytest_devenv.report.jsonfile import from_json, to_json, write
from pytest_devenv.verdict import Evidence, Verdict, failed, passed
from tests.unit.report import samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_devenv.report.model import Run

DOCS = Path(__file__).parents[3] / "docs"
SAMPLES = [samples.healthy, samples.postgres_down, samples.two_roots, samples.unseen, samples.nothing_seen]


def schema() -> dict[str, Any]:
    """Read the documented schema."""
    data: dict[str, Any] = json.loads((DOCS / "report.schema.json").read_text(encoding="utf-8"))
    return data


def test_the_schema_is_one() -> None:
    """The documented schema is valid JSON Schema 2020-12."""
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_report_keeps_to_the_schema(sample: Callable[[], Run]) -> None:
    """What is written is what is documented, and nothing that is not."""
    jsonschema.Draft202012Validator(schema()).validate(to_json(sample()))


def test_the_schema_knows_every_field_of_a_verdict() -> None:
    """A new field of a verdict needs a place in the documented schema."""
    assert set(schema()["$defs"]["verdict"]["properties"]) == {field.name for field in fields(Verdict)}


def test_a_failure_without_a_remedy_breaks_the_schema() -> None:
    """The schema holds the promise that every failing verdict carries its remedy."""
    report = to_json(samples.postgres_down())
    report["checks"][0]["verdict"]["remedy"] = None

    with pytest.raises(jsonschema.ValidationError, match="None is not of type 'string'"):
        jsonschema.Draft202012Validator(schema()).validate(report)


@pytest.mark.parametrize("sample", [*SAMPLES, samples.run])
def test_a_report_can_be_read_back(sample: Callable[[], Run]) -> None:
    """A run survives the way into JSON and back."""
    run = sample()

    assert from_json(json.loads(json.dumps(to_json(run)))) == run


def test_another_version_is_refused() -> None:
    """A report of a format that is not known is not guessed at."""
    with pytest.raises(DevenvError, match="expected a report of version 1, found version 2"):
        from_json({"version": 2})


def test_roots_and_steps_name_checks_of_the_report() -> None:
    """A program can follow every reference within the file."""
    report = to_json(samples.postgres_down())
    checks = {check["nodeid"] for check in report["checks"]}

    assert report["state"] == "fail"
    assert set(report["roots"][0]["blocks"]) < checks
    assert report["next_steps"][0]["unblocks"] == report["roots"][0]["blocks"]
    assert [service["state"] for service in report["services"]] == ["fail", "pass", "blocked", "blocked"]


def test_a_report_is_written_whole(tmp_path: Path) -> None:
    """The file holds the report, replaces an older one, and nothing is left beside it; its folder is made."""
    path = tmp_path / "new" / "report.json"
    write(samples.healthy(), path)
    write(samples.postgres_down(), path)

    assert json.loads(path.read_text(encoding="utf-8")) == to_json(samples.postgres_down())
    assert list(path.parent.iterdir()) == [path]


def test_a_report_can_be_read_by_whom_the_umask_allows(tmp_path: Path) -> None:
    """The file has the permissions of any file that is written here, so that a CI job can pick it up."""
    (tmp_path / "other").touch()
    write(samples.healthy(), tmp_path / "report.json")

    assert (tmp_path / "report.json").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_an_undecodable_byte_of_a_log_does_no_harm(tmp_path: Path) -> None:
    """Evidence that is no proper text is written all the same."""
    verdict = failed("é", expected="e", found="f", where="w", remedy="r", evidence=(Evidence("log", "\udcff"),))
    write(samples.run(samples.entry("redis.answers", "redis", verdict)), tmp_path / "report.json")

    assert "é" in (tmp_path / "report.json").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "report.json").read_text())["checks"][0]["verdict"]["evidence"][0]["text"] == "\udcff"


@pytest.mark.parametrize(
    ("place", "reason"), [("file/report.json", "Not a directory|File exists"), ("folder", "Is a directory")]
)
def test_an_unwritable_path_is_named_with_its_remedy(tmp_path: Path, place: str, reason: str) -> None:
    """What cannot be written is an error that says where, why and what to do, and leaves nothing behind."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()

    with pytest.raises(
        DevenvError, match=rf"expected to write the report to {tmp_path / place}, found: ({reason})"
    ) as caught:
        write(samples.healthy(), tmp_path / place)

    assert caught.value.remedy == "give --devenv-report a file in a folder that you may write"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_number_that_json_lacks_breaks_nothing() -> None:
    """Facts that are not finite are left out of the numbers."""
    report = to_json(samples.run(samples.entry("redis.answers", "redis", passed("PING", ratio=float("nan")))))

    assert report["checks"][0]["verdict"]["facts"] == {"ratio": None}


def test_the_documented_example_is_current() -> None:
    """docs/report.md shows what is really written; docs/picture.py writes it anew."""
    document = (DOCS / "report.md").read_text(encoding="utf-8")

    assert runpy.run_path(str(DOCS / "picture.py"))["with_example"](document) == document
