// The browser's half of the program: cargo, the tool in style/wasm (wasm-split and wasm-bindgen), wasm-opt.
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { hash, hashFiles, once, walk } from "./files.mjs";
import { MODULES, TARGET, wasmTool } from "./paths.mjs";
import { run } from "./run.mjs";

// What rustc emits by default; wasm-opt refuses code that uses a feature it was not told of.
const FEATURES = [
  "bulk-memory", "bulk-memory-opt", "call-indirect-overlong", "multivalue", "mutable-globals", "nontrapping-float-to-int",
  "reference-types", "sign-ext",
];
const GLUE = "vestnik.js";
const MODULE = "vestnik_bg.wasm";
/** What wasm-split names the script that fetches the areas (src/ui/areas.rs). */
const LINK = "__wasm_split.js";

/** Compiles, and puts glue, modules and start script into the site; returns their paths. `texts` are those of the
 * languages. Without `compile` it takes what was compiled last. */
export function buildWasm(site, work, release, compile, texts) {
  const out = join(work, "bindgen");
  if (compile || !existsSync(join(out, MODULE))) compileWasm(work, release, out);
  return publish(site, out, texts);
}

function compileWasm(work, release, out) {
  const profile = release ? "wasm-release" : "dev";
  run("cargo", [
    "rustc", "--lib", "--crate-type", "cdylib", "--features", "hydrate", "--target", "wasm32-unknown-unknown",
    // wasm-split follows the relocations to see what each area needs.
    "--profile", profile, "--", "-C", "link-arg=--emit-relocs",
  ]);
  const input = join(TARGET, "wasm32-unknown-unknown", release ? profile : "debug", "vestnik.wasm");
  const { version, command } = wasmTool();
  if (!existsSync(command)) throw new Error("the tool in style/wasm is not compiled: run `make setup`");
  const inputs = hash(readFileSync(input), version, FEATURES.join());
  once(work, "wasm", inputs, [join(out, GLUE), join(out, MODULE), join(out, LINK)], () => {
    rmSync(out, { recursive: true, force: true });
    mkdirSync(out, { recursive: true });
    run(command, [input, out]);
    if (release) for (const name of readdirSync(out)) if (name.endsWith(".wasm")) optimise(join(out, name));
  });
}

function optimise(module) {
  const smaller = `${module}.opt`;
  const wasmOpt = join(MODULES, ".bin", "wasm-opt");
  run(wasmOpt, [module, "-Oz", ...FEATURES.map((name) => `--enable-${name}`), "-o", smaller]);
  renameSync(smaller, module);
}

/** Glue and modules name each other, so a folder carries their hash. */
function publish(site, out, texts) {
  const files = walk(out);
  const folder = join("pkg", hashFiles(files));
  for (const file of files) site.plain(join(folder, relative(out, file)), readFileSync(file));
  const [js, wasm] = [`/${folder}/${GLUE}`, `/${folder}/${MODULE}`];
  // A file, not an inline script: the Content-Security-Policy lets no inline script run.
  const start = site.hashed("pkg", "start", ".js", startScript(js, wasm, texts));
  return { start, js, wasm, texts };
}

/** A page that is there to be read (`data-calm`, src/ui/app.rs) is left in peace while it loads and is looked at: its
 * script comes with the visitor's first act, or when so many milliseconds have passed. */
const CALM = 10_000;

function startScript(js, wasm, texts) {
  // The router answers clicks before the page is taken over (`data-hydrated`, src/lib.rs): another page would meet this one's
  // markup, which ends its script. Until then a link is the browser's.
  return `addEventListener("click",(event)=>{if(!("hydrated"in document.documentElement.dataset)&&event.target.closest?.("a[href]"))
event.stopImmediatePropagation()},true);
if("calm"in document.documentElement.dataset)await new Promise((wake)=>{
for(const act of["pointermove","pointerdown","keydown"])addEventListener(act,wake,{once:true,passive:true});
setTimeout(wake,${CALM})});
const texts=fetch(${JSON.stringify(texts)}[document.documentElement.lang]).then((r)=>r.text());
const{default:init,hydrate}=await import("${js}");
await init({module_or_path:"${wasm}"});hydrate(await texts);
`;
}
