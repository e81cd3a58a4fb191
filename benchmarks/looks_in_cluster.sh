#!/usr/bin/env bash
# The looks of a health run in a cluster, one after the other, as people write them: for scale beside the attached run.
set -euo pipefail

k() { kubectl --context "$CONTEXT" --namespace "$NAMESPACE" "$@"; }

k version --output=json
k get --raw /readyz
k get nodes --output=json
k get namespace "$NAMESPACE" --output=json
k get persistentvolumeclaims --output=json
k get events --output=json
for name in postgres redis backend frontend; do
  k rollout status "deployment/$name" --timeout=5s
  k get pods --selector "app.kubernetes.io/name=$name" --output=json
  k get endpointslices --selector "kubernetes.io/service-name=$name" --output=json
done
k get job database-migration --output=json
for name in database-url jwt-secret token-encryption-key; do k get secret "$name" --output=name; done
k exec deployment/backend --container backend -- getent ahosts postgres redis backend frontend || true

forwards=$(mktemp -d)
trap 'kill $(jobs -p); rm -r "$forwards"' EXIT
forward() {
  k port-forward "deployment/$1" ":$2" > "$forwards/$1" &
  until grep --silent Forwarding "$forwards/$1"; do sleep 0.02; done
  sed --quiet '1s/.*127.0.0.1:\([0-9]*\) .*/\1/p' "$forwards/$1"
}

forward postgres 5432 > "$forwards/port"
PGPORT=$(cat "$forwards/port")
forward redis 6379 > "$forwards/port"
REDIS_PORT=$(cat "$forwards/port")
forward backend 3000 > "$forwards/port"
BACKEND=http://127.0.0.1:$(cat "$forwards/port")
forward frontend 5000 > "$forwards/port"
FRONTEND=http://127.0.0.1:$(cat "$forwards/port")
export PGPORT REDIS_PORT BACKEND FRONTEND PGHOST=127.0.0.1 PGUSER=kiro PGDATABASE=kiro

source "$(dirname "$0")/looks.sh"
