// What people do with their own accounts: a forgotten password, the profile, another address, sessions.
import { execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { join } from "node:path";
import type { Browser, Page } from "@playwright/test";
import { expectAccessible } from "./support/axe.ts";
import { BINARY } from "./support/command.ts";
import { expect, test } from "./support/test.ts";
import { forget } from "./support/visit.ts";

const PASSWORD = "a long enough phrase";
const NEW = "another phrase, long enough";

function addUser(dataDir: string, email: string, name: string): void {
  const env = { ...process.env, VESTNIK_DATA_DIR: dataDir };
  execFileSync(BINARY, ["user", "add", "--email", email, "--name", name], { env, input: PASSWORD });
}

async function logIn(page: Page, email: string, password: string): Promise<void> {
  await page.goto("/login");
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}

/** The address of a link in the newest letter with this subject. */
async function linkInLetter(page: Page, subject: RegExp, link: string): Promise<string> {
  await expect
    .poll(async () => {
      await page.goto("/outbox");
      return page.getByRole("link", { name: subject }).count();
    })
    .toBeGreaterThan(0);
  await page.getByRole("link", { name: subject }).first().click();
  return (await page.locator(`a[href*="${link}"]`).first().getAttribute("href"))!;
}

/** Another browser, logged in. */
async function otherBrowser(browser: Browser, url: string, email: string): Promise<Page> {
  const context = await browser.newContext({ baseURL: url, locale: "en-GB" });
  const page = await context.newPage();
  await logIn(page, email, PASSWORD);
  await expect(page).toHaveURL(/\/overview$/);
  return page;
}

test("a forgotten password, by letter", async ({ page, browser, server, problems }) => {
  problems.expect(/\/(api|reset)/, 409);
  problems.expect(/\/api\//, 422);
  addUser(server.dataDir, "anna@example.org", "Anna");
  const other = await otherBrowser(browser, server.url, "anna@example.org");
  await page.goto("/login");
  await page.getByRole("link", { name: "Forgot your password?" }).click();
  await expectAccessible(page);
  await page.getByLabel("Email").fill("anna@example.org");
  await page.getByRole("button", { name: "Send the link" }).click();
  await expect(page).toHaveURL(/\/forgot\/sent$/);
  const link = await linkInLetter(page, /A new password/, "/reset?token=");
  await page.goto(link);
  await expectAccessible(page);
  await page.getByLabel("New password").fill("password123");
  await page.getByRole("button", { name: "Set the password and log in" }).click();
  await expect(page.getByText("This password is too common.")).toBeVisible();
  await page.getByLabel("New password").fill(NEW);
  await page.getByRole("button", { name: "Set the password and log in" }).click();
  await expect(page).toHaveURL(/\/overview/);
  await expect(page.getByText("Your new password is set.")).toBeVisible();
  // The link is used, says so, and leads to a new one; the other browser is out.
  await page.goto(link);
  await expect(page.getByText("This link has been used already.")).toBeVisible();
  await page.getByRole("link", { name: "Get a new link" }).click();
  await expect(page).toHaveURL(/\/forgot$/);
  await other.goto("/account");
  await expect(other.getByText("Please log in")).toBeVisible();
  await other.context().close();
});

test("profile, address, password", async ({ page, server, problems }) => {
  problems.expect(/\/api\//, 422);
  addUser(server.dataDir, "boris@example.org", "Boris");
  await logIn(page, "boris@example.org", PASSWORD);
  await expect(page).toHaveURL(/\/overview$/);
  await page.goto("/account");
  await expectAccessible(page);
  await page.getByLabel("Name").fill("Борис Ким");
  await page.getByRole("combobox", { name: "Theme" }).selectOption("dark");
  await page.getByLabel("Time zone").selectOption("Asia/Tokyo");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Your profile is saved.")).toBeVisible();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "vestnik-dark");
  await expect(page.getByLabel("Time zone")).toHaveValue("Asia/Tokyo");
  await expectAccessible(page);

  await page.getByLabel("New address").fill("kim@example.org");
  await page.getByLabel("Your password").fill("not the password");
  await page.getByRole("button", { name: "Send the link" }).click();
  await expect(page.getByText("This is not your password.")).toBeVisible();
  await page.getByLabel("Your password").fill(PASSWORD);
  await page.getByRole("button", { name: "Send the link" }).click();
  await expect(page.getByText("A letter is on its way to the new address.")).toBeVisible();
  await page.goto(await linkInLetter(page, /Confirm your new address/, "/account/email?token="));
  await page.getByRole("button", { name: "Use this address" }).click();
  await expect(page.getByText("Your address is kim@example.org.")).toBeVisible();

  await page.getByLabel("Old password").fill(PASSWORD);
  await page.getByLabel("New password").fill(NEW);
  await page.getByRole("button", { name: "Change the password" }).click();
  await expect(page.getByText("Your password is changed, and your other devices are logged out.")).toBeVisible();
  await page.goto("/mailings");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Mailings");
});

test("sessions: their list, ending one, ending all", async ({ page, browser, server }) => {
  addUser(server.dataDir, "clara@example.org", "Clara");
  await logIn(page, "clara@example.org", PASSWORD);
  await expect(page).toHaveURL(/\/overview$/);
  const [one, two] = [
    await otherBrowser(browser, server.url, "clara@example.org"),
    await otherBrowser(browser, server.url, "clara@example.org"),
  ];
  await page.goto("/account/security");
  await expectAccessible(page);
  const rows = page.locator("main li").filter({ hasText: "Chrome" });
  await expect(rows).toHaveCount(3);
  await expect(rows.first()).toContainText("This device");
  await rows.nth(1).getByRole("button", { name: "End" }).click();
  await expect(rows).toHaveCount(2);
  await page.getByRole("button", { name: "End all others" }).click();
  await expect(rows).toHaveCount(1);
  for (const other of [one, two]) {
    await other.goto("/account");
    await expect(other.getByText("Please log in")).toBeVisible();
    await other.context().close();
  }
  await page.getByRole("button", { name: "Log out everywhere" }).click();
  await expect(page).toHaveURL(/\/login/);
  await expect(page.locator('form[action="/logout"]')).toHaveCount(0);
});

/** What an authenticator shows for a secret in base32 (RFC 6238). */
function totp(secret: string, at: number): string {
  const bits = [...secret].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g)!.map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = createHmac("sha1", key).update(counter).digest();
  const offset = mac[19]! & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

test("a second factor: set up, asked for, recovered from", async ({ page, server, problems }) => {
  problems.expect(/\/api\//, 422);
  // Halfway in, the account is closed.
  problems.expect(/\/account$/, 401);
  addUser(server.dataDir, "emil@example.org", "Emil");
  await logIn(page, "emil@example.org", PASSWORD);
  await expect(page).toHaveURL(/\/overview$/);
  await page.goto("/account/security");
  await page.getByLabel("Your password").fill(PASSWORD);
  await page.getByRole("button", { name: "Set up" }).click();
  const secret = await page.locator("p.font-mono").innerText();
  await expect(page.getByRole("img", { name: "QR code" })).toBeVisible();
  await expectAccessible(page);
  const recovery = await page.locator("ul.font-mono li").allInnerTexts();
  expect(recovery.length).toBe(10);
  // A step's code is taken once, and one step early or late: whenever the steps change meanwhile, this one is in time,
  // and the next one for the log-in is too.
  await page.getByLabel("Enter the code that the app shows").fill(totp(secret, Date.now()));
  await page.getByRole("button", { name: "Switch it on" }).click();
  await expect(page.getByText("10 recovery codes are left.")).toBeVisible();
  await expectAccessible(page);

  await forget(page);
  await logIn(page, "emil@example.org", PASSWORD);
  await expect(page).toHaveURL(/\/login\/code$/);
  await expectAccessible(page);
  // Halfway in is not in.
  await page.goto("/account");
  await expect(page.getByText("Please log in")).toBeVisible();
  await page.goto("/login/code");
  await page.getByLabel("Code").fill("abcdef");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByText("This code is wrong, or has been used already.")).toBeVisible();
  await page.getByLabel("Code").fill(totp(secret, Date.now() + 30_000));
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(/\/overview$/);

  await forget(page);
  await logIn(page, "emil@example.org", PASSWORD);
  await expect(page).toHaveURL(/\/login\/code$/);
  await page.getByLabel("Code").fill(recovery[0]!);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(/\/overview$/);
  await page.goto("/account/security");
  await expect(page.getByText("9 recovery codes are left.")).toBeVisible();
});

test("a planted session is worthless, and one that was ended stays so", async ({ page, browser, server }) => {
  addUser(server.dataDir, "fred@example.org", "Fred");
  const cookie = async (of: Page) => (await of.context().cookies()).find((one) => one.name === "vestnik");
  const replay = async (value: string) => {
    const context = await browser.newContext({ baseURL: server.url, locale: "en-GB" });
    await context.addCookies([{ name: "vestnik", value, url: server.url }]);
    const other = await context.newPage();
    await other.goto("/account");
    await expect(other.getByText("Please log in")).toBeVisible();
    await context.close();
  };
  const planted = "AAAAAAAAAAAAAAAAAAAAAA";
  await page.context().addCookies([{ name: "vestnik", value: planted, url: server.url }]);
  await logIn(page, "fred@example.org", PASSWORD);
  await expect(page).toHaveURL(/\/overview$/);
  const first = (await cookie(page))!.value;
  expect(first).not.toBe(planted);
  await replay(planted);
  // The id is renewed at each log-in; the one before is worthless.
  await logIn(page, "fred@example.org", PASSWORD);
  await expect(page).toHaveURL(/\/overview$/);
  const second = (await cookie(page))!.value;
  expect(second).not.toBe(first);
  await replay(first);
  await page.evaluate(() => document.querySelector<HTMLFormElement>('form[action="/logout"]')!.submit());
  await expect(page).toHaveURL(/\/$/);
  await replay(second);
});

test.describe("without scripts", () => {
  test.use({ javaScriptEnabled: false });

  test("guessing is throttled", async ({ page, server, problems }) => {
    problems.expectUnfetched(/\.js$/);
    problems.expect(/\/api\//, 422);
    problems.expect(/\/api\//, 429);
    addUser(server.dataDir, "dora@example.org", "Dora");
    for (let n = 0; n < 6; n += 1) {
      await logIn(page, "dora@example.org", "a wrong guess");
      await expect(page.getByText("Email and password do not match.")).toBeVisible();
    }
    await logIn(page, "dora@example.org", PASSWORD);
    await expect(page.getByText("Too many attempts")).toBeVisible();
    await expect(page.getByLabel("Email")).toHaveValue("dora@example.org");
  });
});
