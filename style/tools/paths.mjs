// Where everything lies. The development build has folders of its own, so that it never mixes with
// a release that may be running from target/site.
import { createHash } from "node:crypto";
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

/** The tool in style/wasm, where .ci/setup.sh installs it: a folder for each version of its source. */
export function wasmTool() {
  const source = join(STYLE, "wasm");
  const sum = createHash("sha256");
  for (const file of ["Cargo.toml", "Cargo.lock", "src/main.rs"]) sum.update(readFileSync(join(source, file)));
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const version = sum.digest("hex").slice(0, 16);
  const folder = join(cache, "vestnik", `wasm-${version}`);
  return { version, folder, command: join(folder, "bin", "vestnik-wasm") };
}
