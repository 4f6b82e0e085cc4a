#!/usr/bin/env bash
# Everything that is checked without running the program.
set -euo pipefail
# shellcheck source=.ci/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

step() {
  local start=$SECONDS
  say "$*"
  "$@"
  say "$1 $2: $((SECONDS - start)) s"
}

step cargo fmt --all --check
step cargo clippy --locked --workspace --features ssr --all-targets -- -D warnings
step cargo clippy --locked --lib --features hydrate --target wasm32-unknown-unknown -- -D warnings
# Its finer hints differ from version to version.
if have shellcheck; then step shellcheck -x -S warning .ci/*.sh .ci/run; fi
# Not its advisories, which come over the network and change without us.
if have cargo-deny; then step cargo deny check bans licenses sources; fi
