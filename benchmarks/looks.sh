#!/usr/bin/env bash
# The looks of a health run, one after the other, as people write them: for scale beside the attached run.
set -euo pipefail

sql() { psql --no-psqlrc --tuples-only --no-align --quiet --command "$1"; }

sql "SELECT version()"
sql "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()"
sql "SELECT current_setting('max_connections')::int - count(*) FROM pg_stat_activity"
sql "SELECT clock_timestamp()"
sql "SELECT pid FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0"
sql "SELECT 1 FROM pg_database WHERE datname = current_database()"
sql "SELECT version, success, checksum FROM _sqlx_migrations ORDER BY version"
sql "SELECT to_regclass('users'), to_regclass('artists'), to_regclass('audit_log')"

redis-cli -p "$REDIS_PORT" PING
redis-cli -p "$REDIS_PORT" SET looks:health here EX 5
redis-cli -p "$REDIS_PORT" GET looks:health
redis-cli -p "$REDIS_PORT" DEL looks:health
redis-cli -p "$REDIS_PORT" INFO memory
redis-cli -p "$REDIS_PORT" CONFIG GET maxmemory-policy

for _ in 1 2 3 4; do curl --silent --show-error --fail --max-time 5 "$BACKEND/health"; done
for _ in 1 2 3 4; do curl --silent --show-error --fail --max-time 5 "$FRONTEND/"; done
