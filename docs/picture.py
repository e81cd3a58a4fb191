"""Write the picture of the report, and the example in report.md, from one run of the reference environment."""  # noqa: INP001  # a script

from __future__ import annotations

import json
import re
from pathlib import Path

from pytest_devenv.probes.probe import probe_id
from pytest_devenv.report.jsonfile import to_json
from pytest_devenv.report.model import Entry, Outcome, Run, ServiceAddress
from pytest_devenv.report.picture import svg
from pytest_devenv.report.view import View
from pytest_devenv.verdict import Evidence, State, Verdict, blocked, failed, passed

DOCS = Path(__file__).parent
WIDTH = 92
_OUTCOMES = {State.PASS: Outcome.PASSED, State.FAIL: Outcome.FAILED, State.BLOCKED: Outcome.SKIPPED}
_DOWN = failed(
    "PostgreSQL does not accept connections",
    expected="a server that accepts connections as kiro",
    found="connection refused",
    where="127.0.0.1:5432",
    remedy="docker compose up --detach postgres",
    evidence=(
        Evidence(
            "log of postgres",
            "LOG:  starting PostgreSQL 18.6\nFATAL:  could not write lock file: No space left on device",
        ),
    ),
)


def _check(name: str, subject: str, verdict: Verdict, took_s: float = 0.0) -> Entry:
    kind, _, state = name.partition(".")
    return Entry(
        nodeid=f"devenv/health.py::test_{kind}_{state}[{subject}]",
        probe=probe_id(name, subject),
        subject=subject,
        name=name,
        verdict=verdict.timed(took_s),
        outcome=_OUTCOMES[verdict.state],
    )


def broken_run() -> Run:
    """Return a run in which PostgreSQL is down, and most else waits for it."""
    accepts = _check("postgres.accepts_connections", "postgres", _DOWN, 0.004)
    stuck = blocked(accepts.probe, _DOWN)
    states = ("encoding_is_utf8", "has_free_connections", "clock_agrees", "blocks_no_transaction")
    redis = passed("Redis 8.1 answers PING", latency_ms=0.4, version="8.1")
    entries = (
        accepts,
        *(_check(f"postgres.{state}", "postgres", stuck) for state in states),
        *(_check(f"migrations.{state}", "kiro", stuck) for state in ("none_pending", "none_dirty", "none_edited")),
        _check("redis.answers", "redis", redis, 0.002),
        _check("redis.keeps_writes", "redis", passed("a key was written, read and expired"), 0.061),
        *(_check(f"http.{state}", "backend", stuck) for state in ("answers", "answers_in_time")),
        _check("http.answers", "frontend", passed("GET / answers 200 with HTML", latency_ms=4.8), 0.006),
    )
    return Run(
        environment="kiro",
        tier="development",
        target="addresses",
        why="[tool.pytest-devenv] target",
        services=(
            ServiceAddress(
                service="postgres", kind="postgres", address="127.0.0.1:5432", source="url", databases=("kiro",)
            ),
            ServiceAddress(service="redis", kind="redis", address="127.0.0.1:6379", source="url"),
            ServiceAddress(service="backend", kind="http", address="127.0.0.1:3000", source="url"),
            ServiceAddress(service="frontend", kind="http", address="127.0.0.1:5000", source="url"),
        ),
        entries=entries,
        started="2026-03-01T09:00:00+00:00",
        duration_s=0.29,
        batch_wall_s=0.07,
        looks_s=round(sum(entry.verdict.took_s for entry in entries), 6),
        exit_code=1,
        versions={"pytest-devenv": "0.1.0"},
    )


def picture() -> str:
    """Return the report of that run as SVG."""
    return svg(broken_run(), View(width=WIDTH, color=True), title="pytest -m health")


def example() -> str:
    """Return the JSON report of that run, with its first service and its first check only."""
    report = to_json(broken_run())
    report = {name: value[:1] if name in {"checks", "services"} else value for name, value in report.items()}
    return json.dumps(report, indent=2)


def with_example(document: str) -> str:
    """Return report.md with the example as it is now."""
    block = f"<!-- example -->\n```json\n{example()}\n```\n<!-- /example -->"
    return re.sub(r"<!-- example -->.*<!-- /example -->", lambda _: block, document, flags=re.DOTALL)


if __name__ == "__main__":
    (DOCS / "report.svg").write_text(picture(), encoding="utf-8")
    document = DOCS / "report.md"
    document.write_text(with_example(document.read_text(encoding="utf-8")), encoding="utf-8")
