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

/** The wasm-bindgen command of exactly the version in Cargo.lock. */
export function wasmBindgen() {
  return tool("wasm-bindgen", /name = "wasm-bindgen"\nversion = "([^"]+)"/, "Cargo.lock");
}

/** The wasm-split command of the version in Cargo.toml, which fits the runtime support that leptos brings. */
export function wasmSplit() {
  return tool("wasm-split-cli", /^wasm-split = "([^"]+)"/m, "Cargo.toml");
}

/** A command where .ci/setup.sh installs it. */
function tool(name, pattern, file) {
  const version = pattern.exec(readFileSync(join(ROOT, file), "utf8"))?.[1];
  if (!version) throw new Error(`${file} names no version of ${name}`);
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return { name, version, command: join(cache, "vestnik", `${name}-${version}`, "bin", name) };
}
