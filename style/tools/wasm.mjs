// The browser's half of the program: cargo, wasm-bindgen, wasm-opt.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hash, once, walk } from "./files.mjs";
import { MODULES, TARGET, wasmBindgen } from "./paths.mjs";
import { run } from "./run.mjs";

// What rustc emits by default; wasm-opt refuses code that uses a feature it was not told of.
const FEATURES = [
  "bulk-memory", "bulk-memory-opt", "call-indirect-overlong", "multivalue", "mutable-globals", "nontrapping-float-to-int",
  "reference-types", "sign-ext",
];

/** Compiles, and puts glue, module and start script into the site; returns their paths. Without `compile` it takes
 * what was compiled last. */
export function buildWasm(site, work, release, compile) {
  const out = join(work, "bindgen");
  const glue = join(out, "vestnik.js");
  const module = join(out, "vestnik_bg.wasm");
  if (compile || !existsSync(module)) compileWasm(work, release, out, [glue, module]);
  return publish(site, out, glue, module);
}

function compileWasm(work, release, out, outputs) {
  const profile = release ? "wasm-release" : "dev";
  run("cargo", [
    "rustc", "--lib", "--crate-type", "cdylib", "--features", "hydrate", "--target", "wasm32-unknown-unknown",
    "--profile", profile,
  ]);
  const input = join(TARGET, "wasm32-unknown-unknown", release ? profile : "debug", "vestnik.wasm");
  const bindgen = wasmBindgen();
  if (!existsSync(bindgen.command)) throw new Error(`wasm-bindgen ${bindgen.version} is missing: run \`make setup\``);
  const inputs = hash(readFileSync(input), bindgen.version, FEATURES.join());
  once(work, "wasm", inputs, outputs, () => {
    rmSync(out, { recursive: true, force: true });
    mkdirSync(out, { recursive: true });
    run(bindgen.command, [input, "--target", "web", "--no-typescript", "--out-dir", out, "--out-name", "vestnik"]);
    if (release) optimise(join(out, "vestnik_bg.wasm"));
  });
}

function optimise(module) {
  const smaller = `${module}.opt`;
  const wasmOpt = join(MODULES, ".bin", "wasm-opt");
  run(wasmOpt, [module, "-Oz", ...FEATURES.map((name) => `--enable-${name}`), "-o", smaller]);
  renameSync(smaller, module);
}

function publish(site, out, glue, module) {
  // Scripts that crates bring along; their folder names carry a hash already.
  for (const file of walk(join(out, "snippets"))) site.plain(join("pkg", file.slice(out.length + 1)), readFileSync(file));
  const js = site.hashed("pkg", "vestnik", ".js", readFileSync(glue));
  const wasm = site.hashed("pkg", "vestnik_bg", ".wasm", readFileSync(module));
  // A file, not an inline script: the Content-Security-Policy lets no inline script run.
  const start = site.hashed(
    "pkg", "start", ".js",
    `import init,{hydrate}from"${js}";await init({module_or_path:"${wasm}"});hydrate();\n`,
  );
  return { start, js, wasm };
}
