// The stylesheet and the typeface.
import { readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { hash, hashFiles, once, walk } from "./files.mjs";
import { MODULES, ROOT, STYLE } from "./paths.mjs";
import { run } from "./run.mjs";

const ONEST = join(MODULES, "@fontsource-variable", "onest");
const FONT_URL = /\/pkg\/fonts\/([a-z-]+)\.woff2/g;

/** Compiles main.css for the classes that src/ uses; returns the paths of stylesheet and fonts. */
export function buildCss(site, work, release) {
  const output = join(work, "vestnik.css");
  const sheets = readdirSync(STYLE).filter((name) => name.endsWith(".css")).map((name) => join(STYLE, name));
  const sources = walk(join(ROOT, "src")).filter((file) => file.endsWith(".rs"));
  const inputs = hash(hashFiles([...sheets, ...sources, join(STYLE, "package-lock.json")]), String(release));
  once(work, "css", inputs, [output], () => {
    const minify = release ? ["--minify"] : [];
    run(join(MODULES, ".bin", "tailwindcss"), ["--cwd", STYLE, "-i", join(STYLE, "main.css"), "-o", output, ...minify]);
  });

  const fonts = new Map();
  const css = readFileSync(output, "utf8").replace(FONT_URL, (url, stem) => {
    if (!fonts.has(url)) fonts.set(url, site.hashed("pkg/fonts", stem, ".woff2", readFileSync(font(url))));
    return fonts.get(url);
  });
  site.plain("pkg/fonts/LICENSE-Onest.txt", readFileSync(join(ONEST, "LICENSE")));
  return { css: site.hashed("pkg", "vestnik", ".css", css), fonts: [...fonts.values()] };
}

function font(url) {
  return join(ONEST, "files", basename(url));
}
