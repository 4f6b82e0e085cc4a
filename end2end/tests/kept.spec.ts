// What somebody has typed, ticked or pasted stays where it belongs.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { BINARY } from "./support/command.ts";
import { logIn } from "./support/demo.ts";
import { expect, test } from "./support/test.ts";
import { goSettled } from "./support/settled.ts";

const ADMIN = { email: "admin@example.org", password: "a long enough phrase" };
/** A picture of one pixel. */
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const CLIENTS = 60;

async function enter(page: Page, dataDir: string): Promise<void> {
  const env = { ...process.env, VESTNIK_DATA_DIR: dataDir };
  const run = (...words: string[]) => execFileSync(BINARY, words, { env, input: ADMIN.password });
  try {
    run("user", "add", "--email", ADMIN.email, "--name", "Anna", "--role", "admin");
  } catch {
    // A test before this one has added them.
  }
  const file = join(dataDir, "clients.csv");
  const lines = Array.from({ length: CLIENTS }, (_, n) => `c${n}@example.org`);
  writeFileSync(file, `email\n${lines.join("\n")}\n`);
  run("client", "import", "--owner", ADMIN.email, file);
  await logIn(page, "en", ADMIN);
}

test("rows that are ticked stay so on the next page of the list, and not in another search", async ({ page, server }) => {
  await enter(page, server.dataDir);
  await goSettled(page, "/clients");
  const boxes = page.getByRole("checkbox", { name: /^Select c/ });
  await boxes.first().check();
  await page.getByRole("link", { name: "Next", exact: true }).click();
  await expect(page.getByRole("checkbox", { name: "Select c0@example.org" })).toBeVisible();
  await boxes.first().check();
  await expect(page.getByText("2 clients selected")).toBeVisible();
  await page.getByRole("button", { name: "Delete" }).or(page.getByRole("link", { name: "Delete" })).first().click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("heading", { name: "Delete 2 clients?" })).toBeVisible();
  await dialog.getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText("2 clients deleted.")).toBeVisible();
  await expect(page.getByText(`${CLIENTS - 2} clients`, { exact: true })).toBeVisible();
  await boxes.first().check();
  await expect(page.getByText("1 client selected")).toBeVisible();
  await page.getByRole("searchbox").fill("c1");
  await page.getByRole("searchbox").press("Enter");
  await expect(page).toHaveURL(/q=c1/);
  await expect(page.getByText("1 client selected")).toHaveCount(0);
});

test("a picture becomes a paragraph where the cursor is, and a cover is chosen by its picture", async ({ page, server }) => {
  await enter(page, server.dataDir);
  await goSettled(page, "/posts/new");
  await page.getByLabel("Title").fill("Autumn");
  const body = page.locator('[name="form[body]"]');
  await body.fill("One\nThree");
  await body.evaluate((field: HTMLTextAreaElement) => field.setSelectionRange(3, 3));
  const describe = async (words: string) => {
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Description").fill(words);
    await dialog.getByRole("button", { name: "Insert" }).click();
    await expect(dialog).toBeHidden();
  };
  const file = { name: "dot.png", mimeType: "image/png", buffer: Buffer.from(PIXEL, "base64") };
  await page.getByLabel("Add a picture").setInputFiles(file);
  await describe("dot");
  await expect(body).toHaveValue(/^One\n\n!\[dot\]\(\/images\/[0-9a-f]+\)\n\nThree$/);

  // Pasted at the end.
  await body.evaluate(async (field: HTMLTextAreaElement, data) => {
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    const pasted = new DataTransfer();
    pasted.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
    field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: pasted, bubbles: true, cancelable: true }));
  }, PIXEL);
  await describe("pasted");
  await expect(body).toHaveValue(/\n\nThree\n\n!\[pasted\]\(\/images\/[0-9a-f]+\)$/);

  const none = page.getByRole("radio", { name: "No cover" });
  await expect(none).toBeChecked();
  await page.getByLabel("Upload a cover").setInputFiles(file);
  await expect(none).not.toBeChecked();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status").filter({ hasText: "The post is saved." })).toBeVisible();
  await goSettled(page, "/posts");
  await page.getByRole("link", { name: "Autumn" }).first().click();
  await expect(page.getByRole("radio", { name: "No cover" })).not.toBeChecked();
  await expect(page.getByRole("radio", { checked: true }).first()).toBeVisible();
});

test("whose session ends while they type logs in beside the text, and saves it", async ({ page, server, problems }) => {
  await enter(page, server.dataDir);
  await goSettled(page, "/messages/new");
  await page.getByLabel("Subject").fill("Autumn");
  await page.getByLabel("Body").fill("Long text");
  await page.context().clearCookies();
  problems.expect(/\/api\//, 401);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  const beside = page.waitForEvent("popup");
  await page.getByRole("link", { name: "Log in in a new tab" }).click();
  const tab = await beside;
  await tab.getByLabel("Email").fill(ADMIN.email);
  await tab.getByLabel("Password").fill(ADMIN.password);
  await tab.getByRole("button", { name: "Log in" }).click();
  await expect(tab).toHaveURL(/\/overview$/);
  await tab.close();
  await expect(page.getByLabel("Body")).toHaveValue("Long text");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("The message is saved.")).toBeVisible();
});
