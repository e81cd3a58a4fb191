"""The report as a picture for documents."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from pytest_devenv.report.terminal import report_lines, styled

if TYPE_CHECKING:
    from pytest_devenv.report.model import Run
    from pytest_devenv.report.view import View

_FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_BACKGROUND, _TEXT = (22, 27, 34), (214, 221, 229)
_COLORS = [
    (72, 79, 88),
    (248, 106, 96),
    (86, 190, 102),
    (219, 171, 78),
    (108, 164, 248),
    (190, 140, 240),
    (86, 194, 206),
    (214, 221, 229),
]


def svg(run: Run, view: View, *, title: str) -> str:
    """Return the report as SVG that loads nothing: its fonts are the reader's own."""
    from rich.console import Console
    from rich.terminal_theme import TerminalTheme

    console = Console(
        file=io.StringIO(),
        record=True,
        width=view.width,
        force_terminal=True,
        color_system="standard",
        no_color=False,
        legacy_windows=False,
    )
    for line in report_lines(run, view):
        console.print(styled(line), soft_wrap=True)
    exported = console.export_svg(title=title, theme=TerminalTheme(_BACKGROUND, _TEXT, _COLORS, _COLORS))
    return _local(exported)


def _local(exported: str) -> str:
    """Return rich's SVG without the fonts that it would load, and without its advertisement."""
    exported = re.sub(r"@font-face\s*\{[^}]*\}\s*", "", exported)
    exported = re.sub(r"<!--.*?-->\s*", "", exported, flags=re.DOTALL)
    exported = re.sub(r"font-family: *[^;]*;", f"font-family: {_FONTS};", exported)
    return "\n".join(row.rstrip() for row in exported.splitlines()) + "\n"
