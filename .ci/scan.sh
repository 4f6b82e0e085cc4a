#!/usr/bin/env bash
# Has wapiti and sqlmap (both from Debian) look for holes in the running release, logged in as an administrator of a
# demonstration. What they report is printed; docs/security.md explains what is known of it.
#   .ci/scan.sh [wapiti|sqlmap|all]
# VESTNIK_BIN names the program, otherwise target/release/vestnik.
set -euo pipefail
# shellcheck source=.ci/lib.sh
. "$(dirname "$0")/lib.sh"

which=${1:-all}
bin=${VESTNIK_BIN:-$ROOT/target/release/vestnik}
for tool in wapiti sqlmap curl python3; do have $tool || fail "$tool was not found: install it (apt-get install $tool)."; done
# wapiti asks for brotli, and without this it reads no page and says nothing.
/usr/bin/python3 -c 'import brotli' 2>/dev/null || fail "Python's brotli was not found: apt-get install python3-brotli."
[ -x "$bin" ] || fail "$bin is not there: run \`make build\`."

work=$(mktemp -d "${TMPDIR:-/tmp}/vestnik-scan.XXXXXX")
port=$((20000 + RANDOM % 12000))
url=http://127.0.0.1:$port
without_settings
export VESTNIK_DATA_DIR="$work/data" VESTNIK_ADDR="127.0.0.1:$port" VESTNIK_LOG=warn
export HOME="$work"

"$bin" demo >/dev/null
"$bin" user add --email admin@example.org --name Admin --role admin >/dev/null <<<'a long enough phrase'
"$bin" serve 2>"$work/serve.log" &
server=$!
trap 'kill $server 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
up "$port"

session() { log_in "$url" admin@example.org 'a long enough phrase'; }

# What was looked at without a session says nothing.
still_in() { curl -fs -o /dev/null -b "$1" "$url/users" || fail "$2 lost its session on the way."; }

wapiti_scan() {
  local cookie
  cookie=$(session)
  python3 - "$cookie" >"$work/cookies.json" <<'PY'
import json, sys
cookies = dict(cookie.split("=", 1) for cookie in sys.argv[1].split(";"))
rest = {"expires": None, "secure": False, "port": None, "version": 0}
print(json.dumps({"127.0.0.1": {"/": {name: {"value": value, **rest} for name, value in cookies.items()}}}))
PY
  # Debian's wapiti 3.0.4 writes patterns of addresses as its Python no longer takes them.
  cat >"$work/sitecustomize.py" <<'PY'
import re
plain = re.compile
def compile(pattern, flags=0):
    if isinstance(pattern, str) and pattern.endswith("(?ms)"):
        pattern = "(?ms)" + pattern.removesuffix("(?ms)")
    return plain(pattern, flags)
re.compile = compile
PY
  # Without what ends the session.
  PYTHONPATH=$work wapiti -u "$url/" -s "$url/mailings" -s "$url/users" -s "$url/settings" -c "$work/cookies.json" -H "Origin: $url" --scope folder -d 3 \
    --max-links-per-page 60 --max-files-per-dir 30 --max-parameters 30 --max-scan-time 150 --max-attack-time 60 \
    -x "$url/logout*" -x "$url/api/sessions/end*" \
    -m blindsql,cookieflags,crlf,csp,exec,file,http_headers,methods,permanentxss,redirect,shellshock,sql,ssrf,xss,xxe \
    --flush-session --no-bugreport --store-session "$work" -v 1 -f json -o "$work/wapiti.json" >"$work/wapiti.log" 2>&1 ||
    fail "wapiti: $(tail -20 "$work/wapiti.log")"
  python3 - "$work/wapiti.json" "$work/wapiti.log" <<'PY'
import json, sys
report = json.load(open(sys.argv[1]))
for part in ("vulnerabilities", "anomalies"):
    for kind, found in report[part].items():
        for one in found:
            print(f"wapiti: {part}: {kind}: {one['method']} {one['path']} {one.get('parameter') or ''}: {one['info']}")
print("wapiti: requests:", sum(line.startswith("[+] ") for line in open(sys.argv[2])))
PY
  still_in "$cookie" wapiti
}

# Asks sqlmap about an address, or about a form as well.
ask_sqlmap() {
  local said cookie
  cookie=$(session)
  said=$(sqlmap -u "$url$1" ${2:+--data "$2"} --cookie "$cookie" --headers "Origin: $url" --batch --level 2 --risk 2 --threads 2 \
    --dbms SQLite --ignore-code 401 --technique BEUST --time-sec 2 --output-dir "$work/sqlmap" --flush-session --disable-coloring 2>&1) || true
  if grep -qE 'is vulnerable|appears to be .*injectable|sqlmap identified' <<<"$said"; then
    echo "sqlmap: $1 ${2:-}"
    grep -E 'vulnerable|injectable|Payload:|Type:' <<<"$said"
  elif grep -q 'do not appear to be injectable' <<<"$said"; then
    echo "sqlmap: nothing in $1 ${2:-}"
  else
    fail "sqlmap: $1 ${2:-}: $(grep -E 'CRITICAL|ERROR' <<<"$said" | head -1)"
  fi
  still_in "$cookie" "sqlmap at $1"
}

sqlmap_scan() {
  ask_sqlmap '/clients?q=a&sort=-name&after=1'
  ask_sqlmap '/clients/export?search=a'
  ask_sqlmap '/mailings?q=a&status=running&sort=-title&after=1'
  ask_sqlmap '/mailings/1?run=1&state=sent&q=a&after=1'
  ask_sqlmap '/messages?q=a&sort=-subject&after=1'
  ask_sqlmap '/outbox?q=a&after=1'
  ask_sqlmap '/reports?from=2026-01-01&to=2026-12-31'
  ask_sqlmap '/posts?q=a&state=published&after=1'
  ask_sqlmap '/blog?q=a&tag=deliveries&lang=en&after=1'
  ask_sqlmap '/users?q=a&role=user&state=active&after=1'
  ask_sqlmap '/audit?q=a&act=login&after=1'
  ask_sqlmap '/all-mailings?q=a&owner=1&status=running&period=once&after=1'
  ask_sqlmap '/api/clients/list' 'search=a&sort=name&after='
  ask_sqlmap '/api/clients/save' 'form[id]=0&form[email]=a@example.org&form[full_name]=b&form[comment]=c'
  # The last ones: whoever guesses so many passwords may not log in any more.
  ask_sqlmap '/api/forgot' 'form[email]=a@example.org'
  ask_sqlmap '/api/login' 'form[email]=a@example.org&form[password]=b&form[next]=/'
}

if [ "$which" != sqlmap ]; then wapiti_scan; fi
if [ "$which" != wapiti ]; then sqlmap_scan; fi
if grep -i panic "$work/serve.log"; then fail "the service panicked."; fi
