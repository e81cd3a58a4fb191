#!/usr/bin/env bash
# The looks of a health run, a command for each check and one after the other, as people write them: for scale beside the
# attached run. What it reads it does not judge.
set -euo pipefail

sql() { psql --no-psqlrc --tuples-only --no-align --quiet --dbname "$1" --command "$2"; }

sql kiro "SELECT version()"
sql kiro "SELECT current_setting('max_connections')::int - count(*) FROM pg_stat_activity"
sql kiro "SELECT clock_timestamp()"
sql kiro "SELECT pid FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0"

for database in kiro jobs; do
  sql "$database" "SELECT 1"
  sql "$database" "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()"
done
sql kiro "SELECT count(*) FROM _sqlx_migrations WHERE NOT success"
sql kiro "SELECT max(version) FROM _sqlx_migrations"
sql kiro "SELECT version, encode(checksum, 'hex') FROM _sqlx_migrations ORDER BY version"
sql kiro "SELECT version FROM _sqlx_migrations ORDER BY version"
sql jobs "SELECT version_num FROM alembic_version"
sql jobs "SELECT to_regclass('job'), to_regclass('result'), to_regclass('artifact')"
sql jobs "SELECT count(*) FROM alembic_version"
sql jobs "SELECT version_num FROM alembic_version ORDER BY 1"
sql kiro "SELECT to_regclass('users'), to_regclass('artists'), to_regclass('audit_log')"

redis-cli -p "$REDIS_PORT" PING
redis-cli -p "$REDIS_PORT" SET looks:health here EX 5
redis-cli -p "$REDIS_PORT" GET looks:health
redis-cli -p "$REDIS_PORT" DEL looks:health
redis-cli -p "$REDIS_PORT" INFO memory
redis-cli -p "$REDIS_PORT" CONFIG GET maxmemory-policy

for _ in 1 2 3 4; do curl --silent --show-error --fail --max-time 5 "$BACKEND/health"; done
for _ in 1 2 3 4; do curl --silent --show-error --fail --max-time 5 "$FRONTEND/"; done
