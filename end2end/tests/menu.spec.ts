// The head of every page: the reader's menu by keyboard and pointer, and a way in for visitors on a phone.
import { execFileSync } from "node:child_process";
import { BINARY } from "./support/command.ts";
import { logIn } from "./support/demo.ts";
import { shortcut } from "./support/settled.ts";
import { expect, test } from "./support/test.ts";
import { NARROW, overflowing } from "./support/visit.ts";

const OWNER = { email: "owner@example.org", password: "a long enough phrase" };

test("the menu closes on Escape and elsewhere, and visitors of a phone can log in", async ({ page, server }) => {
  const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
  execFileSync(BINARY, ["user", "add", "--email", OWNER.email, "--name", "Anna"], { env, input: OWNER.password });
  await page.setViewportSize(NARROW);
  for (const lang of ["ru", "en"]) {
    await page.goto(`/language?to=${lang}&next=/`);
    await expect(page.locator('header a[href="/login"]')).toBeVisible();
    expect(await overflowing(page)).toEqual([]);
  }

  await logIn(page, "en", OWNER);
  // Every place is in one menu, which says where one is and closes behind a choice.
  const places = page.locator("header details:not(.dropdown)");
  await expect(places.locator("summary")).toHaveText("Menu: Overview");
  await places.locator("summary").click();
  await expect(places.getByRole("link")).toHaveText(["Overview", "Mailings", "Calendar", "Messages", "Clients", "Suppressions", "Reports", "Caught mail", "Blog"]);
  expect(await overflowing(page)).toEqual([]);
  await places.getByRole("link", { name: "Clients" }).click();
  await expect(page).toHaveURL(/\/clients$/);
  await expect(places).not.toHaveAttribute("open");
  await expect(places.locator("summary")).toHaveText("Menu: Clients");
  await page.goto("/account");
  await page.waitForSelector("html[data-hydrated]", { state: "attached" });
  const menu = page.locator("details.dropdown");
  const opener = menu.locator("summary");
  await opener.click();
  await expect(menu).toHaveAttribute("open");
  await shortcut(page, "Escape");
  await expect(menu).not.toHaveAttribute("open");
  await expect(opener).toBeFocused();
  await opener.click();
  await page.locator("footer p").click();
  await expect(menu).not.toHaveAttribute("open");
});
