#!/usr/bin/env bash
# Measures pages that are kept with wrk, beside nginx that serves the same bytes as a static file with the same
# headers; beside themselves when they are rendered each time; counts their views; measures how soon a change is seen,
# and how long pages take while letters leave, or while somebody has texts previewed that are made to be slow.
# docs/benchmarks.md says what the figures mean.
#   .ci/bench-web.sh [speed|views|spread|busy|hostile|all]
# `spread` needs .ci/postgres.sh around this script, as `make bench-web` has it.
# VESTNIK_BIN names the program, otherwise target/release/vestnik;
# BENCH_PAIRS the pairs of each row (5), BENCH_SECONDS the length of each run (4).
set -euo pipefail
# shellcheck source=.ci/lib.sh
. "$(dirname "$0")/lib.sh"

which=${1:-all}
bin=${VESTNIK_BIN:-$ROOT/target/release/vestnik}
pairs=${BENCH_PAIRS:-5}
seconds=${BENCH_SECONDS:-4}
export PATH=$PATH:/usr/sbin
for tool in wrk nginx curl python3; do have $tool || fail "$tool was not found: install it (apt-get install $tool)."; done
[ -x "$bin" ] || fail "$bin is not there: run \`make build\`."

work=$(mktemp -d "${TMPDIR:-/tmp}/vestnik-bench.XXXXXX")
chmod 755 "$work"
ours=$((20000 + RANDOM % 6000))
theirs=$((ours + 6000))
server='' started=()
# shellcheck disable=SC2329 # called by the trap below
stop() {
  kill "${started[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap stop EXIT

postgres=${VESTNIK_TEST_POSTGRES_URL:-}
without_settings
export VESTNIK_DATABASE_URL="sqlite:$work/bench.db" VESTNIK_DATA_DIR="$work/data"
export VESTNIK_SECRET=0123456789abcdef0123456789abcdef VESTNIK_ADDR="127.0.0.1:$ours" VESTNIK_LOG=warn

serve() {
  "$bin" serve 2>"$work/serve.log" &
  server=$!
  started+=("$server")
  up "$ours"
}

"$bin" demo >/dev/null
serve
post=$(curl -fs "http://127.0.0.1:$ours/sitemap.xml" | sed -n 's|.*<loc>[^<]*\(/blog/[^<]*\)</loc>.*|\1|p' | head -1)

# Makes nginx serve what we answer to a path and an Accept-Encoding, with our headers, at /NAME.
location() {
  local name=$1 path=$2 encoding=$3
  mkdir -p "$work/files"
  # The second answer: the first says that it was rendered.
  curl -fs -H "Accept-Encoding: $encoding" "http://127.0.0.1:$ours$path" -o /dev/null
  curl -fs -H "Accept-Encoding: $encoding" "http://127.0.0.1:$ours$path" -o "$work/files/$name" -D "$work/head"
  {
    echo "location = /$name {"
    sed -n 's/\r$//; /^[a-z-]*: /p' "$work/head" | while IFS= read -r line; do
      case "${line%%:*}" in
        content-type) echo "  types {} default_type '${line#*: }';" ;;
        content-length | date) ;;
        *)
          line=${line//\"/\\\"}
          echo "  add_header ${line%%:*} \"${line#*: }\";"
          ;;
      esac
    done
    echo "}"
  } >>"$work/locations"
}

start_nginx() {
  cat >"$work/nginx.conf" <<END
worker_processes auto; pid $work/nginx.pid; error_log $work/nginx.log; daemon off;
events { worker_connections 1024; }
http {
  access_log off; server_tokens off; sendfile on; tcp_nopush on; tcp_nodelay on; etag off; max_ranges 0;
  keepalive_requests 100000000; open_file_cache max=100 inactive=1h; open_file_cache_valid 1h;
  client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi;
  uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
  server { listen 127.0.0.1:$theirs; root $work/files; include $work/locations; }
}
END
  nginx -p "$work" -c "$work/nginx.conf" &
  started+=("$!")
  up "$theirs"
}

