// Whether email arrives: an administrator has it examined, with and without scripts, and copies what to paste. What the DNS
// says differs from machine to machine; that this address is none for readers does not.
import { execFileSync } from "node:child_process";
import type { Page } from "@playwright/test";
import { expectAccessible } from "./support/axe.ts";
import { BINARY } from "./support/command.ts";
import { logIn } from "./support/demo.ts";
import type { Server } from "./support/server.ts";
import { expect, test } from "./support/test.ts";

const admin = { email: "admin@example.org", password: "a long enough phrase" };
/** An examination ends within 90 seconds. */
const EXAMINED = { timeout: 100_000 };

test.describe.configure({ timeout: 240_000 });

async function enter(page: Page, server: Server): Promise<void> {
  const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
  const words = ["user", "add", "--email", admin.email, "--name", "Анна", "--role", "admin"];
  execFileSync(BINARY, words, { env, input: admin.password });
  await logIn(page, "en", admin);
}

const problem = (page: Page) => page.locator('li[data-level="bad"]', { hasText: "only reachable from this machine" });

test("it is examined in the background, the worst stands first", async ({ page, server }) => {
  await enter(page, server);
  await page.getByRole("link", { name: "Deliverability" }).first().click();
  await page.getByRole("button", { name: "Check now" }).click();
  await expect(problem(page)).toBeVisible(EXAMINED);
  const levels = await page.locator("li[data-level]").evaluateAll((items) => items.map((item) => item.getAttribute("data-level")!));
  const order = ["bad", "warning", "note", "good"];
  expect(levels).toEqual([...levels].sort((a, b) => order.indexOf(a) - order.indexOf(b)));
  await expectAccessible(page);
  await page.reload();
  await expect(problem(page)).toBeVisible();
  // Where there is no network the DNS fails at once, and nobody sees that it is under way: when it ended tells.
  const ended = page.getByRole("main").locator("time");
  const first = (await ended.getAttribute("datetime"))!;
  await page.getByRole("button", { name: "Check again" }).click();
  await expect(ended).not.toHaveAttribute("datetime", first, EXAMINED);
  await expect(page.getByRole("button", { name: "Check again" })).toBeVisible();
});

test.describe("without scripts", () => {
  test.use({ javaScriptEnabled: false, serverEnv: { VESTNIK_LOG: "error" } });

  test("the page is shown anew by a link", async ({ page, server, problems }) => {
    problems.expectUnfetched(/\.js$/);
    await enter(page, server);
    await page.goto("/doctor");
    await page.getByRole("button", { name: "Check now" }).click();
    await expect(async () => {
      const link = page.getByRole("link", { name: "Show the result" });
      if (await link.isVisible()) await link.click();
      await expect(problem(page)).toBeVisible({ timeout: 1000 });
    }).toPass(EXAMINED);
  });
});
