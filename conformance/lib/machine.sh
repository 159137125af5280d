# What the machine must have. Sourced by conformance/test.

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

have() { command -v "$1" >/dev/null 2>&1; }

postgres_bin() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1; }

# Prints the Debian packages this machine lacks.
missing_packages() {
  [ -n "$(postgres_bin)" ] && have psql && have pg_dump || echo postgresql
  have redis-server && have redis-cli || echo redis-server
  have chromium || echo chromium
  have chromedriver || echo chromium-driver
  have node || echo nodejs
  have npm || echo npm
  have python3 && python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3 python3-venv python3-pip
  have fc-list && [ -n "$(fc-list :lang=vi)" ] || echo fontconfig fonts-dejavu-core fonts-noto-core
  have apache2 && ls /usr/lib/apache2/modules/mod_auth_openidc.so >/dev/null 2>&1 || echo apache2 libapache2-mod-auth-openidc
  have setpriv || echo util-linux
  have curl || echo curl
  have pkill || echo procps
  { [ -z "$long" ] && [ "$only" != load ]; } || have wrk || echo wrk
  { [ -z "$long" ] && [ "$only" != fuzz ]; } || have c++ || echo g++
}

install_what_lacks() {
  local tool lacking
  for tool in cargo cc make perl; do have "$tool" || die "$tool is needed and must be there beforehand"; done
  lacking=$(missing_packages | tr '\n' ' ')
  [ -n "${lacking// /}" ] || return 0
  have apt-get || die "missing: $lacking(and no apt-get to install it)"
  [ "$(id -u)" = 0 ] || have sudo || die "missing: $lacking(and neither root nor sudo to install it)"
  say "installing: $lacking"
  # Debian's own PostgreSQL cluster on 5432 is not wanted: the tests run their own.
  as_root mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] ||
    echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
  {
    as_root apt-get update -q &&
      # shellcheck disable=SC2086
      as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $lacking
  } >"$out/install.log" 2>&1 || { tail -n 20 "$out/install.log" >&2; die "apt-get could not install $lacking"; }
  lacking=$(missing_packages | tr '\n' ' ')
  [ -z "${lacking// /}" ] || die "still missing after installation: $lacking"
}