# "requests_a_second p99_in_ms" of one run.
run() {
  local url=$1
  shift
  wrk -t1 -c32 -d"${seconds}s" --latency "$@" "$url" | tee "$work/wrk" | awk '
    function ms(text) { return text ~ /us$/ ? text / 1000 : text ~ /ms$/ ? text + 0 : text * 1000 }
    /^ +99%/ { p = ms($2) } /^Requests\/sec/ { r = $2 } END { printf "%.0f %.2f\n", r, p }'
  ! grep -q 'Non-2xx\|Socket errors' "$work/wrk" || { cat "$work/wrk" >&2 && fail "some requests of $url failed."; }
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# Compares two addresses, in turn.
row() {
  local label=$1 name_a=$2 url_a=$3 name_b=$4 url_b=$5 encoding=$6 n
  : >"$work/a" && : >"$work/b"
  for n in $(seq "$pairs"); do
    run "$url_a" -H "Accept-Encoding: $encoding" >>"$work/a"
    run "$url_b" -H "Accept-Encoding: $encoding" >>"$work/b"
  done
  awk -v l="$label" -v na="$name_a" -v nb="$name_b" -v a="$(cut -d' ' -f1 "$work/a" | median)" -v b="$(cut -d' ' -f1 "$work/b" | median)" \
    -v pa="$(cut -d' ' -f2 "$work/a" | median)" -v pb="$(cut -d' ' -f2 "$work/b" | median)" 'BEGIN {
    printf "%-14s %s %7d/s p99 %6.2f ms   %s %7d/s p99 %6.2f ms   ratio %.2f\n", l, na, a, pa, nb, b, pb, a / b }'
}

speed() {
  : >"$work/locations"
  local page path encoding
  for page in home post; do
    path=/
    if [ $page = post ]; then path=$post; fi
    for encoding in identity br; do location "$page-$encoding" "$path" $encoding; done
  done
  start_nginx
  for page in home post; do
    path=/
    if [ $page = post ]; then path=$post; fi
    for encoding in identity br; do
      row "$page $encoding" vestnik "http://127.0.0.1:$ours$path" nginx "http://127.0.0.1:$theirs/$page-$encoding" $encoding
    done
    # What a redirect announces is never kept, so such a page is rendered each time.
    row "$page br" rendered "http://127.0.0.1:$ours$path?done=x" kept "http://127.0.0.1:$ours$path" br
  done
}

stored() {
  python3 -c "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT views FROM posts WHERE slug = ?', (sys.argv[2],)).fetchone()[0])" \
    "$work/bench.db" "${post#/blog/}"
}

# Waits until the service has added what it has seen: nothing more comes for longer than it takes.
settled() {
  local before=-1 now
  now=$(stored)
  while [ "$now" != "$before" ]; do
    before=$now
    sleep 6
    now=$(stored)
  done
  echo "$now"
}

views() {
  local before after answers n
  ETAG=$(curl -fsD - -o /dev/null "http://127.0.0.1:$ours$post" | sed -n 's/\r$//; s/^etag: //p')
  export ETAG
  before=$(settled)
  answers=$(VIEWS=10000 wrk -t1 -c32 -d4s -s "$ROOT/.ci/views.lua" "http://127.0.0.1:$ours$post" | sed -n 's/^views //p')
  after=$(settled)
  echo "10 000 requests: answers $answers, views added $((after - before))"
  for n in 1 2 3; do
    before=$(settled)
    (sleep 1.5 && kill -TERM "$server") &
    answers=$(VIEWS=100000000 wrk -t1 -c32 -d3s -s "$ROOT/.ci/views.lua" "http://127.0.0.1:$ours$post" | sed -n 's/^views //p')
    wait "$server" || fail "the service did not end well: $(cat "$work/serve.log")"
    after=$(stored)
    echo "SIGTERM in the middle, $n: answers $answers, views added $((after - before))"
    serve
  done
}

# Two processes on one PostgreSQL database.
spread() {
  [ -n "$postgres" ] || fail "VESTNIK_TEST_POSTGRES_URL must name a PostgreSQL server."
  local other=$((ours + 1))
  kill "$server" && wait "$server"
  export VESTNIK_DATABASE_URL=$postgres
  echo "a long enough phrase" | "$bin" user add --email editor@example.org --name Anna --role editor >/dev/null
  serve
  VESTNIK_ADDR="127.0.0.1:$other" VESTNIK_DATA_DIR="$work/other" "$bin" serve 2>"$work/other.log" &
  started+=("$!")
  up "$other"
  python3 "$ROOT/.ci/spread.py" "$ours" "$other" editor@example.org "a long enough phrase" 20
}

