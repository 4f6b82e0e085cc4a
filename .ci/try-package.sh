#!/usr/bin/env bash
# Installs the .deb of `make package` in a fresh Debian in a folder (debootstrap, as root): it serves its pages, survives an
# upgrade with its data, and leaves them behind when it is removed. The program alone, in an empty folder, serves too.
set -euo pipefail
# shellcheck source=.ci/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

[ "$(id -u)" = 0 ] || fail "A Debian in a folder takes root."
have debootstrap || apt_install debootstrap || fail "debootstrap is missing and could not be installed."
deb=$(echo target/package/vestnik_*.deb)
[ -f "$deb" ] || fail "There is no package: run \`make package\`."

debian=$(mktemp -d "${TMPDIR:-/tmp}/vestnik-debian.XXXXXX")
chmod 0755 "$debian"
server=
finish() {
  local status=$?
  [ "$status" = 0 ] || cat "$debian/tmp/log" 2>/dev/null || true
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$debian"
  exit "$status"
}
trap finish EXIT
# The mirror that this machine uses; without one, debootstrap's own.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2>/dev/null |
  sed -n 's|^deb \(\[[^]]*\] \)\?\(http[^ ]*\) .*|\2|p; s|^URIs: *||p' | head -1) || true
say "a fresh Debian"
debootstrap --variant=minbase --include=adduser,ca-certificates bookworm "$debian" ${mirror:+"$mirror"} >"$debian.log" 2>&1 ||
  fail "debootstrap failed: $(tail -1 "$debian.log")"
rm -f "$debian.log"

inside() { chroot "$debian" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
port=$((20000 + RANDOM % 12000))

# Starts the service as its unit does, and looks at the home page and all that it names.
serves() {
  local what
  (cd "$debian$1" && exec chroot --userspec="$2" "$debian" /usr/bin/env -i sh -c "cd '$1' && exec '$3' serve --addr 127.0.0.1:$port --data-dir '$4'") \
    >"$debian/tmp/log" 2>&1 &
  server=$!
  up "$port"
  # The home page loads its script late; the log-in names the client, too.
  curl -fs "http://127.0.0.1:$port/" "http://127.0.0.1:$port/login" >"$debian/tmp/pages"
  for what in $(grep -oE '(href|src)="/pkg/[^"]+"' "$debian/tmp/pages" | cut -d'"' -f2 | sort -u); do
    curl -fs -o /dev/null "http://127.0.0.1:$port$what" || fail "$what is not served."
  done
  grep -q '\.wasm"' "$debian/tmp/pages" || fail "the page names no client."
  kill "$server"
  wait "$server" || fail "it did not stop with 0."
  server=
}

say "the program alone, in an empty folder"
mkdir "$debian/opt/alone"
cp target/release/vestnik "$debian/opt/alone/"
chmod 0777 "$debian/opt/alone"
serves /opt/alone 65534:65534 ./vestnik data

say "the package"
cp "$deb" "$debian/tmp/vestnik.deb"
inside dpkg -i /tmp/vestnik.deb
[ "$(inside stat -c '%U %a' /var/lib/vestnik)" = "vestnik 700" ] || fail "the data folder is not the service's own."
[ "$(inside stat -c '%U %a' /etc/vestnik.env)" = "root 600" ] || fail "the settings can be read by others."
ids=$(inside id -u vestnik):$(inside id -g vestnik)
serves / "$ids" /usr/bin/vestnik /var/lib/vestnik
echo "VESTNIK_FROM=kept@example.org" >>"$debian/etc/vestnik.env"
inside dpkg -i /tmp/vestnik.deb
grep -q kept@example.org "$debian/etc/vestnik.env" || fail "an upgrade took the settings."
serves / "$ids" /usr/bin/vestnik /var/lib/vestnik
inside dpkg --remove vestnik
[ ! -e "$debian/usr/bin/vestnik" ] || fail "removal left the program."
[ -f "$debian/etc/vestnik.env" ] || fail "removal took the settings."
inside dpkg --purge vestnik
[ ! -e "$debian/etc/vestnik.env" ] || fail "purge left the settings."
[ -f "$debian/var/lib/vestnik/vestnik.db" ] || fail "purge took the data."
say "installed, upgraded, removed: all as it should be"
