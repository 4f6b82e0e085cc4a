// What has just been done is said once: not again on reload, nor by Back.
import { execFileSync } from "node:child_process";
import type { Page } from "@playwright/test";
import { BINARY } from "./support/command.ts";
import { logIn } from "./support/demo.ts";
import { goSettled } from "./support/settled.ts";
import { expect, test } from "./support/test.ts";

const OWNER = { email: "owner@example.org", password: "a long enough phrase" };

/** Fills a new thing's form in and saves it. */
const SAVES: [string, (page: Page) => Promise<void>][] = [
  ["/clients", (page) => page.getByLabel("Email").fill("c@example.org")],
  ["/topics", (page) => page.getByLabel("Name").fill("News")],
  [
    "/messages",
    async (page) => {
      await page.locator('[name="form[subject]"]').fill("Hello");
      await page.locator('[name="form[body]"]').fill("Hello");
    },
  ],
];

test("a success is said once", async ({ page, server }) => {
  const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
  execFileSync(BINARY, ["user", "add", "--email", OWNER.email, "--name", "Anna"], { env, input: OWNER.password });
  await logIn(page, "en", OWNER);
  const note = page.locator('.toast[role="status"] .alert');
  for (const [list, fill] of SAVES) {
    await goSettled(page, `${list}/new`);
    await fill(page);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await expect(note, list).toBeVisible();
    await expect(page, list).not.toHaveURL(/done=/);
    const at = page.url();
    await goSettled(page, at);
    await expect(note, list).toHaveCount(0);
    await goSettled(page, "/reports");
    await page.goBack();
    await expect(page).toHaveURL(at);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(note, list).toHaveCount(0);
  }
});
