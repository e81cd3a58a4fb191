"""The report as a picture."""

from __future__ import annotations

import html
import re
import runpy
from pathlib import Path
from xml.etree import ElementTree as ET

from pytest_devenv.report.picture import svg
from pytest_devenv.report.terminal import render
from pytest_devenv.report.view import View
from tests.unit.report import samples

DOCS = Path(__file__).parents[3] / "docs"


def words(picture: str) -> str:
    """Return the text of a picture, without any blank."""
    return re.sub(r"\s", "", html.unescape(re.sub(r"<style>.*?</style>|<[^>]*>", "", picture, flags=re.DOTALL)))


def test_a_picture_shows_the_report() -> None:
    """Every line of the report is in the picture, below its title."""
    picture = svg(samples.postgres_down(), View(width=92, color=True), title="pytest -m health")

    shown = words(picture)
    assert "pytest-mhealth" in shown
    for line in render(samples.postgres_down(), View(width=92)).splitlines():
        assert re.sub(r"\s", "", line) in shown


def test_a_picture_loads_nothing() -> None:
    """The picture names no host: no fonts, images or scripts from elsewhere."""
    for picture in (
        svg(samples.healthy(), View(color=True), title="pytest"),
        (DOCS / "report.svg").read_text(encoding="utf-8"),
    ):
        assert set(re.findall(r"[a-z]+://[^\s\"'<>)]*", picture)) == {"http://www.w3.org/2000/svg"}
        assert not re.search(r"@font-face|@import|url\((?!#)|<script|<image|href", picture)
        assert ET.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314  # our own text


def test_the_picture_in_the_docs_is_current() -> None:
    """docs/report.svg shows what the report looks like now; docs/picture.py writes it anew."""
    now = runpy.run_path(str(DOCS / "picture.py"))["picture"]()

    assert words((DOCS / "report.svg").read_text(encoding="utf-8")) == words(now)
