// Builds what browsers get: `node style/build.mjs` for a release in target/site, with `--dev` for
// a quick build in target/site-dev (`--no-wasm` keeps the last compiled code). Steps whose inputs have not changed cost next to nothing.
//
// assets.json tells the server the hashed names: start (the script that a page loads), js, wasm and
// texts (worth a preload), css, fonts.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { buildCss } from "./tools/css.mjs";
import { Site, walk } from "./tools/files.mjs";
import { ROOT, folders } from "./tools/paths.mjs";
import { buildTexts } from "./tools/texts.mjs";
import { buildWasm } from "./tools/wasm.mjs";

// Only `make dev` has an address that this script may listen to.
const DEV_ONLY = "dev-reload.js";

function build(release, compile) {
  const { site: folder, work } = folders(release);
  mkdirSync(folder, { recursive: true });
  mkdirSync(work, { recursive: true });
  const site = new Site(folder, release);

  const publicFolder = join(ROOT, "public");
  for (const file of walk(publicFolder)) {
    const name = relative(publicFolder, file);
    if (!release || name !== DEV_ONLY) site.plain(name, readFileSync(file));
  }
  const assets = { ...buildWasm(site, work, release, compile, buildTexts(site)), ...buildCss(site, work, release) };

  // The manifest comes last and whole, so that a server that starts meanwhile never reads half of it;
  // what the old one named goes after that.
  // One that says the same stays as it is: the program is built anew when its files are newer.
  const [manifest, said] = [join(folder, "assets.json"), `${JSON.stringify(assets, null, 2)}\n`];
  if (!existsSync(manifest) || readFileSync(manifest, "utf8") !== said) {
    writeFileSync(join(work, "assets.json"), said);
    renameSync(join(work, "assets.json"), manifest);
  }
  site.keep("assets.json");
  site.prune();
}

try {
  build(!process.argv.includes("--dev"), !process.argv.includes("--no-wasm"));
} catch (error) {
  console.error(`The site was not built: ${error.message}`);
  process.exit(1);
}
