"""The report as a person sees it."""

# ruff: noqa: RUF001  # the dash is the sign of what is off

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, TypeAlias

import pytest

from pytest_devenv.report.terminal import render
from pytest_devenv.report.view import View
from pytest_devenv.verdict import Evidence, failed, passed
from tests.unit.report import samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_devenv.report.model import Run

    Sample: TypeAlias = Callable[[], Run]


def test_a_healthy_run_has_a_line_for_each_service() -> None:
    """All well: what answered, how fast, how many checks, and where; then the times, and the verdict."""
    assert (
        render(samples.healthy(), View())
        == """\
shop · development · embedded: no current kube context

✔ postgres   PostgreSQL 18.6 accepts queries · 3 ms   4 checks   127.0.0.1:43211
✔ redis      Redis 8.1 answers PING · 0.4 ms          2 checks   127.0.0.1:43212
✔ backend    GET /health answers 200 · 12 ms          1 check    127.0.0.1:43213
✔ frontend   GET / answers 200 with HTML · 5 ms       1 check    127.0.0.1:43214
✔ secrets    shop-jwt is set                          1 check
– 1 check off, not configured (-v lists them)

9 looks in 0.21 s · one by one 0.26 s · environment start 1.31 s
slowest: schema.matches_migrations[shop] 180 ms · redis.keeps_writes[redis] 50 ms
  http.answers[backend] 13 ms

shop is healthy: 9 checks in 0.42 s
"""
    )


def test_one_root_failure_is_told_once() -> None:
    """One broken thing gives one block with its evidence, and the checks that it blocks by name."""
    assert (
        render(samples.postgres_down(), View(width=80))
        == """\
shop · development · embedded: no current kube context

✘ postgres   PostgreSQL does not accept           0 of 10 pass   127.0.0.1:43211
             connections
             ⊘ 9 checks blocked
✔ redis      Redis 8.1 answers PING · 0.4 ms      2 checks       127.0.0.1:43212
⊘ backend    blocked by postgres                  2 checks       127.0.0.1:43213
⊘ frontend   blocked by postgres                  1 check        127.0.0.1:43214

✘ PostgreSQL does not accept connections
  postgres.accepts_connections[postgres]
  expected  a server that accepts connections as shop
  found     connection refused
  where     127.0.0.1:43211 (embedded)
  remedy
    pytest-devenv env down && pytest-devenv env up
  log of postgres, last 15 of 21 lines
    2026-03-01 09:00:06 LOG:  checkpoint starting: time
    2026-03-01 09:00:07 LOG:  checkpoint starting: time
    2026-03-01 09:00:08 LOG:  checkpoint starting: time
    2026-03-01 09:00:09 LOG:  checkpoint starting: time
    2026-03-01 09:00:10 LOG:  checkpoint starting: time
    2026-03-01 09:00:11 LOG:  checkpoint starting: time
    2026-03-01 09:00:12 LOG:  checkpoint starting: time
    2026-03-01 09:00:13 LOG:  checkpoint starting: time
    2026-03-01 09:00:14 LOG:  checkpoint starting: time
    2026-03-01 09:00:15 LOG:  checkpoint starting: time
    2026-03-01 09:00:16 LOG:  checkpoint starting: time
    2026-03-01 09:00:17 LOG:  checkpoint starting: time
    2026-03-01 09:00:18 LOG:  checkpoint starting: time
    2026-03-01 09:00:19 LOG:  checkpoint starting: time
    2026-03-01 09:00:20 PANIC:  could not write to file: No space left on device
  blocks 12 checks
    postgres  server version, encoding, free connections, clock skew, no blocked
              transaction, none pending (shop), none dirty (shop), none edited
              (shop), matches migrations (shop)
    backend   answers, answers in time
    frontend  answers

3 looks in 0.21 s · one by one 0.05 s · environment start 1.31 s
slowest: redis.keeps_writes[redis] 50 ms
  postgres.accepts_connections[postgres] 2 ms · redis.answers[redis] 2 ms

Next steps
  1. PostgreSQL does not accept connections · unblocks 12 checks
     pytest-devenv env down && pytest-devenv env up

shop is not healthy: 1 root failure blocks 12 checks
"""
    )


