#!/usr/bin/env bash
# Packs the release that `make build` made: a .deb, a tar and their checksums, in target/package.
set -euo pipefail
# shellcheck source=.ci/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

version=3.8.0
tool=${XDG_CACHE_HOME:-$HOME/.cache}/vestnik/cargo-deb-$version
if [ ! -x "$tool/bin/cargo-deb" ]; then
  say "compiling cargo-deb (once; about two minutes)"
  cargo install cargo-deb --version "$version" --locked --no-default-features --root "$tool" --target-dir target/tools </dev/null ||
    fail "cargo-deb could not be compiled: see cargo's message above."
  rm -rf target/tools
fi

out=target/package
rm -rf "$out"
mkdir -p "$out"
"$tool/bin/cargo-deb" deb --no-build --no-strip --output "$out/" >/dev/null

name=vestnik-$("target/release/vestnik" --version | cut -d' ' -f2)-$(uname -m)-linux
mkdir "$out/$name"
cp target/release/vestnik .package/debian/vestnik.service .package/vestnik.env README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT \
  docs/operations.md "$out/$name"
tar -C "$out" --owner=0 --group=0 --sort=name -czf "$out/$name.tar.gz" "$name"
rm -r "${out:?}/$name"
(cd "$out" && sha256sum -- * >SHA256SUMS && cat SHA256SUMS)
