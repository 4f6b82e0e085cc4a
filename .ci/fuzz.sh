#!/usr/bin/env bash
# Fuzzing of what reads strangers' texts: fuzz.sh [SECONDS for each target] [TARGET…]. libFuzzer is fed by the coverage of the
# stable compiler; sanitizers would need a nightly one, and there is no unsafe code of ours for them to watch. What is found lands
# in target/fuzz/found.
set -euo pipefail
# shellcheck source=.ci/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

seconds=${1:-60}
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=(template markdown html clients dsn)
have c++ || fail "libFuzzer needs a C++ compiler (Debian: apt-get install g++)."

host=$(rustc -vV | sed -n 's/^host: //p')
# What is tried has the versions of the product.
cp Cargo.lock tests/fuzz/Cargo.lock
say "building the targets"
RUSTFLAGS="--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares" \
  cargo build -q --release --manifest-path tests/fuzz/Cargo.toml --target "$host" --target-dir target/fuzz

for target in "${targets[@]}"; do
  say "$target: $seconds s"
  mkdir -p "target/fuzz/corpus/$target" target/fuzz/found
  # A second for each input, with room for a machine that does other things, too.
  "target/fuzz/$host/release/$target" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -max_len=20000 -verbosity=0 \
    -print_final_stats=1 -artifact_prefix="target/fuzz/found/$target-" "target/fuzz/corpus/$target" "tests/fuzz/corpus/$target"
done
