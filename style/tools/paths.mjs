// Where everything lies. The development build has folders of its own, so that it never mixes with
// a release that may be running from target/site.
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const STYLE = join(dirname(fileURLToPath(import.meta.url)), "..");
export const ROOT = join(STYLE, "..");
export const TARGET = join(ROOT, "target");
export const MODULES = join(STYLE, "node_modules");

/** The folders of one build: `site` is served, `work` holds what lies between the steps. */
export function folders(release) {
  const name = release ? "site" : "site-dev";
  return { site: join(TARGET, name), pkg: join(TARGET, name, "pkg"), work: join(TARGET, `${name}-work`) };
}

/** The wasm-bindgen command of exactly the version in Cargo.lock; .ci/setup.sh installs it there. */
export function wasmBindgen() {
  const lock = readFileSync(join(ROOT, "Cargo.lock"), "utf8");
  const version = /name = "wasm-bindgen"\nversion = "([^"]+)"/.exec(lock)?.[1];
  if (!version) throw new Error("Cargo.lock names no wasm-bindgen");
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return { version, command: join(cache, "vestnik", `wasm-bindgen-${version}`, "bin", "wasm-bindgen") };
}
