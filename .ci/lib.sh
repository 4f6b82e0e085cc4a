# Helpers for the scripts beside this file; sourced, never run.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export CARGO_TARGET_DIR="$ROOT/target"
# We bring or find our own Chromium; installing node modules must not fetch one.
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1

say() { printf '» %s\n' "$*" >&2; }

# Ends the script with one sentence.
fail() {
  printf '✗ %s\n' "$*" >&2
  exit 1
}

# Whether there is a program of this name; a function of the name does not count.
have() { type -P "$1" >/dev/null; }

# Waits until something listens on a port of this machine.
up() {
  for _ in $(seq 100); do (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return; sleep 0.1; done
  fail "nothing listens on port $1."
}

# Forgets the settings of whoever runs this.
without_settings() {
  local name
  for name in $(env | sed -n 's/^\(VESTNIK_[A-Z_]*\)=.*/\1/p'); do unset "$name"; done
}

# The cookies of a new session: log_in URL EMAIL PASSWORD.
log_in() {
  local cookie
  cookie=$(curl -fs -o /dev/null -D - -H "Origin: $1" "$1/api/login" --data-urlencode "form[email]=$2" --data-urlencode "form[password]=$3" |
    sed -n 's/^set-cookie: \([^;]*\).*/\1/ip' | paste -sd ';')
  [ -n "$cookie" ] || fail "$2 could not log in."
  echo "$cookie"
}

# Runs a command as root, or answers false where that needs a password.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif have sudo && sudo -n true 2>/dev/null; then
    sudo -n "$@"
  else
    return 1
  fi
}

# Installs Debian packages; false where that is not possible here. Never removes a package, so that
# no mail server that somebody uses is replaced by ours.
apt_install() {
  have apt-get && as_root true || return 1
  say "installing $* with apt-get"
  if [ -z "${APT_UPDATED:-}" ]; then
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update </dev/null >&2 || return 1
    APT_UPDATED=1
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends --no-remove "$@" \
    </dev/null >&2
}

# Runs `npm ci` in a folder unless that was done for the same lock file.
node_modules() {
  local folder=$ROOT/$1 stamp=$ROOT/$1/node_modules/.vestnik-lock
  if ! cmp -s "$folder/package-lock.json" "$stamp"; then
    say "installing the node modules of $1"
    (cd "$folder" && npm ci --no-progress --loglevel=error </dev/null >&2) ||
      fail "The node modules of $1/ could not be installed: see npm's message above."
    cp "$folder/package-lock.json" "$stamp"
  fi
}
