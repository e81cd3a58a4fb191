"""What a `db` command says: lines for people as it goes, or one JSON object at its end."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from pytest_devenv.report.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pytest_devenv.cli.db.codes import Code
    from pytest_devenv.errors import DevenvError
    from pytest_devenv.secret import Secret

    Step = Callable[[int, int, object], None]


class Report:
    """What is said of one run, without any secret that this run knows, or that its place gives away.

    Results go to stdout; questions, warnings, errors and progress to stderr, so that stdout is one JSON object with
    `--json`, whatever happens.
    """

    def __init__(self, command: str, *, as_json: bool) -> None:
        self.as_json = as_json
        self.facts: dict[str, Any] = {"command": command}
        self._databases: dict[str, dict[str, Any]] = {}
        self._redactor = Redactor()

    def hide(self, secrets: Iterable[Secret]) -> None:
        """Learn what must not be shown."""
        self._redactor = Redactor(secrets)

    def clean(self, text: str) -> str:
        """Return a text without secrets."""
        return self._redactor.text(text)

    def say(self, text: str = "") -> None:
        """Print a result for people."""
        if not self.as_json:
            click.echo(self.clean(text))

    def tell(self, text: str) -> None:
        """Print what is no result, such as a warning."""
        click.echo(self.clean(text), err=True)

    def warn(self, warnings: Iterable[str]) -> None:
        """Print warnings, one on a line; they are told whatever the format."""
        for each in warnings:
            self.tell(f"warning: {each}")

    def put(self, database: str, **facts: object) -> None:
        """Note what was found of, or done to, a database."""
        self._databases.setdefault(database, {}).update(facts)

    def fail(self, error: DevenvError) -> None:
        """Tell what went wrong."""
        self.tell(str(error))
        self.facts["error"] = {
            "kind": type(error).__name__,
            "message": self.clean(error.message),
            "remedy": None if error.remedy is None else self.clean(error.remedy),
        }

    def finish(self, code: Code) -> None:
        """Print the JSON object, where that is asked for."""
        if self.as_json:
            databases = {"databases": self._databases} if self._databases else {}
            whole = {**self.facts, **databases, "result": code.word, "exit_code": int(code)}
            click.echo(json.dumps(self._redactor.value(whole), indent=2, ensure_ascii=False, default=str))

    @contextmanager
    def progress(self, what: str) -> Iterator[Step]:
        """Show a bar on the terminal while something long runs; `step(index, total, text)` moves it."""
        if self.as_json or not sys.stderr.isatty():
            yield lambda _index, _total, _text: None
            return
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(what, total=None)

            def step(index: int, total: int, what: object) -> None:
                bar.update(task, completed=index, total=total, description=str(what).replace("[", r"\["))

            yield step
