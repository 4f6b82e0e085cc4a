// Files of addresses: looked at before anything is added, confirmed with the count, and taken back; and a faulty line is mended.
import { execFileSync } from "node:child_process";
import type { Page } from "@playwright/test";
import { expectAccessible } from "./support/axe.ts";
import { BINARY } from "./support/command.ts";
import { logIn } from "./support/demo.ts";
import { expect, test } from "./support/test.ts";

const OWNER = { email: "owner@example.org", password: "a long enough phrase" };
const LEFT = "Who;Mail\nAnna;a@example.org\nBoris;nobody\nVera;vera\u200b@example.org\nDan;d@example.org\n";

async function enter(page: Page, folder: string): Promise<void> {
  const env = { ...process.env, VESTNIK_DATA_DIR: folder };
  execFileSync(BINARY, ["user", "add", "--email", OWNER.email, "--name", "Anna"], { env, input: OWNER.password });
  await logIn(page, "en", OWNER);
}

async function upload(page: Page, path: string, text: string): Promise<void> {
  await page.goto(path);
  await page.locator('input[type="file"]').setInputFiles({ name: "left.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
  const reason = page.getByLabel("Why do these addresses get nothing?");
  if (await reason.count()) await reason.fill("They left elsewhere");
  await page.getByRole("button", { name: "Upload" }).click();
  await expect(page).toHaveURL(/\/import\/\d+$/);
}

/** The whole way of a file; the page works the same before, or without, any script. */
async function takeAndTakeBack(page: Page): Promise<void> {
  await upload(page, "/suppressions/import", LEFT);
  const main = page.locator("main");
  await expect(main).toContainText("4 lines in all: new: 2, already there and skipped: 0, left out: 2.");
  await expect(main).toContainText("They left elsewhere");
  await expect(page.getByRole("row", { name: /vera\\u\{200b\}@example\.org/ }).first()).toBeVisible();
  await page.goto("/suppressions");
  await expect(main).not.toContainText("a@example.org");
  await page.goBack();
  await page.getByRole("button", { name: "Add 2 addresses" }).first().click();
  await expect(page.getByRole("dialog")).toContainText("Leave 2 addresses out of all your mailings?");
  await page.getByRole("dialog").getByRole("button", { name: "Add 2 addresses" }).click();
  // Nothing is loaded anew before the server has the question's answer: that would take it back.
  const done = page.getByRole("status").filter({ hasText: "The import is finished" });
  const refresh = page.getByRole("link", { name: "Refresh" });
  await expect(done.or(refresh)).toBeVisible();
  await expect(async () => {
    if (await refresh.isVisible()) await refresh.click({ timeout: 1000 });
    await expect(done).toBeVisible({ timeout: 5000 });
  }).toPass();
  await page.goto("/suppressions");
  await expect(main).toContainText("d@example.org");
  await page.getByRole("link", { name: "d@example.org" }).click();
  await page.getByRole("link", { name: "The import it came with" }).click();
  await page.getByRole("button", { name: "Take 2 entries off the list" }).first().click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("Take all 2 entries of this import off the list?");
  await dialog.getByLabel("Why may it get emails again?").fill("The wrong file");
  await dialog.getByRole("button", { name: "Take 2 entries off the list" }).click();
  await expect(page).toHaveURL(/\/suppressions/);
  await expect(page.locator("body")).toContainText("2 entries taken off the list.");
}

test("a file of addresses is looked at, confirmed and taken back", async ({ page, server }) => {
  await enter(page, server.dataDir);
  await takeAndTakeBack(page);
  await upload(page, "/suppressions/import", LEFT);
  await expectAccessible(page);
});

test.describe("without scripts", () => {
  // A server of its own: the one above has the user already.
  test.use({ javaScriptEnabled: false, serverEnv: { VESTNIK_LOG: "error" } });
  test("the same", async ({ page, server, problems }) => {
    problems.expectUnfetched(/\.js$/);
    await enter(page, server.dataDir);
    await takeAndTakeBack(page);
  });
});

test("a faulty line of clients is mended from the preview, and a client takes few lines on a phone", async ({ page, server }) => {
  await enter(page, server.dataDir);
  await upload(page, "/clients/import", 'email,name\nok@example.org,Olga\nanna,Anna Lee\nb@example.org,"Boris\nc@example.org,Vera\n');
  const row = page.getByRole("row", { name: /anna Anna Lee/ });
  const [form] = await Promise.all([page.waitForEvent("popup"), row.getByRole("link", { name: "Fix and add" }).first().click()]);
  await expect(form.getByLabel("Full name")).toHaveValue("Anna Lee");
  await form.getByLabel("Email").fill("anna@example.org");
  await form.getByRole("button", { name: "Save" }).click();
  await expect(form).toHaveURL(/\/clients(\?.*)?$/);
  await form.close();
  // Both of the lines that the open quote holds are named.
  await expect(page.locator("main")).toContainText("3 of 4 lines cannot be taken");
  await page.getByRole("button", { name: "Start the import" }).click();
  const file = page.getByRole("link", { name: "Download these lines" });
  await expect(file).toBeVisible();
  const left = await page.request.get((await file.getAttribute("href"))!);
  expect(await left.text()).toBe("\ufeffemail,name\r\nanna,Anna Lee\r\nb@example.org,Boris\r\nc@example.org,Vera\r\n");
  await page.setViewportSize({ width: 390, height: 800 });
  await page.goto("/clients");
  const card = page.getByRole("row", { name: /anna@example\.org/ });
  expect((await card.boundingBox())!.height).toBeLessThan(90);
});
