// An owner's day: the overview says what to do first, and a message goes to all clients now in three screens.
import { execFileSync } from "node:child_process";
import { expectAccessible } from "./support/axe.ts";
import { BINARY } from "./support/command.ts";
import { goSettled } from "./support/settled.ts";
import { expect, test } from "./support/test.ts";

const OWNER = { email: "owner@example.org", password: "a long enough phrase" };

test("from the first steps to a result, by the overview alone", async ({ page, server }) => {
  const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
  execFileSync(BINARY, ["user", "add", "--email", OWNER.email, "--name", "Anna"], { env, input: OWNER.password });
  await page.goto("/login");
  await page.getByLabel("Email").fill(OWNER.email);
  await page.getByLabel("Password").fill(OWNER.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(/\/overview$/);
  const done = page.locator('[data-step][data-done="true"]');
  const next = page.locator("section[aria-labelledby=steps] a.btn-primary");
  await expect(page.locator("[data-step]")).toHaveCount(4);
  await expect(done).toHaveCount(0);

  // Clients.
  await next.click();
  await page.locator('input[type="file"]').setInputFiles({
    name: "clients.csv",
    mimeType: "text/csv",
    buffer: Buffer.from("email,full name\none@example.org,One\ntwo@example.org,Two\nthree@example.org,Three\n"),
  });
  await page.locator("main form button[type=submit]").click();
  await expect(page).toHaveURL(/\/clients\/import\/\d+/);
  await page.locator("main form button[type=submit]").first().click();
  await expect(page.locator('main a[href="/clients"].btn-primary')).toBeVisible();

  // A message, and a test of it.
  await page.getByRole("link", { name: "Vestnik" }).first().click();
  await expect(done).toHaveCount(1);
  await next.click();
  await page.getByLabel("Subject").fill("News for {{ full_name }}");
  await page.getByLabel("Body").fill("Dear {{ full_name }}, hello.");
  await page.getByRole("button", { name: "Send me a test" }).click();
  await expect(page.getByText("A test letter has gone to owner@example.org.")).toBeVisible();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("The message is saved.")).toBeVisible();
  await page.getByRole("link", { name: "Vestnik" }).first().click();
  await expect(done).toHaveCount(3);

  // To all clients, now: clients, review, and it goes.
  await goSettled(page, "/messages");
  await page.getByRole("link", { name: /^New mailing with/ }).click();
  await page.getByRole("radio", { name: /^All clients/ }).check();
  await page.getByRole("button", { name: "Send now: go to the review" }).click();
  await expect(page.getByTestId("beside")).toContainText("3 people get this email");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Send now to 3 people" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Send now to 3 people" }).click();
  await expect(page).toHaveURL(/\/mailings\/\d+/);
  await expect(page.locator("main")).toContainText(/Sent\s*3/, { timeout: 60_000 });
  // The figures lead to what they count.
  await page.locator("dl a", { hasText: "3" }).first().click();
  await expect(page).toHaveURL(/state=sent/);

  // Nothing is left to do, and the result is there.
  await page.getByRole("link", { name: "Vestnik" }).first().click();
  await expect(page.locator("[data-step]")).toHaveCount(0);
  await expect(page.getByRole("link", { name: "3 of 3 sent" })).toBeVisible();
  await expectAccessible(page);
});
