// What an administrator decides, and what comes of it: who may register, invitations, limits; and what people do with
// their own data.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Browser, Page } from "@playwright/test";
import { expectAccessible } from "./support/axe.ts";
import { BINARY } from "./support/command.ts";
import type { Server } from "./support/server.ts";
import { expect, test } from "./support/test.ts";

const PASSWORD = "a long enough phrase";

function vestnik(server: Server, input: string, ...words: string[]): string {
  const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
  return execFileSync(BINARY, words, { env, input, encoding: "utf8" });
}

function addUser(server: Server, email: string, role: string): void {
  vestnik(server, PASSWORD, "user", "add", "--email", email, "--name", email.split("@")[0]!, "--role", role);
}

async function logIn(page: Page, email: string): Promise<void> {
  await page.goto("/login");
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
}

async function otherBrowser(browser: Browser, server: Server): Promise<Page> {
  const context = await browser.newContext({ baseURL: server.url, locale: "en-GB" });
  return context.newPage();
}

async function saveSettings(page: Page, change: (page: Page) => Promise<void>): Promise<void> {
  await page.goto("/settings");
  await change(page);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("The settings are saved.")).toBeVisible();
}

test("registration by invitation: sent, followed once, taken back", async ({ page, browser, server, problems }) => {
  problems.expect(/invitation/, 409);
  problems.expect(/\/api\//, 422);
  addUser(server, "admin@example.org", "admin");
  await logIn(page, "admin@example.org");
  await expect(page).toHaveURL(/\/overview$/);
  await page.goto("/settings");
  await expectAccessible(page);
  await page.getByLabel("Address that letters come from").fill("nobody");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("An email address has exactly one @.")).toBeVisible();
  await expectAccessible(page);
  await saveSettings(page, async (page) => {
    await page.getByLabel("Address that letters come from").fill("post@example.org");
    await page.getByRole("radio", { name: /By invitation/ }).check();
  });

  // Nobody can sign up by themselves, and the pages say so.
  const guest = await otherBrowser(browser, server);
  await guest.goto("/signup");
  await expect(guest.getByTestId("closed")).toContainText("Accounts are made by invitation here.");
  await expect(guest.getByRole("link", { name: "Sign up" })).toHaveCount(0);

  await page.goto("/invitations");
  await expectAccessible(page);
  for (const [email, role] of [["boris@example.org", "Editor"], ["clara@example.org", "User"]] as const) {
    await page.getByLabel("Email").fill(email);
    await page.getByLabel("Role").selectOption({ label: role });
    await page.getByRole("button", { name: "Send the invitation" }).click();
    await expect(page.getByRole("row").filter({ hasText: email })).toContainText(role);
  }
  await expectAccessible(page);
  await expect(async () => {
    await guest.goto("/outbox");
    await expect(guest.getByRole("link", { name: "An invitation to Vestnik" })).toHaveCount(2, { timeout: 500 });
  }).toPass();
  const links: string[] = [];
  for (const n of [0, 1]) {
    await guest.goto("/outbox");
    await guest.getByRole("link", { name: "An invitation to Vestnik" }).nth(n).click();
    await expect(guest.locator("main")).toContainText("post@example.org");
    links.push((await guest.locator('a[href*="/invitation?token="]').first().getAttribute("href"))!);
  }
  const [clara, boris] = links;
  await page.getByRole("button", { name: "Take back the invitation of clara@example.org" }).click();
  await expect(page.getByRole("row").filter({ hasText: "clara@example.org" })).toHaveCount(0);
  await guest.goto(clara!);
  await expect(guest.getByText("This invitation is not known.")).toBeVisible();

  await guest.goto(boris!);
  await expect(guest.locator("main")).toContainText("boris@example.org");
  await expectAccessible(guest);
  await guest.getByLabel("Name").fill("Boris");
  await guest.getByLabel("Password").fill("short");
  await guest.getByRole("button", { name: "Create my account" }).click();
  await expect(guest.getByText("A password needs at least 10 characters.")).toBeVisible();
  await expect(guest.getByLabel("Name")).toHaveValue("Boris");
  await guest.getByLabel("Password").fill(PASSWORD);
  await guest.getByRole("button", { name: "Create my account" }).click();
  await expect(guest).toHaveURL(/\/overview/);
  await expect(guest.getByRole("link", { name: "Posts" })).toBeVisible();
  await guest.goto(boris!);
  await expect(guest.getByText("This link has been used already.")).toBeVisible();
  await guest.context().close();

  await page.goto("/audit?act=invitation_sent");
  await expect(page.locator("tbody tr")).toHaveCount(2);
  await expectAccessible(page);
});

