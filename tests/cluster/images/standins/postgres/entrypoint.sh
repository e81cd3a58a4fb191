#!/bin/sh
# Fills a new volume as postgres:18 does: a role and a database of the given names, then the scripts. A pod that is ended
# in the middle begins again, since the folder gets its name at the end.
set -eu
if [ "$1" = postgres ] && [ ! -e "$PGDATA" ]; then
  : "${POSTGRES_PASSWORD:?must be set, as for the image itself}"
  user=${POSTGRES_USER:-postgres} new=$PGDATA.new
  rm -rf "$new" && mkdir -p "$new"
  printf '%s\n' "$POSTGRES_PASSWORD" > /tmp/password
  initdb --pgdata="$new" --username="$user" --pwfile=/tmp/password --encoding=UTF8 --locale=C.UTF-8 \
    --auth-local=trust --auth-host=scram-sha-256 --no-sync
  rm /tmp/password
  printf '\nhost all all all scram-sha-256\n' >> "$new/pg_hba.conf"
  printf "\nlisten_addresses = '*'\nunix_socket_directories = '/var/run/postgresql'\n" >> "$new/postgresql.conf"
  pg_ctl --pgdata="$new" --options="-c listen_addresses=''" --wait --silent start
  export PGHOST=/var/run/postgresql PGUSER=$user
  [ "${POSTGRES_DB:-$user}" = postgres ] || createdb "${POSTGRES_DB:-$user}"
  for script in /docker-entrypoint-initdb.d/*.sql; do
    [ ! -e "$script" ] || psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --dbname="${POSTGRES_DB:-$user}" --file="$script"
  done
  pg_ctl --pgdata="$new" --mode=fast --wait --silent stop
  unset PGHOST PGUSER
  mv "$new" "$PGDATA"
fi
exec "$@"