# Pages of somebody who is logged in, while letters leave as fast as they can and while none do.
busy() {
  have smtp-sink || fail "smtp-sink was not found: install postfix (not set up)."
  local sink=$((ours + 2)) as=() cookie message idle sending before after paths=(/mailings /clients /messages /mailings/1)
  kill "$server" && wait "$server"
  if [ "$(id -u)" = 0 ]; then as=(-u nobody); fi
  smtp-sink "${as[@]}" "127.0.0.1:$sink" 1000 &
  started+=("$!")
  up "$sink"
  export VESTNIK_DATABASE_URL="sqlite:$work/busy.db" VESTNIK_SMTP_URL="smtp://127.0.0.1:$sink?tls=none&connections=20"
  # Mass mail needs it.
  export VESTNIK_PUBLIC_URL="https://localhost:$ours"
  local who=(--owner anna@example.org)
  echo "a long enough phrase" | "$bin" user add --email anna@example.org --name Anna >/dev/null
  { echo email,full_name && for n in $(seq 300000); do echo "u$n@example.org,Anna"; done; } >"$work/clients.csv"
  "$bin" client import "${who[@]}" "$work/clients.csv" >/dev/null 2>&1
  head -c 2000 /dev/zero | tr '\0' a >"$work/body"
  message=$("$bin" message add "${who[@]}" --subject Hello --body-file "$work/body" --json | tr -dc 0-9)
  "$bin" mailing add "${who[@]}" --message "$message" --clients all --start now --end 2099-01-01T00:00:00Z --period once \
    --zone UTC >/dev/null
  "$bin" mailing pause 1 >/dev/null
  serve
  cookie=$(log_in "http://127.0.0.1:$ours" anna@example.org 'a long enough phrase')
  python3 "$ROOT/.ci/paced.py" "$ours" "$cookie" 20 5 "${paths[@]}" >/dev/null
  idle=$(python3 "$ROOT/.ci/paced.py" "$ours" "$cookie" 20 20 "${paths[@]}")
  "$bin" mailing resume 1 >/dev/null
  sleep 5
  before=$(sent)
  sending=$(python3 "$ROOT/.ci/paced.py" "$ours" "$cookie" 20 20 "${paths[@]}")
  after=$(sent)
  awk -v i="$idle" -v s="$sending" -v r="$(((after - before) / 20))" 'BEGIN {
    split(i, a, " "); split(s, b, " ")
    printf "pages, 20 a second: idle median %.1f p99 %.1f ms; while %d letters a second leave median %.1f p99 %.1f ms: %.1f times\n",
      a[1], a[2], r, b[1], b[2], b[2] / a[2] }'
}

# Pages of somebody who is logged in, while another asks for previews that are made to be slow and while nobody does.
hostile() {
  local mine theirs idle meanwhile paths=(/mailings /clients /messages /blog)
  kill "$server" && wait "$server"
  export VESTNIK_DATABASE_URL="sqlite:$work/hostile.db"
  for who in anna eve; do echo "a long enough phrase" | "$bin" user add --email "$who@example.org" --name Anna >/dev/null; done
  serve
  mine=$(log_in "http://127.0.0.1:$ours" anna@example.org 'a long enough phrase')
  theirs=$(log_in "http://127.0.0.1:$ours" eve@example.org 'a long enough phrase')
  python3 "$ROOT/.ci/paced.py" "$ours" "$mine" 20 5 "${paths[@]}" >/dev/null
  idle=$(python3 "$ROOT/.ci/paced.py" "$ours" "$mine" 20 20 "${paths[@]}")
  python3 "$ROOT/.ci/hostile.py" "$ours" "$theirs" 22 >"$work/hostile" &
  sleep 1
  meanwhile=$(python3 "$ROOT/.ci/paced.py" "$ours" "$mine" 20 20 "${paths[@]}")
  wait $!
  awk -v i="$idle" -v m="$meanwhile" -v h="$(cat "$work/hostile")" 'BEGIN {
    split(i, a, " "); split(m, b, " "); split(h, c, " ")
    printf "pages, 20 a second: idle median %.1f p99 %.1f ms; beside hostile previews median %.1f p99 %.1f ms: %.1f times\n",
      a[1], a[2], b[1], b[2], b[2] / a[2]
    printf "previews on 4 connections: %d answered, %d of them refused, the slowest in %d ms\n", c[1], c[2], c[3] }'
}

# Letters of the first mailing that have left.
sent() {
  python3 -c "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT sum(sent) FROM runs').fetchone()[0])" \
    "$work/busy.db"
}

case $which in
  speed | views | spread | busy | hostile) "$which" ;;
  all) speed && views && spread && busy && hostile ;;
  *) fail "usage: .ci/bench-web.sh [speed|views|spread|busy|hostile|all]" ;;
esac