test("limits: for all and for one, with a word at the field", async ({ page, browser, server, problems }) => {
  problems.expect(/\/api\/clients\/save/, 422);
  addUser(server, "chief@example.org", "admin");
  addUser(server, "user@example.org", "user");
  await logIn(page, "chief@example.org");
  await expect(page).toHaveURL(/\/overview$/);
  await saveSettings(page, (page) => page.getByLabel("Clients").fill("1"));
  const user = await otherBrowser(browser, server);
  await logIn(user, "user@example.org");
  await expect(user).toHaveURL(/\/overview$/);
  const addClient = async (email: string) => {
    await user.goto("/clients/new");
    await user.getByLabel("Email").fill(email);
    await user.getByRole("button", { name: "Save" }).click();
  };
  await addClient("one@example.org");
  await expect(user).toHaveURL(/\/clients(\?done=.*)?$/);
  await addClient("two@example.org");
  await expect(user.getByText("You may have no more than 1 clients.")).toBeVisible();
  await expect(user.getByLabel("Email")).toHaveValue("two@example.org");

  await page.goto("/users");
  await page.getByRole("link", { name: "user@example.org" }).click();
  await page.getByLabel("Clients").fill("5");
  await page.getByRole("button", { name: "Save the limits" }).click();
  await expect(page.getByText("The limits are saved.")).toBeVisible();
  await expectAccessible(page);
  await user.getByRole("button", { name: "Save" }).click();
  await expect(user).toHaveURL(/\/clients(\?done=.*)?$/);
  await user.context().close();
  await saveSettings(page, (page) => page.getByLabel("Clients").fill(""));
});

test("another role ends the sessions", async ({ page, browser, server }) => {
  addUser(server, "head@example.org", "admin");
  addUser(server, "diana@example.org", "user");
  await logIn(page, "head@example.org");
  await expect(page).toHaveURL(/\/overview$/);
  const diana = await otherBrowser(browser, server);
  await logIn(diana, "diana@example.org");
  await expect(diana).toHaveURL(/\/overview$/);
  await page.goto("/users");
  await page.getByRole("link", { name: "diana@example.org" }).click();
  await page.getByLabel("Role").selectOption("manager");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("The role is changed.")).toBeVisible();
  await diana.goto("/account");
  await expect(diana.getByText("Please log in")).toBeVisible();
  await logIn(diana, "diana@example.org");
  await expect(diana.getByRole("link", { name: "All mailings" })).toBeVisible();
  await diana.context().close();
});

test("own data are taken away, and the account is deleted", async ({ page, server, problems }) => {
  problems.expect(/\/api\//, 422);
  addUser(server, "emma@example.org", "user");
  await logIn(page, "emma@example.org");
  await expect(page).toHaveURL(/\/overview$/);
  await page.goto("/clients/new");
  await page.getByLabel("Email").fill("client@example.org");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page).toHaveURL(/\/clients(\?done=.*)?$/);
  await page.goto("/account/data");
  await expectAccessible(page);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download" }).click()]);
  expect(download.suggestedFilename()).toMatch(/^vestnik-\d{4}-\d\d-\d\d\.json$/);
  const data = JSON.parse(readFileSync(await download.path(), "utf8"));
  expect(data).toMatchObject({ account: { email: "emma@example.org" }, clients: [{ email: "client@example.org" }] });

  await expect(page.getByRole("listitem").filter({ hasText: "1 client" })).toBeVisible();
  await page.getByLabel("Your password").fill("not the password");
  await page.getByRole("button", { name: "Delete my account for good" }).click();
  await expect(page.getByText("This is not your password.")).toBeVisible();
  await page.getByLabel("Your password").fill(PASSWORD);
  await page.getByRole("button", { name: "Delete my account for good" }).click();
  await expect(page.getByText("Your account is deleted.")).toBeVisible();
  await expect(page.locator('form[action="/logout"]')).toHaveCount(0);
  await logIn(page, "emma@example.org");
  await expect(page.getByText("Email and password do not match.")).toBeVisible();
  const verdict = JSON.parse(vestnik(server, "", "audit", "verify", "--json"));
  expect(verdict.lines).toBeGreaterThan(3);
});
