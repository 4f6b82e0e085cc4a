#!/usr/bin/env bash
# Measures `vestnik bench send` beside Postfix's `smtp-source -d`, both against Postfix's `smtp-sink` on this
# machine, in turn, and prints the ratio of the medians. What the figures mean: docs/benchmarks.md.
#   .ci/bench.sh [sqlite|postgres|all]
# VESTNIK_BIN names the program, otherwise target/release/vestnik; BENCH_PAIRS the pairs of each row (5).
# A postgres row needs .ci/postgres.sh --durable around this script, as `make bench` has it.
set -euo pipefail
# shellcheck source=.ci/lib.sh
. "$(dirname "$0")/lib.sh"

which=${1:-all}
bin=${VESTNIK_BIN:-$ROOT/target/release/vestnik}
pairs=${BENCH_PAIRS:-5}
count=20000
size=4096
export PATH=$PATH:/usr/sbin
have smtp-sink && have smtp-source || fail "smtp-sink and smtp-source were not found: install postfix (not set up)."
[ -x "$bin" ] || fail "$bin is not there: run \`make build\`."

work=$(mktemp -d "${TMPDIR:-/tmp}/vestnik-bench.XXXXXX")
port=$((20000 + RANDOM % 12000))
as=()
if [ "$(id -u)" = 0 ]; then as=(-u nobody); fi
smtp-sink "${as[@]}" "127.0.0.1:$port" 1000 &
sink=$!
trap 'kill $sink 2>/dev/null || true; rm -rf "$work"' EXIT
up "$port"

# Letters a second of smtp-source.
theirs() {
  local start end
  start=$(date +%s%N)
  smtp-source -d -s "$1" -l "$size" -m "$count" "127.0.0.1:$port"
  end=$(date +%s%N)
  echo $((count * 1000000000 / (end - start)))
}

# Letters a second of ours; the whole answer goes into a file.
ours() {
  VESTNIK_LOG=warn "$bin" bench send --json --data-dir "$work/data" --dir "$work" --recipients "$count" \
    --connections "$1" --size "$size" --smtp "smtp://127.0.0.1:$port" "${@:2}" | tee -a "$work/answers" |
    sed -E 's/.*"msgs_per_s":([0-9]+).*/\1/'
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

row() {
  local name=$1 connections=$2 mine other
  shift 2
  : >"$work/mine" && : >"$work/other"
  for _ in $(seq "$pairs"); do
    theirs "$connections" >>"$work/other"
    ours "$connections" "$@" >>"$work/mine"
  done
  mine=$(median <"$work/mine")
  other=$(median <"$work/other")
  awk -v n="$name" -v c="$connections" -v m="$mine" -v o="$other" \
    'BEGIN { printf "%-10s %2d connections  vestnik %6d/s  smtp-source %6d/s  ratio %.2f\n", n, c, m, o, m / o }'
}

# Letters a second of one connection when a round trip takes 50 ms longer, beside what one round trip each would leave.
far() {
  local connections=5 letters=1000 way=$((port + 1)) delay rate
  node "$ROOT/.ci/delay.mjs" "$way" "$port" 50 &
  delay=$!
  up "$way"
  rate=$(count=$letters port=$way ours "$connections")
  kill "$delay"
  awk -v r="$rate" -v c="$connections" \
    'BEGIN { printf "50 ms away %2d connections  each %.1f letters/s, of 20.0 with one round trip a letter\n", c, r / c }'
}

if [ "$which" != postgres ]; then
  far
  for connections in 20 10 5; do row sqlite "$connections"; done
fi
if [ "$which" != sqlite ]; then
  [ -n "${VESTNIK_TEST_POSTGRES_URL:-}" ] || fail "VESTNIK_TEST_POSTGRES_URL must name a PostgreSQL server."
  row postgres 20 --database "$VESTNIK_TEST_POSTGRES_URL"
fi
