# Running things and adding up what their own summaries say. Sourced by conformance/test.

# run_quietly NAME COMMAND...: output to a log; its end is shown when the command fails.
run_quietly() {
  local name=$1
  shift
  if "$@" >"$out/$name.log" 2>&1; then return 0; fi
  echo "-- $name failed; the end of $out/$name.log:" >&2
  tail -n 40 "$out/$name.log" >&2
  return 1
}

# one_check NAME COMMAND...: passes or fails as one.
one_check() {
  local name=$1
  if run_quietly "$@"; then echo "$name: ok"; count 1 0; else count 0 1; fi
}

# counted NAME COMMAND...: a runner whose last line is `N passed, N failed`.
counted() {
  local name=$1 status=0 line
  shift
  "$@" >"$out/$name.log" 2>&1 || status=$?
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$out/$name.log" | tail -n 1 || true)
  if [ -z "$line" ]; then
    tail -n 40 "$out/$name.log" >&2
    echo "$name: no summary (exit $status)"
    count 0 1
    return
  fi
  # shellcheck disable=SC2086
  set -- $line
  echo "$name: $line"
  if [ "$status" != 0 ] || [ "$3" != 0 ]; then grep -E -A8 '^(FAIL|not ok|failed)' "$out/$name.log" >&2 || tail -n 40 "$out/$name.log" >&2; fi
  [ "$status" = 0 ] || [ "$3" != 0 ] || { echo "$name: exit $status"; count 0 1; }
  count "$1" "$3"
}

# cargo_tests NAME ARGUMENT...: a run of cargo test; an ignored test counts as failed, for nothing is skipped here.
cargo_tests() {
  local name=$1 status=0 sums
  shift
  cargo test --locked --workspace --no-fail-fast "$@" >"$out/$name.log" 2>&1 || status=$?
  grep -E '^test result:' "$out/$name.log" || true
  sums=$(awk '/^test result:/ { p += $4; f += $6; i += $8 } END { print p + 0, f + 0, i + 0 }' "$out/$name.log")
  # shellcheck disable=SC2086
  set -- $sums
  if [ "$status" != 0 ]; then
    awk '/^failures:$/ { show = 1 } /^test result:/ { show = 0 } show' "$out/$name.log" | head -n 400 >&2
    [ "$2" != 0 ] || { tail -n 30 "$out/$name.log" >&2; count 0 1; }
  fi
  [ "$3" = 0 ] || echo "$name: $3 tests are ignored, which counts as failed"
  ran=$(($1 + $2))
  count "$1" $(($2 + $3))
}

# The integration tests of the workspace but ours, as arguments of cargo test.
integration_tests() {
  local file
  for file in idp/tests/*.rs admin/tests/*.rs idp/tests/*/main.rs admin/tests/*/main.rs; do
    [ -e "$file" ] || continue
    case $file in
      */main.rs) file=${file%/main.rs} ;;
    esac
    echo --test "$(basename "$file" .rs)"
  done | sort -u | tr '\n' ' '
}

# suite NAME: everything but the browser, on the backing the environment names.
suite() {
  # Many of these wait for a clock; more of them than there are cores may wait together.
  RUST_TEST_THREADS=4 cargo_tests "wire-$1" --test suite -- wire::
  wire=$ran
  # What measures a moment has the machine for itself.
  RUST_TEST_THREADS=1 cargo_tests "races-$1" --test suite -- races:: crash:: dump::
  suites_ran=$((wire + ran))
}

# No module of the suite may be left out by the filters above.
every_suite_ran() {
  local all
  all=$(cargo test --locked --workspace --test suite -- --list 2>/dev/null | grep -c ': test$')
  [ "$all" = $((suites_ran + ran)) ] || { echo "the suite has $all tests, $((suites_ran + ran)) ran"; count 0 1; }
}

