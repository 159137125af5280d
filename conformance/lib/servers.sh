# Private PostgreSQL, Redis and sandbox processes, each ended by its own process id. Sourced by conformance/test.

free_port() {
  local port
  while :; do
    port=$((31000 + RANDOM % 1700))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

# PostgreSQL refuses to run as root.
as_database_owner() {
  if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

start_postgres() {
  local bin port try
  bin=$(postgres_bin)
  mkdir "$state/postgres"
  [ "$(id -u)" != 0 ] || chown postgres "$state/postgres"
  run_quietly initdb as_database_owner "$bin/initdb" -D "$state/postgres/data" -U idp -A trust -E UTF8 --locale C.UTF-8 ||
    die "initdb failed"
  for try in 1 2 3; do
    port=$(free_port)
    if run_quietly postgres as_database_owner "$bin/pg_ctl" -D "$state/postgres/data" -w -t 60 -l "$state/postgres/log" start \
      -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$state/postgres -c synchronous_commit=on -c max_connections=400"; then
      postgres_url=postgres://idp@127.0.0.1:$port/postgres
      return
    fi
  done
  die "PostgreSQL does not start, see $out/postgres.log"
}

fresh_database() {
  local name=clients_$RANDOM$RANDOM
  psql "$postgres_url" -qc "CREATE DATABASE $name"
  echo "${postgres_url%/*}/$name"
}

start_redis() {
  local port
  port=$(free_port)
  redis-server --port "$port" --bind 127.0.0.1 --dir "$state" --save '' --appendonly no --databases 200 \
    --rdbcompression no >"$out/redis.log" 2>&1 &
  redis_pid=$!
  redis_url=redis://127.0.0.1:$port
  for _ in $(seq 100); do
    [ "$(redis-cli -p "$port" ping 2>/dev/null)" != PONG ] || return 0
    sleep 0.1
  done
  die "Redis does not start, see $out/redis.log"
}

# start_sandbox NAME [OPTION...]: sets sandbox_pid, port and its directory.
start_sandbox() {
  local name=$1
  shift
  port=$((20000 + RANDOM % 900 * 10))
  sandbox_directory=$state/sandbox-$name
  "$CARGO_TARGET_DIR/debug/sandbox" --data "$sandbox_directory" --port-base "$port" "$@" >"$out/sandbox-$name.log" 2>&1 &
  sandbox_pid=$!
  for _ in $(seq 600); do
    ! grep -q '^sandbox ready' "$out/sandbox-$name.log" || return 0
    kill -0 "$sandbox_pid" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 20 "$out/sandbox-$name.log" >&2
  return 1
}

stop_sandbox() {
  [ -z "${sandbox_pid:-}" ] || { kill "$sandbox_pid" 2>/dev/null && wait "$sandbox_pid" 2>/dev/null || true; }
  sandbox_pid=
}

clean_up() {
  local pid
  set +e
  stop_sandbox
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null; done
  [ -z "${redis_pid:-}" ] || kill "$redis_pid" 2>/dev/null
  [ ! -f "$state/postgres/data/postmaster.pid" ] ||
    as_database_owner "$(postgres_bin)/pg_ctl" -D "$state/postgres/data" -m immediate stop >/dev/null 2>&1
  rm -rf "$state"
}
