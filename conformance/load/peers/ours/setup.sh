#!/usr/bin/env bash
# The provider under load, on one store.
#   setup.sh seed sqlite|postgres      migrate, make keys, register the clients and one citizen; keep the result
#   setup.sh restore sqlite|postgres   start afresh from what was kept (PostgreSQL: and start the server)
#   setup.sh clear sqlite|postgres     end what restore began
# Reads BIN_DIR (idp, admin), STATE_DIR (on a disk, never tmpfs), LOAD_DIR (the key of the client that signs) and
# CLIENT_CORE.
set -euo pipefail
store=$2
dir=$STATE_DIR/$store
run=$dir/run
seed=$dir/seed
pg_port=4183
# Both stores' servers are up while they take turns.
port=4180
[ "$store" = postgres ] && port=4185

as_postgres() {
  # PostgreSQL refuses to run as root.
  if [ "$(id -u)" = 0 ]; then setpriv --reuid postgres --regid postgres --clear-groups "$@"; else "$@"; fi
}

# The database stays off the provider's core; its own CPU is counted apart.
pg() { as_postgres taskset -c "${CLIENT_CORE:-1}" "$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)/$1" "${@:2}"; }

start_postgres() {
  mkdir -p "$dir/socket"
  [ "$(id -u)" = 0 ] && chown postgres "$dir/socket"
  (cd / && pg pg_ctl -D "$run/pg" -w -s -l "$run/pg/server.log" \
    -o "-p $pg_port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$dir/socket -c shared_buffers=256MB" start)
}

stop_postgres() {
  [ -e "$run/pg/postmaster.pid" ] || return 0
  (cd / && pg pg_ctl -D "$run/pg" -w -s -m fast stop)
}

write_config() {
  local url=sqlite:$run/idp.db
  [ "$store" = postgres ] && url=postgres://idp@127.0.0.1:$pg_port/idp
  cat >"$run/idp.toml" <<TOML
issuer = "http://localhost:$port"
listen = "127.0.0.1:$port"
danger_http_loopback = true

[operations]
listen = "127.0.0.1:$((port + 1))"

[database]
url = "$url"

[keys]
directory = "$run/keys"

# One machine plays a whole country here.
[limits]
sign_ins_per_address = 1000000
pages_per_address = 1000000
sessions_per_account = 1000
client_failures_per_network = 1000000000
dpop_proofs_per_client = 1000000000
pushed_requests_per_client = 1000000000
TOML
}

client() {
  local alg=$1 id=rp-${1,,}
  cat <<JSON
{"client_id": "$id", "client_name": "Load $alg", "client_secret": "load-secret-load-secret-load-secret-load-se",
 "redirect_uris": ["http://127.0.0.1:9/cb"], "response_types": ["code"],
 "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "client_secret_basic",
 "scope": "openid profile email offline_access", "id_token_signed_response_alg": "$alg",
 "vn_purposes": [{"id": "load", "title": {"vi": "Đo tải", "en": "Load"},
   "claims": ["name", "family_name", "given_name", "preferred_username", "email", "email_verified"],
   "required": ["name", "family_name", "given_name", "preferred_username", "email", "email_verified"]}]}
JSON
}

seed() {
  rm -rf "$dir"
  mkdir -p "$run"
  if [ "$store" = postgres ]; then
    mkdir "$run/pg"
    [ "$(id -u)" = 0 ] && chown postgres "$run/pg" && chmod 711 "$STATE_DIR" "$dir" "$run"
    (cd / && pg initdb -D "$run/pg" -A trust -U idp -E UTF8 --locale=C >/dev/null)
    start_postgres
    psql -q -h 127.0.0.1 -p $pg_port -U idp -d postgres -c 'CREATE DATABASE idp'
  fi
  write_config
  "$BIN_DIR/idp" --config "$run/idp.toml" migrate up
  first_start
  client ES256 >"$run/es256.json"
  client RS256 >"$run/rs256.json"
  cat >"$run/svc.json" <<'JSON'
{"client_id": "svc", "client_name": "Load service", "client_secret": "load-secret-load-secret-load-secret-load-se",
 "grant_types": ["client_credentials"], "token_endpoint_auth_method": "client_secret_basic", "scope": "api", "vn_resources": ["https://api.example.vn"]}
JSON
  cat >"$run/svc-jwt.json" <<JSON
{"client_id": "svc-jwt", "client_name": "Load service with a key", "grant_types": ["client_credentials"],
 "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "ES256", "scope": "api",
 "jwks": {"keys": [$(cat "$LOAD_DIR/client.json")]}}
JSON
  cat >"$run/api.json" <<'JSON'
{"client_id": "api", "client_name": "Load resource server", "client_secret": "load-secret-load-secret-load-secret-load-se",
 "grant_types": [], "token_endpoint_auth_method": "client_secret_basic", "scope": "api",
 "vn_serves": ["https://api.example.vn"], "vn_token_form": "jwt", "vn_token_signed_alg": "ES256"}
JSON
  cat >"$run/people.jsonl" <<'JSON'
{"person_number": "099090000101", "name": "Nguyễn Văn Tải", "birthdate": "1990-01-01", "gender": "male", "account": {"level": 1, "state": "activated", "password": "VNeID#2026", "email": "tai@example.vn"}, "claims": {"family_name": "Nguyễn", "given_name": "Tải", "preferred_username": "tai"}}
JSON
  local each
  for each in es256 rs256 api svc svc-jwt; do "$BIN_DIR/admin" --config "$run/idp.toml" client put "$run/$each.json" >/dev/null; done
  "$BIN_DIR/admin" --config "$run/idp.toml" account import "$run/people.jsonl" >/dev/null
  stop_postgres
  rm -rf "$seed"
  cp -a "$run" "$seed"
}

# The signing keys are made by the first server that opens the store.
first_start() {
  "$BIN_DIR/idp" --config "$run/idp.toml" serve >"$run/first.log" 2>&1 &
  local pid=$! i
  for ((i = 0; i < 600; i++)); do
    curl -fsS -o /dev/null "http://localhost:$port/.well-known/openid-configuration" 2>/dev/null && break
    kill -0 "$pid" 2>/dev/null || { cat "$run/first.log" >&2; return 1; }
    sleep 0.1
  done
  kill -TERM "$pid"
  wait "$pid" || true
  [ "$i" -lt 600 ] || { echo "the provider never answered" >&2; return 1; }
}

restore() {
  stop_postgres
  rm -rf "$run"
  cp -a "$seed" "$run"
  if [ "$store" = postgres ]; then start_postgres; fi
}

case $1 in
  seed) trap '[ "$store" != postgres ] || stop_postgres' EXIT; seed ;;
  restore) restore ;;
  clear) stop_postgres; rm -rf "$run" ;;
  *) exit 2 ;;
esac