prepare_clients() {
  local place=$CARGO_TARGET_DIR/clients
  mkdir -p "$place/node"
  if [ "$(cat "$place/authlib/.made" 2>/dev/null)" != "$(cat conformance/clients/authlib/requirements.txt)" ]; then
    rm -rf "$place/authlib"
    run_quietly venv python3 -m venv "$place/authlib" || die "no Python environment"
    run_quietly pip "$place/authlib/bin/pip" install --quiet --disable-pip-version-check \
      -r conformance/clients/authlib/requirements.txt || die "pip failed"
    cp conformance/clients/authlib/requirements.txt "$place/authlib/.made"
  fi
  cp conformance/clients/node/* "$place/node/"
  run_quietly npm npm install --prefix "$place/node" --no-audit --no-fund --loglevel error || die "npm failed"
  node=$(command -v node)
  if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
    # openid-client 6 wants Node 20; npm carries Node itself.
    run_quietly node npm install --prefix "$place/node" --no-save --no-audit --no-fund --loglevel error node@22 ||
      die "no Node 22"
    node=$place/node/node_modules/.bin/node
  fi
}

register_clients() {
  local file place=$CARGO_TARGET_DIR/clients
  local admin=("$CARGO_TARGET_DIR/debug/admin" --config "$sandbox_directory/idp.toml")
  rm -rf "$place/registrations"
  TLS=$sandbox_directory/tls "$place/authlib/bin/python" conformance/clients/authlib/registrations.py "$place/registrations" ||
    return 1
  for file in "$place"/registrations/*.json; do "${admin[@]}" client put "$file" || return 1; done
  "${admin[@]}" client invite --json --scope "openid profile" >"$place/registrations/invitation" || return 1
  "${admin[@]}" account import conformance/clients/holders.jsonl
}

# The configuration for the official suite is written, its clients are admitted, and its browser steps lead where they should.
conformance_plans() {
  local plans=$state/plans-$RANDOM
  CARGO_TARGET_DIR=$CARGO_TARGET_DIR conformance/plans/generate --issuer "$ISSUER" --out "$plans" \
    --admin "$CARGO_TARGET_DIR/debug/admin --config $sandbox_directory/idp.toml" \
    --person-number 099090000001 --password 'VNeID#2026' || return 1
  python3 conformance/plans/walk.py "$ISSUER" "$PHONE" "$plans"
}

# The file by which the sandbox finds npm's oidc-provider, which `upstream.mjs` starts there.
prepare_upstream() {
  export UPSTREAM=$((30000 + RANDOM % 2000)) UPSTREAM_SECRET=upstream-$RANDOM-$RANDOM-$RANDOM
  mkdir -p "$state/upstream"
  printf '%s' "$UPSTREAM_SECRET" >"$state/upstream/secret"
  cat >"$state/upstream/upstream.toml" <<TOML
[upstream.node]
issuer = "http://localhost:$UPSTREAM"
client_id = "idp"
client_secret_file = "secret"
name_vi = "Một nhà cung cấp khác"
TOML
}

# relying_parties NAME [SANDBOX OPTION...]: every library against one sandbox, which speaks TLS too.
relying_parties() {
  local name=$1 place=$CARGO_TARGET_DIR/clients
  prepare_upstream
  if ! start_sandbox "$@" --tls --upstream "$state/upstream/upstream.toml"; then
    echo "the sandbox does not start on $name"
    count 0 1
    return
  fi
  export ISSUER=http://localhost:$port PHONE=http://localhost:$((port + 4)) SITE=http://localhost:$((port + 9))
  export RESOURCE=https://localhost:$((port + 6)) AUTHORITY=$sandbox_directory/tls/ca.pem
  export CLIENTS=$place/registrations/clients HOLDERS=$root/conformance/clients/holders.jsonl
  if ! run_quietly "clients-$name" register_clients; then count 0 1; fi
  counted "authlib-$name" "$place/authlib/bin/python" conformance/clients/authlib/relying_party.py
  counted "openid-client-$name" "$node" "$place/node/relying_party.mjs"
  counted "oidc-provider-upstream-$name" "$node" "$place/node/upstream.mjs"
  FAPI=$place/registrations/fapi counted "openid-client-fapi-$name" "$node" "$place/node/fapi.mjs"
  MUTUAL=$place/registrations counted "openid-client-mtls-$name" "$node" "$place/node/mtls.mjs"
  WEB=$place/registrations/web INVITATION=$place/registrations/invitation NODE_EXTRA_CA_CERTS=$AUTHORITY \
    counted "oauth4webapi-$name" "$node" "$place/node/oauth4webapi.mjs"
  CLIENT=$place/registrations/apache VISITOR=$root/conformance/clients/authlib counted "mod_auth_openidc-$name" \
    python3 conformance/clients/mod_auth_openidc/relying_party.py
  counted "plans-$name" conformance_plans
  stop_sandbox
}
