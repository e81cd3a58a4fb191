"""The report that people read at the end of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.redact.texts import map_texts
from pytest_devenv.report import sections
from pytest_devenv.report.lines import BLANK, NO_BREAK, Line, Role, Span, plain
from pytest_devenv.report.overview import overview

if TYPE_CHECKING:
    from rich.text import Text

    from pytest_devenv.report.model import Run
    from pytest_devenv.report.view import View

# The terminal's own sixteen colours, so that a report looks at home in any theme.
_STYLES = {
    Role.PLAIN: "",
    Role.DIM: "dim",
    Role.STRONG: "bold",
    Role.COMMAND: "cyan",
    Role.PASS: "green",
    Role.FAIL: "red",
    Role.BLOCKED: "magenta",
    Role.UNKNOWN: "yellow",
    Role.OFF: "dim",
    Role.FAIL_TITLE: "bold red",
    Role.UNKNOWN_TITLE: "bold yellow",
}


def report_lines(run: Run, view: View) -> list[Line]:
    """Return the whole report; with `-q` only the causes and the last line, with `-qq` only the last line."""
    run = map_texts(run, lambda text, _: view.encodable(text))  # before anything is aligned
    if view.verbosity < -1:
        parts = [sections.last_line(run, view)]
    elif view.verbosity < 0:
        parts = [sections.causes(run, view), sections.last_line(run, view)]
    else:
        parts = [
            sections.heading(run, view),
            [*overview(run, view), *sections.off_count(run, view)],
            sections.causes(run, view),
            [*sections.times(run, view), *(sections.versions(run, view) if view.verbosity > 0 else [])],
            sections.steps(run, view),
            sections.last_line(run, view),
        ]
    lines = [line for part in parts if part for line in (BLANK, *part)][1:]
    return [_finished(line, view) for line in lines]


def _finished(line: Line, view: View) -> Line:
    """Return a line in the characters of the output, without blanks at its end."""
    spans = [Span(view.encodable(span.text.replace(NO_BREAK, " ")), span.role) for span in line]
    while spans and not spans[-1].text.strip():
        spans.pop()
    if spans:
        spans[-1] = Span(spans[-1].text.rstrip(), spans[-1].role)
    return tuple(spans)


def render(run: Run, view: View) -> str:
    """Return the report as text, each line with its break; it holds control codes only when the view has colour."""
    return written(report_lines(run, view), view)


def written(lines: list[Line], view: View) -> str:
    """Return lines as text, in colour where the view has it."""
    if not view.color:
        return plain(lines)

    import io

    from rich.console import Console

    file = io.StringIO()
    console = Console(
        file=file, force_terminal=True, color_system="standard", no_color=False, legacy_windows=False, width=view.width
    )
    for line in lines:
        console.print(styled(line), soft_wrap=True)
    return file.getvalue()


def styled(line: Line) -> Text:
    """Return a line as rich's text, each span in the style of its role."""
    from rich.text import Text

    return Text.assemble(*((span.text, _STYLES[span.role]) for span in line))
