// The texts that browsers get: one file for each language.
import { readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { walk } from "./files.mjs";
import { ROOT } from "./paths.mjs";

const LOCALES = join(ROOT, "src", "locales");
/** What the server alone says. */
const SERVER_ONLY = "letters.json";

/** Puts the texts of each language into the site; returns their paths by language. */
export function buildTexts(site) {
  const languages = readdirSync(LOCALES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return Object.fromEntries(languages.map(({ name }) => [name, site.hashed("pkg", name, ".json", texts(name))]));
}

function texts(language) {
  const files = walk(join(LOCALES, language)).filter((file) => basename(file) !== SERVER_ONLY);
  return JSON.stringify(Object.assign({}, ...files.map((file) => JSON.parse(readFileSync(file, "utf8")))));
}
