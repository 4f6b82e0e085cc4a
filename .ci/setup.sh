#!/usr/bin/env bash
# Sets up what is missing, and only that.
#   .ci/setup.sh build   what `make build` needs
#   .ci/setup.sh test    what `make test` needs beside it
#   .ci/setup.sh lighthouse   what `make lighthouse` needs beside both
set -euo pipefail
# shellcheck source=.ci/lib.sh
. "$(dirname "$0")/lib.sh"

rust() {
  have cargo || fail "Rust is missing: install it from https://rustup.rs and run this again."
  have cc || apt_install gcc libc6-dev || fail "A C compiler (cc) is missing: install gcc or clang."
  cd "$ROOT" # where rust-toolchain.toml names the version
  if [ ! -d "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown" ]; then
    have rustup || fail "The Rust target wasm32-unknown-unknown is missing and there is no rustup to add it."
    rustup target add wasm32-unknown-unknown
  fi
}

node() {
  if ! have node || ! have npm; then
    fail "Node.js 20.11 or newer with npm is missing: install it from https://nodejs.org."
  fi
  local version major minor
  version=$(command node --version)
  IFS=. read -r major minor _ <<<"${version#v}"
  if [ "$major" -lt 20 ] || { [ "$major" = 20 ] && [ "$minor" -lt 11 ]; }; then
    fail "Node.js $version is too old: 20.11 or newer is needed."
  fi
  node_modules style
}

# The tool in style/wasm, compiled once for each version of it; style/build.mjs runs it.
wasm_tool() {
  local folder
  folder=$(command node -e "import('$ROOT/style/tools/paths.mjs').then(({ wasmTool }) => console.log(wasmTool().folder))")
  [ -x "$folder/bin/vestnik-wasm" ] && return
  say "compiling the tool that splits and wraps the wasm client (once; about a minute)"
  cargo install --path "$ROOT/style/wasm" --locked --root "$folder" --target-dir "$ROOT/target/tools" </dev/null ||
    fail "style/wasm could not be compiled: see cargo's message above."
  rm -rf "$ROOT/target/tools"
}

postgres() {
  [ -n "${VESTNIK_TEST_POSTGRES_URL:-}" ] && return
  "$ROOT/.ci/postgres.sh" --find >/dev/null && return
  apt_install postgresql && "$ROOT/.ci/postgres.sh" --find >/dev/null && return
  fail "No PostgreSQL server: install one (initdb, pg_ctl), or give an empty database in VESTNIK_TEST_POSTGRES_URL."
}

# smtp-sink and a Postfix to deliver to: the tests send real letters to both.
postfix() {
  PATH=$PATH:/usr/sbin:/sbin
  have smtp-sink && have postfix && return
  apt_install postfix && have smtp-sink && have postfix && return
  fail "Postfix (postfix, smtp-sink) is missing and could not be installed: the delivery tests need it."
}

# Its email package reads back what Postfix put into a mailbox; dkimpy verifies signatures.
python() {
  local name
  if ! have python3; then
    apt_install python3 && have python3 ||
      fail "Python 3 (python3) is missing and could not be installed: a test reads letters with it."
  fi
  # Debian's package is for Debian's Python, which need not be the first one on PATH.
  for name in python3 /usr/bin/python3; do "$name" -c "import dkim, nacl" 2>/dev/null && return; done
  apt_install python3-dkim python3-nacl && /usr/bin/python3 -c "import dkim, nacl" && return
  fail "Python's module dkim is missing (python3-dkim, dkimpy) and could not be installed: a test verifies signatures."
}

# Debian's package is for Debian's own Python, which need not be the first on PATH.
feedparser() {
  local python
  for python in python3 /usr/bin/python3; do
    "$python" -c "import feedparser" 2>/dev/null && return
  done
  apt_install python3-feedparser && /usr/bin/python3 -c "import feedparser" 2>/dev/null && return
  fail "feedparser (python3-feedparser) is missing and could not be installed: a test reads the feeds with it."
}

# Holds the sitemap to its schema.
sitemap_schema() {
  have xmllint && return
  apt_install libxml2-utils && have xmllint && return
  fail "xmllint (libxml2-utils) is missing and could not be installed: a test checks the sitemap with it."
}

chromium() {
  [ -n "${VESTNIK_CHROMIUM:-}" ] && return
  local name
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    have "$name" && return
  done
  ls "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}"/chromium-* >/dev/null 2>&1 && return
  apt_install chromium && have chromium && return
  (cd "$ROOT/end2end" && npx playwright install chromium </dev/null) && return
  fail "Chromium is missing: install it, or name one in VESTNIK_CHROMIUM; the browser tests need it."
}

case "${1:-}" in
  build)
    rust
    node
    wasm_tool
    ;;
  test)
    postgres
    postfix
    python
    feedparser
    sitemap_schema
    node_modules end2end
    chromium
    ;;
  lighthouse) node_modules end2end/lighthouse ;;
  *) fail "usage: .ci/setup.sh build|test|lighthouse" ;;
esac
