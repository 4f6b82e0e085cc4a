// axe finds nothing on any page, in either language and theme, wide and narrow; and nothing is cut off.
// Visitors' pages are looked at in all eight ways.
import { execFileSync } from "node:child_process";
import type { Page } from "@playwright/test";
import { findings } from "./support/axe.ts";
import { BINARY } from "./support/command.ts";
import { type Lang, logIn } from "./support/demo.ts";
import { calm, trouble } from "./support/demo-test.ts";
import { expect, test } from "./support/test.ts";
import { NARROW, type Theme, WIDE, dress, forget, open, overflowing } from "./support/visit.ts";
import { ADMIN, EMPTY, PUBLIC, type Visit, administration, behindLogIn, blog, editors, mailings } from "./support/visits.ts";
import type { Problems } from "./support/problems.ts";

// Many pages in one test, on a machine that may be busy.
test.describe.configure({ timeout: 600_000 });
// Tracing each of axe's steps takes longer than they do.
for (const kind of [test, calm, trouble]) kind.use({ trace: "off" });

const LANGS: Lang[] = ["en", "ru"];

type Dress = readonly [Theme, typeof WIDE];
/** Each language takes two of the four, so that every theme and every width is looked at on every page. */
const HALF: Record<Lang, Dress[]> = { en: [["light", WIDE], ["dark", NARROW]], ru: [["dark", WIDE], ["light", NARROW]] };

/** Looks at every page in each dress; names all that is wrong at the end, not only the first. */
async function look(page: Page, visits: Visit[], lang: Lang, problems: Problems, dresses = HALF[lang]): Promise<void> {
  const found: string[] = [];
  for (const visit of visits) {
    await page.setViewportSize(WIDE);
    await open(page, visit, problems);
    await expect(page.locator("html")).toHaveAttribute("lang", lang);
    for (const [theme, size] of dresses) {
      await dress(page, theme, size);
      const wrong = [...(await findings(page)), ...(await overflowing(page))];
      found.push(...wrong.map((what) => `${visit.name}, ${theme}, ${size.width}: ${what}`));
    }
  }
  expect(found.join("\n")).toBe("");
}

for (const lang of LANGS) {
  test(`public pages, ${lang}`, async ({ page, problems, server }) => {
    await page.goto(`/language?to=${lang}&next=/`);
    const [, setup] = await server.consoleLine(/(\/setup\?token=\S+)/);
    await look(page, [...PUBLIC, { name: "setup", path: setup! }], lang, problems, [...HALF.en, ...HALF.ru]);
  });
}

test.describe("a new user's", () => {
  const user = { email: "new@example.org", password: "a long enough phrase" };
  // A server of its own: with a user, the one above would have no page to set up the first.
  test.use({ serverEnv: { VESTNIK_LOG: "warn" } });

  test("empty pages", async ({ page, problems, server }) => {
    const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
    execFileSync(BINARY, ["user", "add", "--email", user.email, "--name", "Анна"], { env, input: user.password });
    for (const lang of LANGS) {
      await forget(page);
      await logIn(page, lang, user);
      await look(page, EMPTY, lang, problems);
    }
  });
});

test.describe("an administrator's", () => {
  const admin = { email: "admin@example.org", password: "a long enough phrase" };
  test.use({ serverEnv: { VESTNIK_LOG: "error" } });

  test("pages", async ({ page, problems, server }) => {
    const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
    const words = ["user", "add", "--email", admin.email, "--name", "Анна", "--role", "admin"];
    execFileSync(BINARY, words, { env, input: admin.password });
    for (const lang of LANGS) {
      await forget(page);
      await logIn(page, lang, admin);
      await look(page, ADMIN, lang, problems);
    }
  });
});

for (const lang of LANGS) {
  calm(`home and blog for visitors, ${lang}`, async ({ page, problems }) => {
    await page.goto(`/language?to=${lang}&next=/blog`);
    await look(page, await blog(page), lang, problems, [...HALF.en, ...HALF.ru]);
  });

  calm(`writing the blog, ${lang}`, async ({ page, demo, problems }) => {
    await demo.logIn(page, lang);
    await look(page, await editors(page), lang, problems);
  });

  calm(`users, all mailings, audit and mail servers, ${lang}`, async ({ page, demo, problems }) => {
    demo.addRelay();
    await logIn(page, lang, demo.admin);
    await look(page, await administration(page), lang, problems);
    demo.removeRelay();
  });

  calm(`every page behind the log-in, ${lang}`, async ({ page, demo, problems }) => {
    await demo.logIn(page, lang);
    await look(page, await behindLogIn(page), lang, problems);
  });

  trouble(`mailings and reports after a mail server's trouble, ${lang}`, async ({ page, demo, problems }) => {
    await demo.logIn(page, lang);
    await look(page, await mailings(page), lang, problems);
  });
}
