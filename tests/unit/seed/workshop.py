"""Folders of seeds, written in a line each."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.seed import Seed, Seeds


@dataclass(frozen=True)
class Workshop:
    """A folder of seeds under construction."""

    folder: Path

    def python(
        self,
        place: str,
        run: str = "pass",
        *,
        head: str = "",
        methods: str = "",
        version: int = 1,
        dependencies: tuple[str, ...] = (),
        environments: tuple[str, ...] | None = None,
    ) -> Path:
        """Write a Python seed at a place such as `base/10_states`; `run` is the body of its method."""
        name = place.partition("/")[2].partition("_")[2]
        declared = "" if environments is None else f"    environments = {environments!r}\n"
        text = (
            f"{head}\n\nclass Seed:\n    name = {name!r}\n    version = {version}\n    description = 'A seed'\n"
            f"    dependencies = {dependencies!r}\n{declared}\n    def run(self, ctx):\n"
            f"{textwrap.indent(textwrap.dedent(run).strip(), ' ' * 8)}\n\n"
            f"{textwrap.indent(textwrap.dedent(methods).strip(), ' ' * 4)}\n"
        )
        return self.file(f"{place}.py", text)

    def sql(self, place: str, text: str, *, version: int = 1, dependencies: tuple[str, ...] = ()) -> Path:
        """Write an SQL seed at a place such as `base/10_states`."""
        name = place.partition("/")[2].partition("_")[2]
        header = f"-- name: {name}\n-- version: {version}\n-- description: A seed\n"
        return self.file(f"{place}.sql", f"{header}-- dependencies: {', '.join(dependencies)}\n\n{text}\n")

    def file(self, name: str, text: str) -> Path:
        """Write any file in the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def load(self) -> Seeds:
        """Read the folder."""
        from pytest_devenv.seed import load

        return load(self.folder)

    def one(self, name: str) -> Seed:
        """Read the folder and return one of its seeds."""
        return self.load().named(name)
