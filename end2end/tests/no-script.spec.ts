// What must work before, or without, any script: log in, create a client, create a mailing.
import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import { expect, test } from "./support/test.ts";

const PASSWORD = "a long enough phrase";
const ROOT = resolve(import.meta.dirname, "../..");
const BINARY = process.env.VESTNIK_BIN || join(ROOT, "target/release/vestnik");

test.use({ javaScriptEnabled: false });

test("log in, create a client and a mailing without scripts", async ({ page, server, problems }) => {
  problems.expectUnfetched(/\.js$/);
  const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
  execFileSync(BINARY, ["user", "add", "--email", "anna@example.org", "--name", "Anna"], { env, input: PASSWORD });

  await page.goto("/login");
  await page.getByLabel("Email").fill("anna@example.org");
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("alert").first()).toContainText("Email and password do not match.");
  await page.getByLabel("Email").fill("anna@example.org");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(/\/mailings$/);

  await page.goto("/clients/new");
  await page.getByLabel("Email").fill("клиент@пример.рф");
  await page.getByLabel("Full name").fill("Клиент Первый");
  await page.locator("main form button[type=submit]").first().click();
  await expect(page).toHaveURL(/\/clients/);
  await page.goto("/clients");
  await expect(page.locator("main")).toContainText("Клиент Первый");

  await page.goto("/messages/new");
  await page.getByLabel("Subject").fill("Hello {{ full_name }}");
  await page.getByLabel("Body").fill("How are you?");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page).toHaveURL(/\/messages/);

  await page.goto("/mailings/new");
  await page.getByRole("radio").first().check();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("radio", { name: /^Now/ }).check();
  await page.getByLabel("End of the window").fill("2099-12-31T10:00");
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.locator("main")).toContainText("1 client");
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Start", exact: true }).click();
  await expect(page).toHaveURL(/\/mailings\/\d+/);
  await expect
    .poll(async () => {
      await page.reload();
      return page.locator("main").innerText();
    })
    .toMatch(/Sent\s+1\b/);
});
