"""Runs of an environment called shop, as they really look: healthy, broken, and half seen."""

from __future__ import annotations

from dataclasses import replace

from pytest_devenv.probes.probe import probe_id
from pytest_devenv.report.model import Entry, Outcome, Run, ServiceAddress
from pytest_devenv.verdict import Evidence, State, Verdict, blocked, failed, off, passed, unknown

_OUTCOMES = {
    State.PASS: Outcome.PASSED,
    State.FAIL: Outcome.FAILED,
    State.BLOCKED: Outcome.SKIPPED,
    State.UNKNOWN: Outcome.ERROR,
    State.OFF: Outcome.SKIPPED,
}
ACCEPTS = "postgres.accepts_connections[postgres]"
SERVICES = (
    ServiceAddress(
        service="postgres", kind="postgres", address="127.0.0.1:43211", source="embedded", databases=("shop",)
    ),
    ServiceAddress(service="redis", kind="redis", address="127.0.0.1:43212", source="embedded"),
    ServiceAddress(service="backend", kind="http", address="127.0.0.1:43213", source="embedded"),
    ServiceAddress(service="frontend", kind="http", address="127.0.0.1:43214", source="embedded"),
)
DOWN = failed(
    "PostgreSQL does not accept connections",
    expected="a server that accepts connections as shop",
    found="connection refused",
    where="127.0.0.1:43211 (embedded)",
    remedy="pytest-devenv env down && pytest-devenv env up",
    evidence=(
        Evidence(
            "log of postgres",
            "\n".join(
                [f"2026-03-01 09:00:{second:02d} LOG:  checkpoint starting: time" for second in range(20)]
                + ["2026-03-01 09:00:20 PANIC:  could not write to file: No space left on device"]
            ),
        ),
    ),
)
SLOW = failed(
    "GET /health answers 500",
    expected="status 200",
    found="status 500: relation users does not exist",
    where="http://127.0.0.1:43213/health",
    remedy="pytest-devenv migrate up shop",
    latency_ms=31.4,
)
UNSEEN = unknown(
    "the drift of shop could not be looked at: its migrations want the extension pgcrypto",
    where="scratch database on 127.0.0.1:43211",
    remedy="make health TARGET=cluster",
)


def entry(name: str, subject: str, verdict: Verdict, *, took_s: float = 0.002) -> Entry:
    """Make the entry of a packaged check."""
    return Entry(
        nodeid=f"devenv/health.py::test_{name.replace('.', '_')}[{subject}]",
        probe=probe_id(name, subject),
        subject=subject,
        name=name,
        mark="schema" if name.startswith("schema") else "health",
        verdict=verdict.timed(took_s),
        outcome=_OUTCOMES[verdict.state],
    )


def run(*entries: Entry, exit_code: int = 0) -> Run:
    """Make a run of the environment shop that found these."""
    return Run(
        environment="shop",
        tier="development",
        target="embedded",
        why="no current kube context",
        services=SERVICES,
        entries=entries,
        started="2026-03-01T09:00:00+00:00",
        duration_s=0.42,
        batch_wall_s=0.21,
        looks_s=round(sum(one.verdict.took_s for one in entries), 6),
        exit_code=exit_code,
        versions={"pytest-devenv": "0.1.0", "Python": "3.12.3", "pytest": "8.4.1"},
        timings_s={"environment start": 1.31},
    )


def healthy() -> Run:
    """Make a run in which all is well."""
    return run(
        entry("postgres.accepts_connections", "postgres", passed("PostgreSQL 18.6 accepts queries", latency_ms=3.1)),
        entry("postgres.encoding", "postgres", passed("the encoding is UTF8")),
        entry("migrations.none_pending", "shop", passed("6 migrations are applied, none is pending")),
        entry("schema.matches_migrations", "shop", passed("the schema is what the migrations build"), took_s=0.18),
        entry("redis.answers", "redis", passed("Redis 8.1 answers PING", latency_ms=0.42)),
        entry("redis.keeps_writes", "redis", passed("a key was written, read and expired"), took_s=0.05),
        entry("http.answers", "backend", passed("GET /health answers 200", latency_ms=12.3), took_s=0.013),
        entry("http.answers", "frontend", passed("GET / answers 200 with HTML", latency_ms=4.9)),
        entry("secrets.present", "shop-jwt", passed("shop-jwt is set")),
        entry("secrets.present", "shop-smtp", off("no secret shop-smtp is required")),
    )


def postgres_down() -> Run:
    """Make a run in which one root failure blocks most of the rest."""
    stuck = blocked(ACCEPTS, DOWN)
    names = ("server_version", "encoding", "free_connections", "clock_skew", "no_blocked_transaction")
    return run(
        entry("postgres.accepts_connections", "postgres", DOWN),
        *(entry(f"postgres.{name}", "postgres", stuck, took_s=0) for name in names),
        *(
            entry(f"migrations.{name}", "shop", stuck, took_s=0)
            for name in ("none_pending", "none_dirty", "none_edited")
        ),
        entry("schema.matches_migrations", "shop", stuck, took_s=0),
        entry("redis.answers", "redis", passed("Redis 8.1 answers PING", latency_ms=0.42)),
        entry("redis.keeps_writes", "redis", passed("a key was written, read and expired"), took_s=0.05),
        entry("http.answers", "backend", stuck, took_s=0),
        entry("http.answers_in_time", "backend", blocked("http.answers[backend]", stuck), took_s=0),
        entry("http.answers", "frontend", blocked("http.answers[backend]", stuck), took_s=0),
        exit_code=1,
    )


def two_roots() -> Run:
    """Make a run with two failures of their own, one of which blocks another check, and something unseen."""
    return run(
        entry("postgres.accepts_connections", "postgres", passed("PostgreSQL 18.6 accepts queries", latency_ms=3.1)),
        entry("migrations.none_pending", "shop", replace(SLOW, summary="2 migrations of shop are pending", found="2")),
        entry("schema.matches_migrations", "shop", UNSEEN),
        entry("http.answers", "backend", SLOW),
        entry("http.answers", "frontend", blocked("http.answers[backend]", SLOW), took_s=0),
        exit_code=1,
    )


def unseen() -> Run:
    """Make a run in which nothing failed, and not everything could be looked at."""
    return run(
        entry("postgres.accepts_connections", "postgres", passed("PostgreSQL 18.6 accepts queries", latency_ms=3.1)),
        entry("schema.matches_migrations", "shop", UNSEEN),
        entry("redis.answers", "redis", passed("Redis 8.1 answers PING", latency_ms=0.42)),
        exit_code=1,
    )


def nothing_seen() -> Run:
    """Make a run in which nothing could be looked at."""
    return run(entry("schema.matches_migrations", "shop", UNSEEN), exit_code=1)
