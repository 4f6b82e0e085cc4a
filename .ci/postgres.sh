#!/usr/bin/env bash
# Runs a command beside a PostgreSQL server of its own, which is gone afterwards:
#   .ci/postgres.sh cargo test
# The command finds it in VESTNIK_TEST_POSTGRES_URL; where that is set already, no server is started.
#   .ci/postgres.sh --durable CMD…   the same with a server that survives crashes as it comes (for benches)
#   .ci/postgres.sh --find   prints the folder of initdb and pg_ctl, or fails
set -euo pipefail
# shellcheck source=.ci/lib.sh
. "$(dirname "$0")/lib.sh"

# The newest server's programs. Debian keeps them off PATH.
find_server() {
  local folder
  for folder in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV) \
    "$(dirname "$(readlink -f "$(command -v initdb || echo /nonexistent/initdb)")")"; do
    if [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ]; then
      echo "$folder"
      return
    fi
  done
  return 1
}

if [ "${1:-}" = --find ]; then
  find_server
  exit
fi
# Nothing here has to survive a crash, unless that is what is measured.
lax="-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
if [ "${1:-}" = --durable ]; then
  lax=
  shift
fi
if [ -n "${VESTNIK_TEST_POSTGRES_URL:-}" ]; then
  exec "$@"
fi

bin=$(find_server) || fail "No PostgreSQL server was found: run \`make setup-test\`."
work=$(mktemp -d "${TMPDIR:-/tmp}/vestnik-postgres.XXXXXX")

# PostgreSQL refuses to run as root.
as_server=()
if [ "$(id -u)" = 0 ]; then
  user=nobody
  if id postgres >/dev/null 2>&1; then user=postgres; fi
  chown "$user" "$work"
  as_server=(runuser -u "$user" --)
fi

# shellcheck disable=SC2329 # called by the trap below
stop() {
  trap - EXIT INT TERM
  if [ -f "$work/data/postmaster.pid" ]; then
    (cd / && "${as_server[@]}" "$bin/pg_ctl" -D "$work/data" -m immediate -w stop >/dev/null 2>&1) || true
  fi
  rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Cleartext over loopback costs the tests no time; that there is a password keeps this machine's
# other users out.
password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
(umask 077 && echo "$password" >"$work/password")
if [ "$(id -u)" = 0 ]; then chown "$user" "$work/password"; fi

cd /
"${as_server[@]}" "$bin/initdb" -D "$work/data" -U vestnik --auth=password --pwfile="$work/password" \
  --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$work/initdb.log" 2>&1 ||
  { cat "$work/initdb.log" >&2 && fail "initdb failed."; }

start() {
  "${as_server[@]}" "$bin/pg_ctl" -D "$work/data" -l "$work/data/server.log" -w -t 60 start -o "\
    -p $1 -c listen_addresses=127.0.0.1 -c unix_socket_directories=$work -c max_connections=200 $lax" >/dev/null 2>&1
}

# A port may be taken between the look and the start: try others.
port=
for _ in 1 2 3 4 5; do
  candidate=$((20000 + RANDOM % 12000))
  if start "$candidate"; then
    port=$candidate
    break
  fi
done
[ -n "$port" ] || { cat "$work/data/server.log" >&2 && fail "PostgreSQL did not start."; }

cd "$ROOT"
export VESTNIK_TEST_POSTGRES_URL="postgres://vestnik:$password@127.0.0.1:$port/postgres"
# In the background and waited for, so that a signal stops the server at once.
"$@" &
child=$!
trap 'kill -INT $child 2>/dev/null; exit 130' INT
trap 'kill -TERM $child 2>/dev/null; exit 143' TERM
status=0
wait "$child" || status=$?
exit "$status"