def test_each_root_has_its_block_and_each_remedy_its_step() -> None:
    """Two failures and something unseen: three blocks, in this order; the shared remedy stands once below."""
    assert (
        render(samples.two_roots(), View())
        == """\
shop · development · embedded: no current kube context

✘ postgres   2 migrations of shop are pending · 31 ms   1 of 3 pass   127.0.0.1:43211
             ? the drift of shop could not be looked at: its migrations want the extension pgcrypto
✘ backend    GET /health answers 500 · 31 ms            0 of 1 pass   127.0.0.1:43213
⊘ frontend   blocked by backend                         1 check       127.0.0.1:43214

✘ 2 migrations of shop are pending
  migrations.none_pending[shop]
  expected  status 200
  found     2
  where     http://127.0.0.1:43213/health
  remedy
    pytest-devenv migrate up shop

✘ GET /health answers 500
  http.answers[backend]
  expected  status 200
  found     status 500: relation users does not exist
  where     http://127.0.0.1:43213/health
  remedy
    pytest-devenv migrate up shop
  blocks 1 check
    frontend  answers

? the drift of shop could not be looked at: its migrations want the extension pgcrypto
  schema.matches_migrations[shop]
  where     scratch database on 127.0.0.1:43211
  to allow it
    make health TARGET=cluster

4 looks in 0.21 s · one by one 0.01 s · environment start 1.31 s
slowest: postgres.accepts_connections[postgres] 2 ms · migrations.none_pending[shop] 2 ms
  schema.matches_migrations[shop] 2 ms

Next steps
  1. 2 migrations of shop are pending, and 1 more · unblocks 1 check
     pytest-devenv migrate up shop
  2. the drift of shop could not be looked at: its migrations want the extension pgcrypto
     make health TARGET=cluster

shop is not healthy: 2 root failures block 1 check; 1 could not be looked at
"""
    )


def test_a_narrow_terminal_gets_narrow_lines() -> None:
    """At 40 columns what does not fit stands below; what must be pasted is whole."""
    assert (
        render(samples.unseen(), View(width=40))
        == """\
shop · development · embedded: no
current kube context

? postgres   the drift of shop could not
             be looked at: its
             migrations want the
             extension pgcrypto
             1 of 2 pass
             127.0.0.1:43211
✔ redis      Redis 8.1 answers PING
             · 0.4 ms
             1 check · 127.0.0.1:43212

? the drift of shop could not be looked
  at: its migrations want the extension
  pgcrypto
  schema.matches_migrations[shop]
  where     scratch database on
            127.0.0.1:43211
  to allow it
    make health TARGET=cluster

3 looks in 0.21 s · one by one 0.01 s
  environment start 1.31 s
slowest: postgres.accepts_connections[postgres] 2 ms
  schema.matches_migrations[shop] 2 ms
  redis.answers[redis] 2 ms

Next steps
  1. the drift of shop could not be
     looked at: its migrations want the
     extension pgcrypto
     make health TARGET=cluster

shop is not fully verified:
  2 checks pass, 1 could not be looked
  at
"""
    )


