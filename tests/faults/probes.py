"""The probes that the shop has, by what they look at."""

from __future__ import annotations

POSTGRES = "postgres.accepts_queries[postgres]"
SERVER = {
    POSTGRES,
    "postgres.has_free_connections[postgres]",
    "postgres.tells_the_time[postgres]",
    "postgres.is_not_blocked[postgres]",
}
DATABASE = {"database.exists[shop]", "database.is_utf8[shop]"}
MIGRATIONS = {
    "migrations.none_dirty[shop]",
    "migrations.all_applied[shop]",
    "migrations.none_edited[shop]",
    "migrations.none_missing[shop]",
}
REDIS = {
    "redis.answers[redis]",
    "redis.stores_keys[redis]",
    "redis.has_memory[redis]",
    "redis.evicts_only_what_expires[redis]",
}
JOB = {"job.completed[migrate]"}
BACKEND = {"http.answers[backend]", "http.keeps_its_budget[backend]"}
FRONTEND = {"http.answers[frontend]"}
SECRET = {"secret.is_present[api-token]"}
SITES = BACKEND | FRONTEND
HEALTH = SERVER | DATABASE | MIGRATIONS | REDIS | JOB | SITES | SECRET
