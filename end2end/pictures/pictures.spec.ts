import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Page } from "@playwright/test";
import { BINARY } from "../tests/support/command.ts";
import { type Lang, logIn } from "../tests/support/demo.ts";
import { calm, trouble } from "../tests/support/demo-test.ts";
import type { Problems } from "../tests/support/problems.ts";
import { test } from "../tests/support/test.ts";
import { NARROW, type Theme, WIDE, dress, forget, open } from "../tests/support/visit.ts";
import { ADMIN, EMPTY, PUBLIC, type Visit, administration, behindLogIn, blog, editors, mailings } from "../tests/support/visits.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const FOLDER = join(ROOT, "target/screenshots");
/** What the documentation shows, and the picture that it is a copy of. */
const SHOWN = { "mailing-light.png": "trouble-mailing-once-en-light-wide.png" };

const LANGS: Lang[] = ["en", "ru"];
const THEMES: Theme[] = ["light", "dark"];

async function take(page: Page, problems: Problems, visits: Visit[], prefix: string, lang: Lang): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  for (const visit of visits) {
    await page.setViewportSize(WIDE);
    await open(page, visit, problems);
    for (const theme of THEMES) {
      for (const [width, size] of Object.entries({ wide: WIDE, narrow: NARROW })) {
        await dress(page, theme, size);
        const path = join(FOLDER, `${prefix}${visit.name}-${lang}-${theme}-${width}.png`);
        await page.screenshot({ path, animations: "disabled" });
      }
    }
  }
}

for (const lang of LANGS) {
  test(`public, ${lang}`, async ({ page, problems }) => {
    await page.goto(`/language?to=${lang}&next=/`);
    await take(page, problems, PUBLIC, "", lang);
  });

  test(`empty, ${lang}`, async ({ page, problems, server }) => {
    const user = { email: `${lang}@example.org`, password: "a long enough phrase" };
    const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
    execFileSync(BINARY, ["user", "add", "--email", user.email, "--name", "Анна Ким"], { env, input: user.password });
    await logIn(page, lang, user);
    await take(page, problems, EMPTY, "", lang);
  });

  test.describe("administrator", () => {
    test.use({ serverEnv: { VESTNIK_LOG: `vestnik_${lang}=info` } });

    test(`administrator, ${lang}`, async ({ page, problems, server }) => {
      const user = { email: "admin@example.org", password: "a long enough phrase" };
      const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
      const words = ["user", "add", "--email", user.email, "--name", "Анна Ким", "--role", "admin"];
      execFileSync(BINARY, words, { env, input: user.password });
      await logIn(page, lang, user);
      await take(page, problems, ADMIN, "", lang);
    });
  });

  calm(`blog, ${lang}`, async ({ page, demo, problems }) => {
    await page.goto(`/language?to=${lang}&next=/blog`);
    await take(page, problems, await blog(page), "", lang);
    await demo.logIn(page, lang);
    await take(page, problems, await editors(page), "", lang);
    demo.addRelay();
    await forget(page);
    await logIn(page, lang, demo.admin);
    await take(page, problems, await administration(page), "", lang);
    demo.removeRelay();
  });

  calm(`behind the log-in, ${lang}`, async ({ page, demo, problems }) => {
    await demo.logIn(page, lang);
    await take(page, problems, await behindLogIn(page), "", lang);
  });

  trouble(`trouble, ${lang}`, async ({ page, demo, problems }) => {
    await demo.logIn(page, lang);
    await take(page, problems, await mailings(page), "trouble-", lang);
    for (const [shown, from] of Object.entries(SHOWN)) {
      if (existsSync(join(FOLDER, from))) copyFileSync(join(FOLDER, from), join(ROOT, "docs/screenshots", shown));
    }
  });
}