def test_ascii_has_words_for_symbols() -> None:
    """Without symbols each verdict is a word, and nothing but ASCII is written."""
    assert (
        render(samples.postgres_down(), View(width=80, ascii=True, verbosity=1))
        == """\
shop - development - embedded: no current kube context

FAIL    postgres   PostgreSQL does not accept     0 of 10 pass   127.0.0.1:43211
                   connections
                   blocked server version
                   blocked encoding
                   blocked free connections
                   blocked clock skew
                   blocked no blocked transaction
                   blocked none pending (shop)
                   blocked none dirty (shop)
                   blocked none edited (shop)
                   blocked matches migrations (shop)
ok      redis      Redis 8.1 answers PING         2 checks       127.0.0.1:43212
                   - 0.4 ms
                   ok      a key was written, read and expired
blocked backend    blocked by postgres            2 checks       127.0.0.1:43213
                   blocked answers
                   blocked answers in time
blocked frontend   blocked by postgres            1 check        127.0.0.1:43214
                   blocked answers

FAIL PostgreSQL does not accept connections
  postgres.accepts_connections[postgres]
  expected  a server that accepts connections as shop
  found     connection refused
  where     127.0.0.1:43211 (embedded)
  remedy
    pytest-devenv env down && pytest-devenv env up
  log of postgres, last 15 of 21 lines
    2026-03-01 09:00:06 LOG:  checkpoint starting: time
    2026-03-01 09:00:07 LOG:  checkpoint starting: time
    2026-03-01 09:00:08 LOG:  checkpoint starting: time
    2026-03-01 09:00:09 LOG:  checkpoint starting: time
    2026-03-01 09:00:10 LOG:  checkpoint starting: time
    2026-03-01 09:00:11 LOG:  checkpoint starting: time
    2026-03-01 09:00:12 LOG:  checkpoint starting: time
    2026-03-01 09:00:13 LOG:  checkpoint starting: time
    2026-03-01 09:00:14 LOG:  checkpoint starting: time
    2026-03-01 09:00:15 LOG:  checkpoint starting: time
    2026-03-01 09:00:16 LOG:  checkpoint starting: time
    2026-03-01 09:00:17 LOG:  checkpoint starting: time
    2026-03-01 09:00:18 LOG:  checkpoint starting: time
    2026-03-01 09:00:19 LOG:  checkpoint starting: time
    2026-03-01 09:00:20 PANIC:  could not write to file: No space left on device
  blocks 12 checks
    postgres  server version, encoding, free connections, clock skew, no blocked
              transaction, none pending (shop), none dirty (shop), none edited
              (shop), matches migrations (shop)
    backend   answers, answers in time
    frontend  answers

3 looks in 0.21 s - one by one 0.05 s - environment start 1.31 s
  50 ms  redis.keeps_writes[redis]
   2 ms  postgres.accepts_connections[postgres]
   2 ms  redis.answers[redis]
pytest-devenv 0.1.0 - Python 3.12.3 - pytest 8.4.1

Next steps
  1. PostgreSQL does not accept connections - unblocks 12 checks
     pytest-devenv env down && pytest-devenv env up

shop is not healthy: 1 root failure blocks 12 checks
"""
    )


def test_verbose_lists_every_check_and_every_time() -> None:
    """With -v each check has its line, what is off included, each look its time, and each part its version."""
    assert (
        render(samples.healthy(), View(verbosity=1))
        == """\
shop · development · embedded: no current kube context

✔ postgres   PostgreSQL 18.6 accepts queries · 3 ms   4 checks   127.0.0.1:43211
             ✔ the encoding is UTF8
             ✔ 6 migrations are applied, none is pending
             ✔ the schema is what the migrations build
✔ redis      Redis 8.1 answers PING · 0.4 ms          2 checks   127.0.0.1:43212
             ✔ a key was written, read and expired
✔ backend    GET /health answers 200 · 12 ms          1 check    127.0.0.1:43213
✔ frontend   GET / answers 200 with HTML · 5 ms       1 check    127.0.0.1:43214
✔ secrets    shop-jwt is set                          1 check
             – no secret shop-smtp is required

9 looks in 0.21 s · one by one 0.26 s · environment start 1.31 s
  180 ms  schema.matches_migrations[shop]
   50 ms  redis.keeps_writes[redis]
   13 ms  http.answers[backend]
    2 ms  postgres.accepts_connections[postgres]
    2 ms  postgres.encoding[postgres]
    2 ms  migrations.none_pending[shop]
    2 ms  redis.answers[redis]
    2 ms  http.answers[frontend]
    2 ms  secrets.present[shop-jwt]
pytest-devenv 0.1.0 · Python 3.12.3 · pytest 8.4.1

shop is healthy: 9 checks in 0.42 s
"""
    )


def test_quiet_shows_the_causes_and_the_last_line() -> None:
    """With -q only what is wrong, and the verdict."""
    assert (
        render(samples.two_roots(), View(width=80, verbosity=-1))
        == """\
✘ 2 migrations of shop are pending
  migrations.none_pending[shop]
  expected  status 200
  found     2
  where     http://127.0.0.1:43213/health
  remedy
    pytest-devenv migrate up shop

✘ GET /health answers 500
  http.answers[backend]
  expected  status 200
  found     status 500: relation users does not exist
  where     http://127.0.0.1:43213/health
  remedy
    pytest-devenv migrate up shop
  blocks 1 check
    frontend  answers

? the drift of shop could not be looked at: its migrations want the extension
  pgcrypto
  schema.matches_migrations[shop]
  where     scratch database on 127.0.0.1:43211
  to allow it
    make health TARGET=cluster

shop is not healthy: 2 root failures block 1 check; 1 could not be looked at
"""
    )


def test_nothing_seen_is_said_so() -> None:
    """A run in which nothing could be looked at is neither healthy nor unhealthy."""
    assert (
        render(samples.nothing_seen(), View(verbosity=-1))
        == """\
? the drift of shop could not be looked at: its migrations want the extension pgcrypto
  schema.matches_migrations[shop]
  where     scratch database on 127.0.0.1:43211
  to allow it
    make health TARGET=cluster

nothing could be verified
"""
    )


@pytest.mark.parametrize("sample", [samples.healthy, samples.postgres_down, samples.two_roots, samples.unseen])
@pytest.mark.parametrize("verbosity", [-1, 0, 1])
@pytest.mark.parametrize("width", [40, 80, 120])
def test_colour_changes_nothing_but_colour(sample: Sample, verbosity: int, width: int) -> None:
    """Without its colours, the coloured report is the plain one, which has no control codes and no trailing blanks."""
    plain = render(sample(), View(width=width, verbosity=verbosity))
    colored = render(sample(), View(width=width, verbosity=verbosity, color=True))

    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain
    assert colored != plain
    assert "\x1b" not in plain
    assert not [line for line in plain.splitlines() if line != line.rstrip()]


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_only_what_must_stay_whole_is_wider_than_the_terminal(*, width: int, ascii_only: bool) -> None:
    """Every line fits, except commands, log lines, and names of probes with their times."""
    text = render(samples.two_roots(), View(width=width, ascii=ascii_only))

    wide = [line.strip() for line in text.splitlines() if len(line) > width]
    assert [line for line in wide if " " in line and not re.search(r"\] \d+ ms$", line)] == []


def test_a_remedy_is_never_wrapped() -> None:
    """A command can be pasted as it stands, however narrow the terminal and however long it is."""
    remedy = "kubectl --context kind-shop --namespace shop-dev rollout restart deployment/postgres --timeout 60s"
    verdict = failed("it is down", expected="up", found="down", where="there", remedy=f"{remedy}\n{remedy} --again")
    run = samples.run(samples.entry("redis.answers", "redis", verdict))

    rows = [row.strip() for row in render(run, View(width=40, color=False)).splitlines()]

    assert rows.count(remedy) == rows.count(f"{remedy} --again") == 2


def test_text_from_outside_cannot_steer_the_terminal() -> None:
    """Escape sequences in summaries, logs and remedies do not reach the terminal, with colour or without."""
    bad = "\x1b]0;title\x07\x1b[2Jx\rspoofed"
    evidence = (Evidence(bad, bad),)
    verdict = failed(bad, expected=bad, found=bad, where=bad, remedy=bad, evidence=evidence)
    run = samples.run(samples.entry("redis.answers", "redis", verdict))

    assert "\x1b" not in render(run, View(verbosity=1))
    assert not re.search(r"\x1b(?!\[[0-9;]*m)|[\r\x07]", render(run, View(verbosity=1, color=True)))


def test_an_empty_run_verifies_nothing() -> None:
    """Without a single check there is a heading and the last line."""
    assert (
        render(samples.run(), View())
        == """\
shop · development · embedded: no current kube context

nothing could be verified
"""
    )


def test_names_in_wide_characters_are_aligned() -> None:
    """Columns stay columns where a character takes two of them."""
    run = samples.run(
        samples.entry("queues.answers", "漢字", passed("答え answers")),
        samples.entry("cache.answers", "x", passed("answers")),
    )

    assert render(run, View()).splitlines()[2:4] == [
        "✔ queues   答え answers   1 check",
        "✔ cache    answers        1 check",
    ]


def test_a_plain_report_needs_no_rich() -> None:
    """A run without colour does not pay for importing rich."""
    code = (
        "import sys; from pytest_devenv.report.terminal import render; from pytest_devenv.report.view import View; "
        "from tests.unit.report import samples; render(samples.postgres_down(), View()); "
        "assert 'rich' not in sys.modules and 'pytest' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", code], check=True)
